"""Measures the CPU time of a handshake, in full and resumed, with a client certificate; `Benchmarks/handshakes` runs it.

One worker on core 0, the client on core 1. Each connection is opened, its handshake done, and closed; full and resumed
handshakes take turns. The time is that of all threads of the gateway, from /proc/PID/task/*/schedstat.
"""

import os
import ssl
import statistics
import sys
import tempfile
from pathlib import Path

from clients import Client, tls_context
from gateway import Gateway, listener
from ports import free_port
from upstreams import Upstream
from world import World


def cpu_time(process: int) -> int:
    """Nanoseconds on a core of all threads."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def connect(client: Client, context: ssl.SSLContext, session) -> ssl.SSLSocket:
    connection = context.wrap_socket(client.tcp(), server_hostname="localhost", session=session)
    client.opened.clear()
    return connection


def ticket(client: Client, context: ssl.SSLContext) -> ssl.SSLSession:
    """A session with its ticket, which in TLS 1.3 comes with the first bytes that are read."""
    with connect(client, context, None) as connection:
        connection.sendall(f"GET / HTTP/1.1\r\nHost: localhost:{client.port}\r\n\r\n".encode())
        connection.recv(1 << 16)
        return connection.session


def cost(process: int, client: Client, context: ssl.SSLContext, session, count: int) -> float:
    """Microseconds of a connection, the mean of `count`."""
    before = cpu_time(process)
    for _ in range(count):
        connection = connect(client, context, session)
        assert connection.session_reused == (session is not None)
        # The gateway's answer to close_notify is awaited: the connection is over on both sides.
        connection.unwrap().close()
    return (cpu_time(process) - before) / count / 1000


def measure(world: World, gateway: Gateway, version: ssl.TLSVersion, count: int, rounds: int) -> tuple[float, float, float]:
    """The medians of full and resumed handshakes, in microseconds, and of the rounds' ratios."""
    process, client = gateway.process.pid, Client(gateway.port, world.servers.file)
    context = tls_context(world.servers.file, world.agent, version=version)
    full, resumed = [], []
    for _ in range(rounds):
        full.append(cost(process, client, context, None, count))
        resumed.append(cost(process, client, context, ticket(client, context), count))
    ratios = [after / before for before, after in zip(full, resumed, strict=True)]
    return statistics.median(full), statistics.median(resumed), statistics.median(ratios)


def main() -> None:
    count, rounds = (int(argument) for argument in (sys.argv[1:] + ["200", "15"][len(sys.argv) - 1 :])[:2])
    with tempfile.TemporaryDirectory() as directory:
        world, upstream = World(Path(directory)), Upstream()
        made = listener(free_port(), world.server, world.trust)
        made["tls"]["minimum_version"] = "1.2"
        folder = Path(directory) / "gateway"
        folder.mkdir()
        gateway = Gateway(folder, world.configuration(upstream.url, listeners=[made], workers=1)).start()
        try:
            for task in Path(f"/proc/{gateway.process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {0})
            os.sched_setaffinity(0, {1})
            print("| | full | resumed | ratio |\n|---|---:|---:|---:|")
            for name, version in [("TLS 1.2", ssl.TLSVersion.TLSv1_2), ("TLS 1.3", ssl.TLSVersion.TLSv1_3)]:
                full, resumed, ratio = measure(world, gateway, version, count, rounds)
                print(f"| {name} | {full:.0f} µs | {resumed:.0f} µs | {ratio:.2f} |", flush=True)
        finally:
            gateway.stop()
            upstream.close()


if __name__ == "__main__":
    main()
