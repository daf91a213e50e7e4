"""The time from a revocation's POST to its enforcement; `Benchmarks/revocation` runs it.

In each round an operator revokes a token, or an agent, that two callers use at that moment, one over HTTP/1.1 and one over
HTTP/2, each in a process of its own. Of a token they tell when the last call that was allowed began, of an agent when
its connection was closed. Half of the rounds are made while wrk and h2load drive the same gateway as hard as they can. What
the disk alone takes is measured beside it: no revocation is answered before it is synced.
"""

import argparse
import collections
import contextlib
import multiprocessing
import os
import secrets
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from admin import ADMIN, Admin
from clients import Client
from compare import PROTOCOLS, Load, machine, start_upstream
from credentials import ISSUER, Identity
from gateway import Gateway
from ports import free_port
from wire import PATIENCE
from world import World, route

LOAD_SECONDS = 5
NAMES = {"HTTP/1.1": "http/1.1", "HTTP/2": "h2"}


# The callers, each in a process of its own


@dataclass
class Files:
    """What of an agent's identity a caller needs."""

    chain_file: Path
    key_file: Path


@dataclass
class Job:
    """Whom to be, and what will be revoked of it."""

    level: str
    files: Files
    token: str


def call(pipe, protocol: str, port: int, authority_file: Path) -> None:
    """Calls until it is refused, or closed, and tells when that was."""
    client = Client(port, authority_file)
    for job in iter(pipe.recv, None):
        connection = client.open(protocol, job.files)
        began = time.monotonic()
        assert connection.call("GET", "/data", job.token).status == 200
        pipe.send(None)
        if job.level == "agent":
            assert connection.is_closed()
            pipe.send(time.monotonic())
        else:
            pipe.send(last_allowed(connection, job.token, began))
        client.close()


def last_allowed(connection, token: str, began: float) -> float:
    """When the last call that was allowed began."""
    while True:
        next_one = time.monotonic()
        if connection.call("GET", "/data", token).status != 200:
            return began
        began = next_one


class Caller:
    def __init__(self, protocol: str, gateway: Gateway, world: World):
        self.pipe, other = multiprocessing.Pipe()
        arguments = (other, NAMES[protocol], gateway.port, world.servers.file)
        self.process = multiprocessing.Process(target=call, args=arguments, daemon=True)
        self.process.start()

    def hear(self):
        assert self.pipe.poll(PATIENCE), "a caller says nothing"
        return self.pipe.recv()

    def close(self) -> None:
        self.pipe.send(None)
        self.process.join(PATIENCE)


# The operator


class Trial:
    def __init__(self, world: World, gateway: Gateway):
        self.world, self.gateway = world, gateway
        self.operator = Admin(gateway)
        self.callers = {protocol: Caller(protocol, gateway, world) for protocol in PROTOCOLS}
        self.times = collections.defaultdict(list)  # (what, under load) → milliseconds
        self.faults = []

    def run(self, rounds: int, loaded: bool) -> None:
        for number in range(rounds):
            self.revoke(["token", "agent"][number % 2], loaded)

    def revoke(self, level: str, loaded: bool) -> None:
        agent: Identity = self.world.agents.agent(f"/agent/o/t/{secrets.token_hex(8)}")
        jti = secrets.token_urlsafe(16)
        job = Job(level, Files(agent.chain_file, agent.key_file), self.token(agent, jti))
        for caller in self.callers.values():
            caller.pipe.send(job)
        for caller in self.callers.values():
            caller.hear()
        time.sleep(0.01 + secrets.randbelow(10_000) / 1e6)
        self.note("4 KiB written and synced, alone", loaded, self.sync())
        posted = time.monotonic()
        if level == "token":
            self.operator.revoke("token", jti, issuer=ISSUER)
        else:
            self.operator.revoke("agent", agent.spiffe_id)
        answered = time.monotonic()
        self.note("answered", loaded, answered - posted)
        for protocol, caller in self.callers.items():
            told = caller.hear()
            if level == "token":
                self.note(f"last call allowed, {protocol}", loaded, max(told - posted, 0))
                if told > answered:
                    self.faults.append(f"a call over {protocol} was allowed that began behind the answer")
            else:
                self.note(f"connection closed, {protocol}", loaded, told - posted)

    def token(self, agent: Identity, jti: str) -> str:
        return self.world.broker.token(agent, scope="read:data:*", jti=jti)

    def sync(self) -> float:
        """How long the disk takes for one block."""
        began = time.monotonic()
        with (self.world.directory / "block").open("ab") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
        return time.monotonic() - began

    def note(self, what: str, loaded: bool, seconds: float) -> None:
        self.times[what, loaded].append(seconds * 1000)

    def close(self) -> None:
        self.operator.close()
        for caller in self.callers.values():
            caller.close()


