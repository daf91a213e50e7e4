"""The latency of a well-behaved client, alone and beside clients that are not; `Benchmarks/siege` runs it.

The gateway has one worker on core 0; everything else has core 1: the attackers, in a process of low priority, the
upstream, an nginx, and the healthy client. That makes calls over one connection that it keeps, and now and then one over
a new connection, handshake included. Each attack's time follows at once upon a time without it, and its ratios are to
that one.
"""

import argparse
import asyncio
import contextlib
import math
import multiprocessing
import os
import socket
import ssl
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hpack import Encoder
from hyperframe.frame import HeadersFrame, RstStreamFrame, SettingsFrame

from clients import Client, tls_context
from compare import LOAD_CORE, PROXY_CORE, nginx, on_core
from gateway import BINARY, Gateway
from ports import free_port
from upstreams import wait_for_port
from wire import PATIENCE, Closed
from world import World, route

SLOW, BYTE_EVERY = 200, 0.25  # clients, and the seconds between two bytes of one
RESETS, OF_A_CONNECTION = 10_000, 250
SILENT, FLOOD, IDLE = 1500, 12_000, 1000  # connections without a handshake, and with one
OPENING = 30  # seconds for all of an attack's connections to be there
FRESH_EVERY = 0.1  # seconds between two calls over new connections
MEBIBYTE = 1 << 20


# The attackers, in a process of their own


@dataclass
class Target:
    """What an attack needs to know."""

    port: int
    token: str
    authority_file: Path
    agent: object

    def context(self, protocol="http/1.1") -> ssl.SSLContext:
        return tls_context(self.authority_file, self.agent, (protocol,))

    def head(self, method: str, target: str, *fields: str) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: localhost:{self.port}", f"Authorization: Bearer {self.token}"]
        return "\r\n".join([*lines, *fields, "", ""]).encode()


class Attack:
    """So many connections, each opened again when it ends."""

    count = SLOW
    pause = 0.1  # seconds before a connection is opened again

    def __init__(self, target: Target, done):
        self.target, self.done = target, done
        self.tls = target.context()

    async def run(self, ready) -> None:
        self.opened = 0
        tasks = [asyncio.create_task(self.again()) for _ in range(self.count)]
        ends = time.monotonic() + OPENING
        while self.opened < self.count and time.monotonic() < ends:
            await asyncio.sleep(0.05)
        ready.set()
        await asyncio.gather(*tasks)

    async def again(self) -> None:
        while True:
            with contextlib.suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
                reader, writer = await self.open()
                self.opened += 1
                try:
                    await self.attack(reader, writer)
                finally:
                    writer.transport.abort()
            await asyncio.sleep(self.pause)

    async def open(self):
        plain = socket.socket()
        plain.setblocking(False)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", self.target.port))
        return await asyncio.open_connection(sock=plain, ssl=self.tls, server_hostname="localhost", limit=1024)

    def tell(self) -> None:
        with self.done.get_lock():
            self.done.value += 1

    async def drip(self, writer, data: bytes) -> None:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            self.tell()
            await asyncio.sleep(BYTE_EVERY)


class SlowHeads(Attack):
    async def attack(self, reader, writer) -> None:
        await self.drip(writer, self.target.head("GET", "/data"))


class SlowBodies(Attack):
    async def attack(self, reader, writer) -> None:
        writer.write(self.target.head("PUT", f"/files/{id(writer)}", f"Content-Length: {MEBIBYTE}"))
        await self.drip(writer, bytes(MEBIBYTE))


class SlowReaders(Attack):
    async def attack(self, reader, writer) -> None:
        writer.write(self.target.head("GET", "/files/big"))
        while await reader.read(256):
            self.tell()
            await asyncio.sleep(BYTE_EVERY)


class Silent(Attack):
    """No handshake ever begins."""

    count, pause = SILENT, 1

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.target.port)

    async def attack(self, reader, writer) -> None:
        self.tell()
        await reader.read(1)


class Flood(Silent):
    """More of them than the gateway has places."""

    count = FLOOD


class Idle(Attack):
    """Only a handshake, and then silence."""

    count = IDLE

    async def attack(self, reader, writer) -> None:
        self.tell()
        await reader.read(1)


