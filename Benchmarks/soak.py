"""Mixed traffic for minutes, and a look at what it leaves behind; `Benchmarks/soak` runs it.

Callers take random turns at calls of all kinds, good ones and refused ones; meanwhile the gateway is told to reload, and
the service that has the files is restarted. Descriptors and memory are read after a warm-up of a tenth of the time,
which fills caches and tables, and again at the end, each time after everybody has gone and every idle connection to an
upstream has had time to close. Each call's outcome is checked: one that nothing excuses fails the soak as a leak does.
"""

import argparse
import collections
import contextlib
import json
import random
import re
import signal
import sys
import tempfile
import threading
import time
from concurrent import futures
from pathlib import Path

import grpc
from websockets.exceptions import WebSocketException
from websockets.sync.server import serve

from callers import EVENTS, FILE, MEBIBYTE, Caller
from credentials import Authority
from gateway import Gateway, listener, sallyport
from ports import free_port
from proofs import Holder, await_proofs
from upstreams import Nginx, Upstream, echo, wait_for_port
from wire import PATIENCE
from world import World, route

IDLE, SETTLING = 10, 25  # seconds: the gateway's timeout for idle connections, and a good deal more than that
RELOADS, RESTARTS, EXCUSED = 3, 20, 5  # seconds between them, and how long the second excuses a failure of the files
MORE_MEMORY = 16 * MEBIBYTE  # or a quarter of what it was: what allocators keep in another order than before
MORE_DESCRIPTORS = 2


# The services


class Files(Nginx):
    """Files to fetch and to put, on a server that goes and comes."""

    def __init__(self, directory: Path):
        super().__init__(directory)
        (self.files / "big").write_bytes(FILE)
        self.is_away, self.came = False, -EXCUSED

    def restart(self, harshly: bool) -> None:
        self.is_away = True
        self.process.kill() if harshly else self.process.terminate()
        self.process.wait(PATIENCE)
        time.sleep(0.5)
        self.process = type(self.process)(self.process.args)
        wait_for_port(self.port, self.process)
        self.is_away, self.came = False, time.monotonic()

    def excuses(self, since: float) -> bool:
        """Whether the server was away at a time since, or shortly before."""
        return self.is_away or self.came + EXCUSED > since


class Messages(grpc.GenericRpcHandler):
    """Sends back each message of a gRPC stream as it comes."""

    def __init__(self):
        self.port = free_port()
        self.server = grpc.server(futures.ThreadPoolExecutor(32), handlers=[self])
        self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        self.server.start()

    def service(self, details):
        return grpc.stream_stream_rpc_method_handler(lambda messages, context: messages)


def answer(connection, request) -> None:
    """Echoes, or sends events."""
    if "/events" not in request.target:
        return echo(connection, request)
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(EVENTS):
        event = f"data: {number}\n\n".encode()
        connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        time.sleep(0.05)
    connection.send(b"0\r\n\r\n")


def talk(socket) -> None:
    with contextlib.suppress(WebSocketException):
        for message in socket:
            socket.send(message)


class Services:
    def __init__(self, directory: Path):
        self.files = Files(directory)
        self.echo = Upstream()
        self.echo.answer = answer
        self.sockets_port = free_port()
        self.sockets = serve(talk, "127.0.0.1", self.sockets_port, max_size=None)
        threading.Thread(target=self.sockets.serve_forever, daemon=True).start()
        self.messages = Messages()

    def forget(self) -> None:
        """What the tests keep of every request would be much by now."""
        self.echo.requests = []
        with self.echo.changed:
            self.echo.connections = [connection for connection in self.echo.connections if connection.is_open]

    def configuration(self, world: World, port: int) -> dict:
        upstreams = [
            {"name": "service", "targets": [self.echo.url]},
            {"name": "files", "targets": [self.files.url]},
            {"name": "sockets", "targets": [f"http://127.0.0.1:{self.sockets_port}"]},
            {"name": "messages", "targets": [f"http://127.0.0.1:{self.messages.port}"], "protocol": "h2"},
        ]
        routes = [
            route("any", "/any/{rest...}"),
            route("bound", "/bound/{x}", possession=["dpop"]),
            route("orders", "/orders/{order}", scope="read:orders:{order}"),
            {**route("files", "/files/{name}"), "upstream": "files"},
            {**route("sockets", "/ws/{x}", ["GET"]), "upstream": "sockets", "upgrades": ["websocket"]},
            {**route("messages", "/test.Any/{method}", ["POST"]), "upstream": "messages"},
        ]
        return world.configuration(
            self.echo.url,
            routes,
            upstreams=upstreams,
            listeners=[listener(port, world.server, world.trust)],
            timeouts={"idle": f"{IDLE}s"},
            # A table for a million proofs would fill its pages, one after the other, for longer than the soak lasts.
            possession={"replay": {"capacity": 1 << 15, "store": "memory"}},
        )

    def close(self) -> None:
        self.messages.server.stop(0).wait()
        self.sockets.shutdown()
        self.echo.close()
        self.files.close()