class Traffic:
    """Healthy callers at full speed over both protocols, until it is closed."""

    def __init__(self, world: World, port: int):
        self.load, self.port = Load(world, LOAD_SECONDS), port
        self.over, self.answers = threading.Event(), collections.Counter()
        self.faults = []
        self.threads = [threading.Thread(target=self.drive, args=(protocol,)) for protocol in PROTOCOLS]
        for thread in self.threads:
            thread.start()
        self.began = time.monotonic()

    def drive(self, protocol: str) -> None:
        while not self.over.is_set():
            try:
                self.answers[protocol] += self.load.run(protocol, self.port)
            except AssertionError as fault:
                self.faults.append(f"a bystander was refused: {fault}")
                return

    def close(self) -> float:
        """Calls a second, of both together."""
        self.over.set()
        for thread in self.threads:
            thread.join(LOAD_SECONDS + 3 * PATIENCE)
        return self.answers.total() / (time.monotonic() - self.began)


def table(times: dict) -> str:
    lines = ["| from the POST to | alone: p50 | p99 | longest | under load: p50 | p99 | longest |"]
    lines.append("|---|---:|---:|---:|---:|---:|---:|")
    for what in dict.fromkeys(what for what, _ in times):
        cells = []
        for loaded in (False, True):
            series = sorted(times[what, loaded])
            cells += [f"{series[int(len(series) * share)]:.1f} ms" for share in (0.5, 0.99)]
            cells.append(f"{series[-1]:.1f} ms")
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="of each of the two halves")
    parser.add_argument("--bar", type=float, default=50, help="milliseconds that none may take longer than")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        world = World(Path(directory))
        world.directory.chmod(0o755)
        upstream_port = free_port()
        upstream = start_upstream(world.directory / "upstream", upstream_port)
        stack.callback(upstream.wait, PATIENCE)
        stack.callback(upstream.terminate)
        folder = world.directory / "gateway"
        folder.mkdir()
        data = route("data", "/data", scope="read:data:*")
        revocation = {"store": {"path": "state/revocations.db"}}
        configuration = world.configuration(
            f"http://127.0.0.1:{upstream_port}", [data], admin=ADMIN, revocation=revocation
        )
        gateway = Gateway(folder, configuration).start()
        trial = Trial(world, gateway)
        trial.run(options.rounds, loaded=False)
        traffic = Traffic(world, gateway.port)
        time.sleep(1)
        trial.run(options.rounds, loaded=True)
        speed = traffic.close()
        trial.close()
        code = gateway.stop()

    print(f"{table(trial.times)}\n\n{options.rounds} revocations each, the load {speed:.0f} calls a second. {machine()}.")
    longest = max(trial.times["answered", True])
    faults = trial.faults + traffic.faults + ([f"the gateway ended with {code}"] if code else [])
    if longest > options.bar:
        faults.append(f"{longest:.1f} ms is longer than {options.bar:.0f} ms")
    for fault, count in collections.Counter(faults).items():
        print(f"FAULT {count} × {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