class Resets(Attack):
    """As many streams as can be, each reset as soon as it is opened, over one connection after the other."""

    count = 0

    async def run(self, ready) -> None:
        client = Client(self.target.port, self.target.authority_file)
        context = self.target.context("h2")
        frames = self.frames()
        ready.set()
        while True:
            with contextlib.suppress(OSError, ssl.SSLError):
                connection = client.tls(context=context)
                for number, pair in enumerate(frames):
                    connection.sendall(pair)
                    if number:
                        self.tell()
                while connection.recv(1 << 16):
                    pass
            client.close()

    def frames(self) -> list[bytes]:
        """What one connection sends: a preface that waits for no answer, then pairs of frames."""
        encoder, made = Encoder(), [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SettingsFrame(0).serialize()]
        fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", f"localhost:{self.target.port}"),
            (":path", "/data"),
            ("authorization", f"Bearer {self.target.token}"),
        ]
        for stream in range(1, 2 * OF_A_CONNECTION, 2):
            head = HeadersFrame(stream, encoder.encode(fields), flags=["END_HEADERS", "END_STREAM"])
            made.append(head.serialize() + RstStreamFrame(stream, 8).serialize())
        return made


def attack(kind: type[Attack], target: Target, ready, done) -> None:
    os.sched_setaffinity(0, {int(LOAD_CORE)})
    os.nice(10)
    asyncio.run(kind(target, done).run(ready))


ATTACKS = {
    f"{SLOW} slow heads": SlowHeads,
    f"{SLOW} slow bodies": SlowBodies,
    f"{SLOW} slow readers": SlowReaders,
    "rapid resets": Resets,
    f"{SILENT} without a handshake": Silent,
    f"{FLOOD} without a handshake": Flood,
    f"{IDLE} idle": Idle,
}


@contextlib.contextmanager
def under(kind: type[Attack], target: Target):
    """Attacks until it is left; gives the count of what was done."""
    context = multiprocessing.get_context("fork")
    ready, done = context.Event(), context.Value("q", 0)
    process = context.Process(target=attack, args=(kind, target, ready, done), daemon=True)
    process.start()
    try:
        assert ready.wait(OPENING + PATIENCE), "the attack did not begin"
        yield done
    finally:
        process.kill()
        process.join()


# The healthy client


@dataclass
class Latencies:
    """Seconds of calls over the connection that is kept, and over new ones; and the calls that failed."""

    kept: list[float]
    fresh: list[float]
    failures: int
    refusals: int

    @property
    def figures(self) -> list[float]:
        return [
            statistics.median(self.kept),
            percentile_99(self.kept),
            max(self.kept),
            statistics.median(self.fresh) if self.fresh else math.nan,
        ]


def percentile_99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


class Healthy:
    def __init__(self, target: Target):
        self.target = target
        self.client = Client(target.port, target.authority_file)
        self.context = target.context()

    def call(self, connection) -> float:
        began = time.perf_counter()
        assert connection.call("GET", "/data", self.target.token).status == 200
        return time.perf_counter() - began

    def fresh(self) -> float:
        began = time.perf_counter()
        connection = self.client.http1(context=self.context)
        self.call(connection)
        connection.close()
        return time.perf_counter() - began

    def measure(self, seconds: float) -> Latencies:
        told = Latencies([], [], 0, 0)
        connection = None
        now = time.monotonic()
        ends, next_fresh = now + seconds, now
        while (now := time.monotonic()) < ends:
            try:
                if connection is None:
                    connection = self.client.http1(context=self.context)
                told.kept.append(self.call(connection))
            except (OSError, Closed):
                told.failures += 1
                connection = None
            if now >= next_fresh:
                next_fresh = now + FRESH_EVERY
                try:
                    told.fresh.append(self.fresh())
                except (OSError, Closed):
                    told.refusals += 1
            time.sleep(0.002)
        self.client.close()
        return told


