"""Measures CPU time per request of Sallyport and its peers; `Benchmarks/compare` runs it.

Each proxy has one worker on core 0; the load and the upstream, an nginx that answers 100 bytes, have core 1. The peers
take turns within a round, so that a change of the machine's mood meets all of them. A figure is the CPU time of the
proxy's process, all its threads together, divided by the answers of 2xx.
"""

import argparse
import contextlib
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from clients import Client
from gateway import BINARY, Gateway
from ports import free_port
from upstreams import wait_for_port
from wire import PATIENCE
from world import World, route

CHECKOUT = Path(__file__).resolve().parents[1]
PRELOAD = CHECKOUT / ".build/benchmarks/client_certificate.so"
REPORT = CHECKOUT / "docs/performance.md"
BEGIN, END = "<!-- Benchmarks/compare writes from here -->", "<!-- to here -->"
PROXY_CORE, LOAD_CORE = "0", "1"
TICKS = os.sysconf("SC_CLK_TCK")
PROTOCOLS = ("HTTP/1.1", "HTTP/2")
PATHS = "client_body_temp_path {0}/b; proxy_temp_path {0}/p; fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;"


@dataclass
class Peer:
    name: str
    checks: str
    port: int
    process: subprocess.Popen
    costs: dict[str, list[float]] = field(default_factory=lambda: {protocol: [] for protocol in PROTOCOLS})

    def cpu_seconds(self) -> float:
        """User and system time of the process with all its threads (proc(5), fields 14 and 15)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def on_core(core: str, *command, **options) -> subprocess.Popen:
    return subprocess.Popen(["taskset", "--cpu-list", core, *map(str, command)], **options)


def nginx(directory: Path, core: str, port: int, servers: str, connections=4096) -> subprocess.Popen:
    directory.mkdir()
    file = directory / "nginx.conf"
    file.write_text(
        f"daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log warn;\n"
        f"events {{ worker_connections {connections}; }}\n"
        f"http {{ access_log off; keepalive_requests 100000000; {PATHS.format(directory)}\n{servers} }}\n"
    )
    process = on_core(core, shutil.which("nginx") or "/usr/sbin/nginx", "-c", file, "-e", directory / "error.log")
    wait_for_port(port, process)
    return process


def start_upstream(directory: Path, port: int) -> subprocess.Popen:
    answer = f'location / {{ default_type text/plain; return 200 "{"x" * 100}"; }}'
    return nginx(directory, LOAD_CORE, port, f"server {{ listen 127.0.0.1:{port} backlog=4096; {answer} }}")


def start_nginx(world: World, upstream_port: int) -> Peer:
    port = free_port()
    process = nginx(
        world.directory / "nginx",
        PROXY_CORE,
        port,
        f"""
        upstream service {{ server 127.0.0.1:{upstream_port}; keepalive 512; keepalive_requests 100000000; }}
        server {{
          listen 127.0.0.1:{port} ssl http2 backlog=4096;
          ssl_certificate {world.server.chain_file}; ssl_certificate_key {world.server.key_file};
          ssl_client_certificate {world.agents.file}; ssl_verify_client on; ssl_protocols TLSv1.3;
          location / {{
            proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header X-Client $ssl_client_fingerprint;
          }}
        }}""",
    )
    return Peer(f"nginx {version('nginx', '-v')}", "mutual TLS, no token", port, process)


def start_haproxy(world: World, upstream_port: int) -> Peer | None:
    if not shutil.which("haproxy"):
        print("HAProxy is not installed: its row is left out (apt install haproxy)")
        return None
    port, file, pem = free_port(), world.directory / "haproxy.cfg", world.directory / "haproxy.pem"
    pem.write_bytes(world.server.chain_file.read_bytes() + world.server.key_file.read_bytes())
    file.write_text(f"""
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend agents
  bind 127.0.0.1:{port} ssl crt {pem} ca-file {world.agents.file} verify required alpn h2,http/1.1 ssl-min-ver TLSv1.3
  default_backend service
backend service
  http-reuse always
  server one 127.0.0.1:{upstream_port}
