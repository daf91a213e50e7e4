"""Mixed traffic for minutes, and a look at what it leaves behind; `Benchmarks/soak` runs it.

Callers take random turns at calls of all kinds, good ones and refused ones; meanwhile the gateway is told to reload, and
the service that has the files is restarted. Descriptors and memory are read after a warm-up of a tenth of the time,
which fills caches and tables, and again at the end, each time after everybody has gone and every idle connection to an
upstream has had time to close. Each call's outcome is checked: one that nothing excuses fails the soak as a leak does.
"""

import argparse
import collections
import contextlib
import hashlib
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
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State
from websockets.sync.server import serve
from websockets.utils import generate_key

from clients import Client, GoneAway, Http1, StreamReset, tls_context
from credentials import Authority
from gateway import Gateway, listener, sallyport
from ports import free_port
from proofs import Holder, await_proofs, presented
from sockets import Http2WebSocket
from upstreams import Nginx, Upstream, echo, wait_for_port
from wire import PATIENCE, Closed
from world import World, route

MEBIBYTE = 1 << 20
FILE = bytes(range(256)) * (8 * MEBIBYTE // 256)
EVENTS = 20
IDLE, SETTLING = 10, 25  # seconds: the gateway's timeout for idle connections, and a good deal more than that
RELOADS, RESTARTS, EXCUSED = 3, 20, 5  # seconds between them, and how long the second excuses a failure of the files
MORE_MEMORY = 16 * MEBIBYTE  # or a quarter of what it was: what allocators keep in another order than before
MORE_DESCRIPTORS = 2
BROKEN = (OSError, Closed, StreamReset, GoneAway, EOFError, WebSocketException, grpc.RpcError)


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


# The callers


class Http1WebSocket:
    """A WebSocket over HTTP/1.1 in one thread: `websockets` has two, which Python's TLS before 3.13 does not bear."""

    def __init__(self, connection: Http1, target: str, token: str):
        self.connection = connection
        fields = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", generate_key()),
        ]
        connection.send(connection.head("GET", target, token, fields))
        expect(connection.reader.response(interim=True), 101)
        self.machine = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)

    def send(self, message: bytes) -> None:
        self.machine.send_binary(message)
        self.flush()

    def recv(self) -> bytes:
        """The next message, whole."""
        pieces = []
        while not pieces or not pieces[-1].fin:
            frames = self.machine.events_received()
            pieces += [frame for frame in frames if frame.opcode in (Opcode.BINARY, Opcode.CONT)]
            if not pieces or not pieces[-1].fin:
                self.take()
        return b"".join(piece.data for piece in pieces)

    def close(self) -> None:
        """Closes, and waits for the other side to do so too."""
        self.machine.send_close(1000)
        self.flush()
        while self.machine.close_rcvd is None:
            self.take()

    def take(self) -> None:
        data = self.connection.reader.stream.read1(1 << 16)
        if not data:
            raise Closed("the socket was closed")
        self.machine.receive_data(data)
        self.flush()

    def flush(self) -> None:
        self.connection.send(b"".join(self.machine.data_to_send()))


class Unexpected(Exception):
    """A call had an outcome that it should not have had."""


def expect(told, *statuses: int):
    if told.status not in statuses:
        raise Unexpected(f"{told.status} instead of {statuses}: {told.body[:80]!r}")
    return told