# The soak


class Soak:
    def __init__(self, directory: Path, callers: int):
        self.world = World(directory)
        self.directory = directory
        directory.chmod(0o755)
        self.services = Services(directory / "files")
        folder = directory / "gateway"
        folder.mkdir()
        configuration = self.services.configuration(self.world, free_port())
        self.gateway = Gateway(folder, configuration)
        self.configurations = [configuration, self.another(configuration)]
        self.callers = callers
        self.is_over = threading.Event()
        self.counts, self.faults = collections.Counter(), []

    def another(self, configuration: dict) -> dict:
        """A configuration that trusts one authority more and has one route more."""
        stranger = Authority(self.directory, "strangers-ca", uri="spiffe://strangers.test")
        changed = json.loads(json.dumps(configuration))
        changed["routes"].append(route("more", "/more/{x}"))
        trust = changed["listeners"][0]["clients"]["trust_domains"]
        trust.append({"name": "strangers.test", "bundle_file": str(stranger.file)})
        return changed

    def state(self) -> tuple[int, int]:
        """Descriptors and resident bytes."""
        return self.gateway.descriptors(), self.gateway.memory()

    def run(self, seconds: float, name: str) -> None:
        """Traffic for a time, and silence after it until what was left open is closed."""
        self.is_over.clear()
        callers = [Caller(self, random.randrange(1 << 30)) for _ in range(self.callers)]
        tasks = [*callers, threading.Thread(target=self.disturb, daemon=True)]
        for task in tasks:
            task.start()
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            time.sleep(min(left, 30))
            descriptors, memory = self.state()
            calls = sum(sum(caller.counts.values()) for caller in callers)
            print(f"{name}: {calls} calls, {descriptors} descriptors, {memory / MEBIBYTE:.1f} MiB", flush=True)
        self.is_over.set()
        for task in tasks:
            task.join(3 * PATIENCE)
            assert not task.is_alive(), "somebody waits for ever"
        for caller in callers:
            caller.client.close()
            self.counts += caller.counts
            self.faults += caller.faults
        self.services.forget()
        time.sleep(SETTLING)

    def disturb(self) -> None:
        """Reloads the gateway and restarts the files."""
        began = time.monotonic()
        reloads = restarts = 0
        while not self.is_over.wait(0.5):
            passed = time.monotonic() - began
            if passed > (reloads + 1) * RELOADS:
                reloads += 1
                self.gateway.write(self.configurations[reloads % 2])
                self.gateway.signal(signal.SIGHUP)
                self.services.forget()
            if passed > (restarts + 1) * RESTARTS:
                restarts += 1
                self.services.files.restart(harshly=restarts % 2 == 0)
        self.counts["reloads"] += reloads
        self.counts["restarts"] += restarts

    def faults_of_the_log(self) -> list[str]:
        """What does not fit together in the audit log, once the gateway has stopped."""
        decided, completed = set(), set()
        events = re.compile(rb'"event":"request\.(allowed|completed)"')
        for file in sorted(self.gateway.audit_directory.glob("audit-*.jsonl")):
            with file.open("rb") as lines:
                for line in lines:
                    if found := events.search(line):
                        (decided if found[1] == b"allowed" else completed).add(json.loads(line)["request_id"])
        verified = sallyport("audit", "verify", str(self.gateway.audit_directory))
        told = [f"{len(decided ^ completed)} calls have one record of two"] if decided != completed else []
        return told + ([verified.stdout + verified.stderr] if verified.returncode else [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--callers", type=int, default=20)
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        soak = Soak(Path(directory), options.callers)
        soak.gateway.start()
        fresh = soak.state()
        await_proofs(soak.gateway, soak.world, Holder(), "/bound/0")
        soak.run(options.minutes * 6, "warm-up")
        before = soak.state()
        soak.run(options.minutes * 60, "soak")
        after = soak.state()
        try:
            code = soak.gateway.stop()
            faults = soak.faults + ([f"it ended with {code}"] if code else []) + soak.faults_of_the_log()
        except AssertionError as fault:
            faults = [*soak.faults, str(fault)]
        soak.services.close()

    for name, count in sorted(soak.counts.items()):
        print(f"{count:8} {name}")
    for fault, count in collections.Counter(faults).most_common(20):
        print(f"{count:8} FAULT {fault}")
    print("\n| | fresh | after the warm-up | after the soak |\n|---|---:|---:|---:|")
    print(f"| descriptors | {fresh[0]} | {before[0]} | {after[0]} |")
    sizes = [f"{memory / MEBIBYTE:.1f} MiB" for _, memory in (fresh, before, after)]
    print(f"| resident memory | {' | '.join(sizes)} |")
    leaks = after[0] > before[0] + MORE_DESCRIPTORS or after[1] > max(before[1] * 1.25, before[1] + MORE_MEMORY)
    print("It leaks." if leaks else "Descriptors and memory are back.")
    return 1 if leaks or faults else 0


if __name__ == "__main__":
    sys.exit(main())