""")
    process = on_core(PROXY_CORE, "haproxy", "-f", file)
    wait_for_port(port, process)
    return Peer(f"HAProxy {version('haproxy', '-v')}", "mutual TLS, no token", port, process)


def start_sallyport(world: World, upstream_port: int) -> Peer:
    data = route("data", "/data", scope="read:data:*")
    configuration = world.configuration(f"http://127.0.0.1:{upstream_port}", [data], workers=1)
    directory = world.directory / "sallyport"
    directory.mkdir()
    gateway = Gateway(directory, configuration)
    process = on_core(PROXY_CORE, BINARY, "run", "--config", gateway.file, stderr=gateway.log.open("wb"))
    wait_for_port(gateway.port, process)
    checks = "mutual TLS, X509-SVID, ES256 token, binding, scope, audit"
    return Peer("Sallyport", checks, gateway.port, process)


def version(program: str, option: str) -> str:
    path = shutil.which(program) or f"/usr/sbin/{program}"
    told = subprocess.run([path, option], capture_output=True, text=True, check=True)
    return re.search(r"[0-9]+(\.[0-9]+)+", told.stdout + told.stderr)[0]


class Load:
    """wrk for HTTP/1.1 and h2load for HTTP/2, with an agent's certificate and token."""

    def __init__(self, world: World, seconds: int):
        self.seconds = seconds
        self.token = world.broker.token(
            world.agent, scope="read:data:*", exp=int(world.broker.claims(world.agent)["iat"]) + 3500
        )
        self.environment = {
            **os.environ,
            "LD_PRELOAD": str(PRELOAD),
            "BENCH_CERTIFICATE": str(world.agent.chain_file),
            "BENCH_KEY": str(world.agent.key_file),
        }

    def run(self, protocol: str, port: int) -> int:
        """Drives one proxy for a while and gives the number of answers of 2xx."""
        url, header = f"https://localhost:{port}/data", f"Authorization: Bearer {self.token}"
        if protocol == "HTTP/1.1":
            told = self._tell("wrk", "-t1", "-c32", f"-d{self.seconds}s", "-H", header, url)
            answers = int(re.search(r"(\d+) requests in", told)[1])
            refused = re.search(r"Non-2xx or 3xx responses: (\d+)", told)
            assert not refused, told
            return answers
        told = self._tell("h2load", "-t1", "-c16", "-m8", f"-D{self.seconds}", "-H", header, url)
        codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", told)
        assert codes and int(codes[1]) and not any(map(int, codes.groups()[1:])), told
        return int(codes[1])

    def _tell(self, *command: str) -> str:
        with on_core(LOAD_CORE, *command, env=self.environment, stdout=subprocess.PIPE, text=True) as process:
            return process.communicate(timeout=self.seconds + 3 * PATIENCE)[0]


def measure(peers: list[Peer], load: Load, rounds: int) -> None:
    for number in range(rounds + 1):
        for protocol in PROTOCOLS:
            for peer in peers:
                before = peer.cpu_seconds()
                answers = load.run(protocol, peer.port)
                cost = (peer.cpu_seconds() - before) / answers * 1e6
                if number:  # the first round warms up
                    peer.costs[protocol].append(cost)
                name = f"round {number}" if number else "warm-up"
                print(f"{name}: {protocol:8} {peer.name:16} {cost:6.1f} µs, {answers} answers", flush=True)


def table(peers: list[Peer]) -> str:
    lines = ["| | checks | HTTP/1.1 | to nginx | HTTP/2 | to nginx |", "|---|---|---:|---:|---:|---:|"]
    for peer in peers:
        cells = []
        for protocol in PROTOCOLS:
            ratios = [mine / base for mine, base in zip(peer.costs[protocol], peers[0].costs[protocol], strict=True)]
            cells += [f"{statistics.median(peer.costs[protocol]):.1f} µs", f"{statistics.median(ratios):.2f}"]
        lines.append(f"| {peer.name} | {peer.checks} | {' | '.join(cells)} |")
    return "\n".join(lines)


def machine() -> str:
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    openssl = subprocess.run(["openssl", "version"], capture_output=True, text=True, check=True).stdout.split()[1]
    release = platform.freedesktop_os_release()["PRETTY_NAME"]
    return (
        f"{processor[1] if processor else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"{release}, OpenSSL {openssl}, wrk with 32 connections, h2load with 16 connections of 8 streams"
    )


def write(text: str) -> None:
    document = REPORT.read_text()
    head, _, rest = document.partition(BEGIN)
    _, _, tail = rest.partition(END)
    assert tail, f"{REPORT} has lost its marks"
    REPORT.write_text(f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    assert os.cpu_count() >= 2, "the method takes two cores"

    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        world = World(Path(directory))
        world.directory.chmod(0o755)

        def keep(process: subprocess.Popen) -> None:
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.terminate)

        upstream_port = free_port()
        keep(start_upstream(world.directory / "upstream", upstream_port))
        peers = []
        for start in (start_nginx, start_haproxy, start_sallyport):
            if peer := start(world, upstream_port):
                peers.append(peer)
                keep(peer.process)
        load = Load(world, options.seconds)
        client = Client(peers[-1].port, world.servers.file)
        assert client.http1(world.agent).call("GET", "/data").status == 401, "Sallyport checks nothing"
        client.close()
        measure(peers, load, options.rounds)

    text = (
        f"{table(peers)}\n\nMedians of {options.rounds} rounds of {options.seconds} s, each peer in turn; a ratio is the "
        f"median of the rounds' ratios. {machine()}."
    )
    print(f"\n{text}")
    if not options.no_write:
        write(text)


if __name__ == "__main__":
    main()