@dataclass
class Round:
    """What a client saw without an attack and beside it."""

    alone: Latencies
    beside: Latencies

    @property
    def ratios(self) -> list[float]:
        return [there / here for here, there in zip(self.alone.figures, self.beside.figures, strict=True)]

    @property
    def refused(self) -> float:
        """The share of the new connections that were refused."""
        return self.beside.refusals / (len(self.beside.fresh) + self.beside.refusals)


def besiege(name: str, target: Target, seconds: float, gateway) -> Round:
    healthy = Healthy(target)
    alone = healthy.measure(seconds / 2)
    assert not alone.failures and not alone.refusals, "calls failed without an attack"
    with under(ATTACKS[name], target) as done:
        before, began = done.value, time.monotonic()
        told = Round(alone, healthy.measure(seconds))
        while ATTACKS[name] is Resets and done.value - before < RESETS:
            assert time.monotonic() - began < seconds + PATIENCE, "too few resets"
            time.sleep(0.1)
        count, took = done.value - before, time.monotonic() - began
    for _ in range(PATIENCE * 10):
        assert gateway.poll() is None, "the gateway ended"
        if len(os.listdir(f"/proc/{gateway.pid}/fd")) < 100:
            break
        time.sleep(0.1)
    beside = told.beside
    print(
        f"{name}: {cells(beside.figures, told.ratios)}; {beside.failures} of {len(beside.kept)} failed, "
        f"{told.refused * 100:.0f} % of new ones; {count} bytes, resets or connections in {took:.0f} s",
        flush=True,
    )
    return told


def cells(values: list[float], ratios: list[float]) -> str:
    return " | ".join(f"{value * 1000:.2f} ms | {ratio:.2f}" for value, ratio in zip(values, ratios, strict=True))


def medians(rows) -> list[float]:
    return [statistics.median(column) for column in zip(*rows, strict=True)]


def start_upstream(directory: Path, port: int):
    process = nginx(
        directory,
        LOAD_CORE,
        port,
        f"""
        client_max_body_size 0;
        server {{
          listen 127.0.0.1:{port} backlog=4096;
          location /files/ {{ root {directory}; dav_methods PUT; }}
          location / {{ default_type text/plain; return 200 "{"x" * 100}"; }}
        }}""",
    )
    files = directory / "files"
    files.mkdir()
    files.chmod(0o777)  # the workers of an nginx that root starts are nobody
    (files / "big").write_bytes(bytes(8 * MEBIBYTE))
    return process


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    assert os.cpu_count() >= 2, "the method takes two cores"

    results = {name: [] for name in ATTACKS}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        world = World(directory)
        directory.chmod(0o755)

        def keep(process):
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.terminate)
            return process

        port = free_port()
        keep(start_upstream(directory / "upstream", port))
        folder = directory / "gateway"
        folder.mkdir()
        routes = [route("data", "/data"), route("files", "/files/{name}")]
        gateway = Gateway(folder, world.configuration(f"http://127.0.0.1:{port}", routes, workers=1))
        process = keep(on_core(PROXY_CORE, BINARY, "run", "--config", gateway.file, stderr=gateway.log.open("wb")))
        wait_for_port(gateway.port, process)
        os.sched_setaffinity(0, {int(LOAD_CORE)})
        issued = int(world.broker.claims(world.agent)["iat"])
        token = world.broker.token(world.agent, exp=issued + 3500)
        target = Target(gateway.port, token, world.servers.file, world.agent)
        for _ in range(options.rounds):
            for name in ATTACKS:
                results[name].append(besiege(name, target, options.seconds, process))

    alone = medians(one.alone.figures for rounds in results.values() for one in rounds)
    print("\n| beside | median | ratio | p99 | ratio | longest | ratio ", end="")
    print("| new connection | ratio | failed | new ones refused |")
    print("|---|" + "---:|" * 10)
    print(f"| nobody | {cells(alone, [1] * len(alone))} | 0 | 0 % |")
    for name, rounds in results.items():
        row = cells(medians(one.beside.figures for one in rounds), medians(one.ratios for one in rounds))
        failures, refused = sum(one.beside.failures for one in rounds), statistics.median(one.refused for one in rounds)
        print(f"| {name} | {row} | {failures} | {refused * 100:.0f} % |")


if __name__ == "__main__":
    sys.exit(main())