class Caller(threading.Thread):
    """Opens connections, and does on each what chance says."""

    def __init__(self, soak: "Soak", seed: int):
        super().__init__(daemon=True)
        self.soak, self.gateway, self.world = soak, soak.gateway, soak.world
        self.chance = random.Random(seed)
        self.holder = Holder()
        self.client = Client(self.gateway.port, self.world.servers.file)
        self.contexts, self.minted = {}, {}
        self.counts = collections.Counter()
        self.faults = []

    @property
    def token(self) -> str:
        return self.mint("good", lambda broker: broker.token(self.world.agent))

    def mint(self, name: str, make) -> str:
        """A token for a minute."""
        token, made = self.minted.get(name, (None, 0))
        if time.monotonic() - made > 60:
            token, made = make(self.world.broker), time.monotonic()
            self.minted[name] = token, made
        return token

    def open(self, protocol: str, agent="agent"):
        if (protocol, agent) not in self.contexts:
            identity = getattr(self.world, agent) if agent else None
            self.contexts[protocol, agent] = tls_context(self.world.servers.file, identity, (protocol,))
        return self.client.open(protocol, context=self.contexts[protocol, agent])

    def run(self) -> None:
        while not self.soak.is_over.is_set():
            alone = self.chance.random() < 0.3
            self.attempt(self.chance.choice(ALONE)) if alone else self.calls()
            self.client.close()

    def calls(self) -> None:
        """Some calls, one after the other, over one connection."""
        try:
            connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        except BROKEN as fault:
            self.faults.append(f"no connection: {fault!r}")
            return
        for _ in range(self.chance.randrange(1, 12)):
            if not self.attempt(self.chance.choice(CALLS), connection):
                return

    def attempt(self, kind, *arguments) -> bool:
        began = time.monotonic()
        try:
            kind(self, *arguments)
            self.counts[kind.__name__] += 1
            return True
        except (*BROKEN, Unexpected) as fault:
            if "file" in kind.__name__ and self.soak.services.files.excuses(began):
                self.counts[f"{kind.__name__} while the service restarts"] += 1
            else:
                self.faults.append(f"{type(arguments[0]).__name__ if arguments else ''} {kind.__name__}: {fault!r}")
        return False

    # Calls over a connection that is there, and that they leave as it was

    def certificate_bound(self, connection):
        expect(connection.call("GET", "/any/a?x=1", self.token), 200)

    def scoped(self, connection):
        expect(connection.call("GET", "/orders/42", self.token), 200)

    def key_bound(self, connection):
        expect(self.prove(connection), 200)

    def replayed(self, connection):
        fields = self.proven()
        expect(connection.call("GET", "/bound/1", fields=fields), 200)
        expect(connection.call("GET", "/bound/1", fields=fields), 401)

    def proven(self):
        token = self.mint("key", lambda broker: broker.token(self.world.agent, cnf=self.holder.cnf))
        return presented(token, self.holder.proof("GET", f"{self.gateway.origin}/bound/1", token))

    def prove(self, connection):
        return connection.call("GET", "/bound/1", fields=self.proven())

    def refused(self, connection):
        target, token, status = self.chance.choice(
            [
                ("/any/a", None, 401),
                ("/any/a", "garbage", 401),
                ("/any/a", self.mint("other", lambda broker: broker.token(self.world.other)), 401),
                ("/orders/7", self.token, 403),
                ("/bound/1", self.token, 403),
                ("/none", self.token, 404),
            ]
        )
        expect(connection.call("GET", target, token), status)

    def forged(self, connection):
        """A token of a key that nobody knows, never met before."""
        token = self.world.broker.token(self.world.agent)
        expect(connection.call("GET", "/any/a", token[:-20] + "A" * 20), 401)

    def upload(self, connection):
        body = self.chance.randbytes(1 << 16) * self.chance.randrange(1, 32)
        told = expect(connection.call("POST", "/any/up", self.token, body=body), 200).json
        if (told["body_bytes"], told["body_sha256"]) != (len(body), hashlib.sha256(body).hexdigest()):
            raise Unexpected("another body arrived")

    def download_of_file(self, connection):
        told = expect(connection.call("GET", "/files/big", self.token), 200)
        if told.body_bytes != len(FILE):
            raise Unexpected(f"{told.body_bytes} bytes of a file came")

    def upload_of_file(self, connection):
        body = FILE[: self.chance.randrange(1, len(FILE))]
        expect(connection.call("PUT", f"/files/up-{self.ident}", self.token, body=body), 201, 204)

    def events(self, connection):
        told = expect(connection.call("GET", "/any/events", self.token), 200)
        if told.body.count(b"data: ") != EVENTS:
            raise Unexpected(f"these events came: {told.body!r}")

    def many(self, connection):
        if not hasattr(connection, "start"):
            connection.send(connection.head("GET", "/any/p", self.token) * 5)
            for _ in range(5):
                expect(connection.reader.response(), 200)
            return
        streams = [connection.start("GET", "/any/m", self.token) for _ in range(20)]
        for stream in streams[::4]:
            if stream not in connection.ended:
                connection.h2.reset_stream(stream, 8)
        connection.flush()
        for stream in set(streams) - set(streams[::4]):
            expect(connection.response(stream), 200)

    # What has a connection of its own, or several

    def websocket(self):
        if self.chance.random() < 0.5:
            socket = Http1WebSocket(self.open("http/1.1"), "/ws/a", self.token)
        else:
            socket = Http2WebSocket(self.open("h2"), "/ws/a", self.token).accepted()
        for size in (1, 200, 70_000, self.chance.randrange(MEBIBYTE)):
            message = self.chance.randbytes(size)
            socket.send(message)
            if socket.recv() != message:
                raise Unexpected("another message came back")
        if self.chance.random() < 0.7:
            socket.close()

    def grpc_stream(self):
        credentials = grpc.ssl_channel_credentials(
            self.world.servers.file.read_bytes(),
            self.world.agent.key_file.read_bytes(),
            self.world.agent.chain_file.read_bytes(),
        )
        messages = [self.chance.randbytes(self.chance.randrange(20_000)) for _ in range(20)]
        options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]
        with grpc.secure_channel(f"localhost:{self.gateway.port}", credentials, options) as channel:
            bearer = [("authorization", f"Bearer {self.token}")]
            call = channel.stream_stream("/test.Any/Echo")(iter(messages), PATIENCE, bearer)
            if self.chance.random() < 0.3:
                next(call)
                call.cancel()
            elif list(call) != messages:
                raise Unexpected("other messages came back")

    def left_early(self):
        """Gone in the middle of an answer."""
        connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        target = self.chance.choice(["/any/events", "/files/big"])
        if not hasattr(connection, "start"):
            connection.send(connection.head("GET", target, self.token))
            connection.reader.line()
            return
        stream = connection.start("GET", target, self.token)
        while stream not in connection.responses and stream not in connection.ended:
            connection.pump()
        if self.chance.random() < 0.5 and stream not in connection.ended:
            connection.h2.reset_stream(stream, 8)
            connection.flush()
            expect(connection.call("GET", "/any/after", self.token), 200)

    def abandoned(self):
        """Gone in the middle of a request."""
        connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        if not hasattr(connection, "start"):
            head = connection.head("POST", "/any/cut", self.token, [("Content-Length", "100000")])
            connection.send(head.encode() + bytes(self.chance.randrange(99_999)))
        else:
            stream = connection.start("POST", "/any/cut", self.token, end=False)
            connection.send_data(stream, bytes(self.chance.randrange(99_999)), end=False)

    def garbage(self):
        connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        connection.send(self.chance.randbytes(200))
        if not connection.is_closed() and not hasattr(connection, "start"):
            connection.reader.stream.read()  # the answer, and then the end

    def no_handshake(self):
        plain = self.client.tcp()
        plain.sendall(self.chance.choice([b"", b"\x16\x03\x01", self.chance.randbytes(300)]))

    def no_certificate(self):
        refusal = Client(self.gateway.port, self.world.servers.file)
        if not refusal.refusal(None):
            raise Unexpected("a client without a certificate was let in")
        refusal.close()

    def in_and_out(self):
        for _ in range(5):
            self.open(self.chance.choice(["http/1.1", "h2"]), self.chance.choice(["agent", "other"])).close()


CALLS = [
    *[Caller.certificate_bound] * 6,
    *[Caller.key_bound] * 4,
    *[Caller.refused] * 3,
    *[Caller.many] * 2,
    Caller.scoped,
    Caller.replayed,
    Caller.forged,
    Caller.upload,
    Caller.download_of_file,
    Caller.upload_of_file,
    Caller.events,
]
ALONE = [
    *[Caller.websocket] * 2,
    Caller.grpc_stream,
    Caller.left_early,
    Caller.abandoned,
    Caller.garbage,
    Caller.no_handshake,
    Caller.no_certificate,
    Caller.in_and_out,
]


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
