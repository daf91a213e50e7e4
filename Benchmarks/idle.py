"""Memory of idle mutual-TLS connections in Sallyport and in nginx; `Benchmarks/idle` runs it.

Each peer is started anew for each figure, with one worker, and serves a few connections first. Then connection after
connection is opened, makes one call, and stays. A figure is the growth of the process's resident memory
(/proc/PID/smaps_rollup) by the connections' number. What the kernel holds for a socket is not in it, and is the same
for both.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from clients import Client, tls_context
from compare import PROTOCOLS, PROXY_CORE, nginx, on_core, start_upstream, version
from gateway import BINARY, Gateway
from ports import free_port
from upstreams import wait_for_port
from wire import PATIENCE
from world import World, route

FIRST = 50  # connections that come and go before the count begins
PEERS = ("nginx", "Sallyport")


def resident(process: subprocess.Popen) -> int:
    """Bytes of all the process's pages that are in memory."""
    for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no resident memory")


def start_nginx(world: World, directory: Path, upstream_port: int) -> tuple[subprocess.Popen, int]:
    port = free_port()
    return nginx(
        directory,
        PROXY_CORE,
        port,
        f"""
        upstream service {{ server 127.0.0.1:{upstream_port}; keepalive 512; keepalive_requests 100000000; }}
        server {{
          listen 127.0.0.1:{port} ssl http2 backlog=4096; keepalive_timeout 600s;
          ssl_certificate {world.server.chain_file}; ssl_certificate_key {world.server.key_file};
          ssl_client_certificate {world.agents.file}; ssl_verify_client on; ssl_protocols TLSv1.3;
          location / {{
            proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header X-Client $ssl_client_fingerprint;
          }}
        }}""",
        connections=16384,
    ), port


def start_sallyport(world: World, directory: Path, upstream_port: int) -> tuple[subprocess.Popen, int]:
    data = route("data", "/data", scope="read:data:*")
    configuration = world.configuration(
        f"http://127.0.0.1:{upstream_port}", [data], workers=1, timeouts={"idle": "10m"}
    )
    directory.mkdir()
    gateway = Gateway(directory, configuration)
    process = on_core(PROXY_CORE, BINARY, "run", "--config", gateway.file, stderr=gateway.log.open("wb"))
    wait_for_port(gateway.port, process)
    return process, gateway.port


def open_all(world: World, port: int, protocol: str, token: str, count: int) -> list[Client]:
    """So many connections, each after one call."""
    name = "h2" if protocol == "HTTP/2" else "http/1.1"
    context = tls_context(world.servers.file, world.agent, (name,))
    client = Client(port, world.servers.file)
    for _ in range(count):
        assert client.open(name, context=context).call("GET", "/data", token).status == 200
    return client


def measure(
    world: World, peer: str, protocol: str, directory: Path, upstream_port: int, count: int
) -> tuple[float, float]:
    """Bytes that a connection costs while it is there, and that are still held when all are closed."""
    token = world.broker.token(
        world.agent, scope="read:data:*", exp=int(world.broker.claims(world.agent)["iat"]) + 3500
    )
    start = start_nginx if peer == "nginx" else start_sallyport
    process, port = start(world, directory, upstream_port)
    try:
        open_all(world, port, protocol, token, FIRST).close()
        time.sleep(1)
        before = resident(process)
        client = open_all(world, port, protocol, token, count)
        time.sleep(1)
        during = resident(process)
        assert len(os.listdir(f"/proc/{process.pid}/fd")) > count, "connections were closed meanwhile"
        client.close()
        time.sleep(3)
        assert len(os.listdir(f"/proc/{process.pid}/fd")) < FIRST, "connections were not closed"
        return (during - before) / count, (resident(process) - before) / count
    finally:
        process.terminate()
        process.wait(PATIENCE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()

    figures = {(peer, protocol): [] for protocol in PROTOCOLS for peer in PEERS}
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        world = World(directory)
        directory.chmod(0o755)
        upstream_port = free_port()
        upstream = start_upstream(directory / "upstream", upstream_port)
        stack.callback(upstream.wait, PATIENCE)
        stack.callback(upstream.terminate)
        for number in range(options.rounds):
            for peer, protocol in figures:
                folder = directory / f"{peer}-{protocol.replace('/', '-')}-{number}"
                held = measure(world, peer, protocol, folder, upstream_port, options.connections)
                figures[peer, protocol].append(held)
                print(f"{peer:10} {protocol:8} {held[0]:8.0f} bytes, {held[1]:6.0f} after all are closed", flush=True)

    print("\n| | HTTP/1.1 | to nginx | when closed | HTTP/2 | to nginx | when closed |")
    print("|---|" + "---:|" * 6)
    for peer in PEERS:
        row = f"| {peer}{' ' + version('nginx', '-v') if peer == 'nginx' else ''} |"
        for protocol in PROTOCOLS:
            mine, base = figures[peer, protocol], figures["nginx", protocol]
            ratio = statistics.median(one[0] / other[0] for one, other in zip(mine, base, strict=True))
            open_bytes, closed_bytes = (statistics.median(column) for column in zip(*mine, strict=True))
            row += f" {open_bytes / 1024:.1f} KiB | {ratio:.2f} | {closed_bytes / 1024:.1f} KiB |"
        print(row)


if __name__ == "__main__":
    sys.exit(main())
