"""The audit log, read and checked by code that is not the gateway's."""

import contextlib
import hashlib
import json
import os
import re
import signal
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pytest

from clients import Client
from credentials import ISSUER
from gateway import Gateway, sallyport
from wire import PATIENCE, Closed

REQUEST_MEMBERS = {
    *("agent", "certificate", "event", "issuer", "listener", "method", "orchestration", "path", "peer", "possession"),
    *("prev", "request_id", "route", "scope", "seq", "sponsor", "task", "time", "token_id", "trace_id"),
}


def check_chain(lines: list[bytes]) -> None:
    """The chain by the contract alone: `prev` is the SHA-256 of the line before, `seq` counts from 1."""
    previous = "0" * 64
    for number, line in enumerate(lines, 1):
        record = json.loads(line)
        assert record["prev"] == previous
        assert record["seq"] == number
        previous = hashlib.sha256(line).hexdigest()


@pytest.fixture(scope="module")
def used(world, the_upstream, launch):
    """A gateway that has had calls of every kind, and the answers."""
    the_upstream.clear()
    gateway = launch(world.configuration(the_upstream.url))
    client = Client(gateway.port, world.servers.file)
    token = world.broker.token(world.agent, scope="read:orders:*", jti="token-of-this-test")
    answers = {}
    for protocol in ("http/1.1", "h2"):
        connection = client.open(protocol, world.agent)
        answers[protocol] = {
            "allowed": connection.call("GET", "/orders/42?secret=query", token, [("X-Private", "private-value")]),
            "body": connection.call("POST", "/any/a%20b", token, body=b"private-body"),
            "scope": connection.call("GET", "/orders/42", world.broker.token(world.agent, scope="read:orders:7")),
            "token": connection.call("GET", "/orders/42", world.broker.token(world.agent, exp=1)),
            "none": connection.call("GET", "/orders/42"),
            "route": connection.call("GET", "/nothing", token),
            "stolen": client.open(protocol, world.other).call("GET", "/orders/42", token),
        }
    assert client.refusal(None)
    client.close()
    for of_protocol in answers.values():
        for name, answer in of_protocol.items():
            gateway.record(answer.request_id, "request.completed" if name in ("allowed", "body") else "request.denied")
    gateway.wait(lambda: gateway.events("connection.refused"), "the refused connection's record")
    return gateway, answers, token


def test_the_chain_holds(used):
    check_chain(used[0].lines())


def test_a_record_is_one_canonical_line(used):
    for line in used[0].lines():
        record = json.loads(line, object_pairs_hook=lambda pairs: pairs)
        names = [name for name, _ in record]
        assert names == sorted(names)
        assert len(names) == len(set(names))
        assert json.dumps(dict(record), separators=(",", ":"), ensure_ascii=False).encode() == line


def test_events_and_times(used):
    records = used[0].records()
    events = [record["event"] for record in records]
    assert {"gateway.started", "connection.refused", "request.allowed", "request.denied", "request.completed"} <= set(
        events
    )
    for record in records:
        then = datetime.fromisoformat(record["time"])
        assert record["time"].endswith("Z")
        assert abs((datetime.now(timezone.utc) - then).total_seconds()) < 3600


def test_an_allowed_request_is_told_whole(used, world, protocol):
    gateway, answers, token = used
    record = gateway.record(answers[protocol]["allowed"].request_id, "request.allowed")
    assert REQUEST_MEMBERS <= set(record)
    assert record["agent"] == world.agent.spiffe_id
    assert record["issuer"] == ISSUER
    assert record["token_id"] == "token-of-this-test"
    assert (record["task"], record["orchestration"]) == ("task-1", "orchestration-1")
    assert record["sponsor"] == "someone@example.test"
    assert record["scope"] == "read:orders:*"
    assert record["certificate"] == world.agent.fingerprint
    assert (record["listener"], record["route"], record["method"]) == ("agents", "read-order", "GET")
    assert record["path"] == "/orders/42"
    assert record["peer"].startswith("127.0.0.1")
    assert "certificate" in record["possession"]
    assert re.fullmatch("[0-9a-f]{32}", record["trace_id"])


def test_the_completed_record_follows_the_allowed_one(used, protocol):
    gateway, answers, _ = used
    answer = answers[protocol]["body"]
    allowed = gateway.record(answer.request_id, "request.allowed")
    completed = gateway.record(answer.request_id, "request.completed")
    assert completed["seq"] > allowed["seq"]
    assert (completed["status"], completed["upstream"]) == (200, "service")
    assert completed["bytes_in"] == len(b"private-body")
    assert completed["request_sha256"] == hashlib.sha256(b"private-body").hexdigest()
    assert completed["response_sha256"] == hashlib.sha256(answer.body).hexdigest()
    assert completed["duration_us"] >= 0


@pytest.mark.parametrize("case", ["scope", "token", "none", "route", "stolen"])
def test_a_denied_request_is_told_with_its_reason(used, world, protocol, case):
    gateway, answers, _ = used
    answer = answers[protocol][case]
    record = gateway.record(answer.request_id, "request.denied")
    agent = world.other if case == "stolen" else world.agent
    assert record["reason"]
    assert record["certificate"] == agent.fingerprint
    assert not [r for r in gateway.events("request.allowed") if r["request_id"] == answer.request_id]


def test_reasons_differ_where_codes_do_not(used, protocol):
    gateway, answers, _ = used
    expired, stolen = (gateway.reason(answers[protocol][case]) for case in ("token", "stolen"))
    assert expired != stolen


def test_nothing_secret_is_on_record(used, world):
    gateway, _, token = used
    log = b"\n".join(gateway.lines()).decode() + gateway.said
    for secret in (token, *token.split("."), "secret=query", "secret", "private-value", "private-body"):
        assert secret not in log


def test_the_path_on_record_is_the_one_that_was_judged(used, protocol):
    gateway, answers, _ = used
    assert gateway.record(answers[protocol]["body"].request_id, "request.allowed")["path"] == "/any/a%20b"


@pytest.mark.parametrize("target", ["/any/%22", "/any/%5b%7b%c3%a9", "/any/'$(x)"])
def test_hostile_text_does_not_break_a_line(used, reach, world, protocol, target):
    gateway = used[0]
    token = world.broker.token(world.agent, jti='a"b\\c\x1f\u2028é', task_id="\U0001f600")
    told = reach(gateway).open(protocol, world.agent).call("GET", target, token)
    assert told.status in (200, 400, 401)
    gateway.record(told.request_id, "request.allowed" if told.status == 200 else "request.denied")
    check_chain(gateway.lines())


# `sallyport audit verify`


@pytest.fixture
def copy(used, tmp_path):
    """A copy of the log, to be tampered with."""
    directory = tmp_path / "audit"
    directory.mkdir()
    file = directory / "audit-000001.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in used[0].lines()))
    return file


def verify(file) -> subprocess.CompletedProcess:
    return sallyport("audit", "verify", str(file.parent))


def test_an_intact_log_is_intact(copy):
    told = verify(copy)
    assert told.returncode == 0, told.stderr
    assert str(len(copy.read_bytes().splitlines())) in told.stdout


def edit(old: bytes, new: bytes):
    return lambda lines: [*lines[:3], lines[3].replace(old, new), *lines[4:]]


TAMPERED = {
    "a changed value": edit(b'"event":"', b'"event":"x'),
    "a changed time": edit(b'Z"', b'1Z"'),
    "a space": edit(b'":"', b'": "'),
    "a changed number": edit(b'"seq":4', b'"seq":5'),
    "a removed line": lambda lines: [*lines[:3], *lines[4:]],
    "a removed first line": lambda lines: lines[1:],
    "two lines swapped": lambda lines: [*lines[:3], lines[4], lines[3], *lines[5:]],
    "a line twice": lambda lines: [*lines[:4], *lines[3:]],
    "an added line": lambda lines: [*lines[:4], lines[3].replace(b'"seq":4', b'"seq":5'), *lines[4:]],
    "an empty line": lambda lines: [*lines[:3], b"", *lines[3:]],
    "a line that is no JSON": lambda lines: [*lines[:3], b"garbage", *lines[4:]],
    "a last line without its end": lambda lines: [*lines[:-1], lines[-1][:-5]],
    "a changed last prev": lambda lines: [*lines[:-1], re.sub(rb'"prev":"....', b'"prev":"0000', lines[-1])],
}


@pytest.mark.parametrize("case", TAMPERED)
def test_tampering_is_found(copy, case):
    lines = copy.read_bytes().splitlines()
    copy.write_bytes(b"".join(line + b"\n" for line in TAMPERED[case](lines)))
    told = verify(copy)
    assert told.returncode == 1
    assert told.stdout or told.stderr


def test_the_first_bad_record_is_named(copy):
    lines = copy.read_bytes().splitlines()
    lines[4] = lines[4].replace(b'"time":"2', b'"time":"3')
    copy.write_bytes(b"".join(line + b"\n" for line in lines))
    told = verify(copy)
    assert told.returncode == 1
    assert re.search(r"\b[56]\b", told.stdout + told.stderr)


def test_a_log_that_cannot_be_read(tmp_path):
    assert sallyport("audit", "verify", str(tmp_path / "nowhere")).returncode == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert sallyport("audit", "verify", str(empty)).returncode == 2


# Over restarts


def test_the_chain_goes_on_after_a_restart(world, upstream, launch, reach):
    gateway = launch(world.configuration(upstream.url))
    token = world.broker.token(world.agent)
    for _ in range(3):
        answer = reach(gateway).http1(world.agent).call("GET", "/any/a", token)
        gateway.record(answer.request_id, "request.completed")
        assert gateway.stop() == 0
        check_chain(gateway.lines())
        assert gateway.records()[-1]["event"] == "gateway.stopped"
        gateway.start()
    gateway.wait(lambda: len(gateway.events("gateway.started")) == 4, "the record of the last start")
    check_chain(gateway.lines())
    assert verify(gateway.audit_directory / "x").returncode == 0


def test_a_gateway_that_was_killed_leaves_a_chain_that_goes_on(world, upstream, launch, reach):
    """At worst the last line is half written: what was whole stays, and the next start continues it."""
    gateway = launch(world.configuration(upstream.url))
    answer = reach(gateway).http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent))
    gateway.record(answer.request_id, "request.completed")
    gateway.process.kill()
    gateway.process.wait()
    gateway.start()
    check_chain(gateway.lines())
    assert verify(gateway.audit_directory / "x").returncode == 0


def test_a_half_written_last_line_does_not_stop_the_next_start_silently(world, upstream, launch):
    """A crash in the middle of a write: the gateway mends it, or refuses to start and says so; it never chains onto it."""
    gateway = launch(world.configuration(upstream.url))
    gateway.process.kill()
    gateway.process.wait()
    last = sorted(gateway.audit_directory.glob("audit-*.jsonl"))[-1]
    with last.open("ab") as log:
        log.write(b'{"event":"request.all')
    try:
        gateway.start()
    except AssertionError:
        assert gateway.process.wait() in (1, 2)
        assert "audit" in gateway.said
        last.write_bytes(last.read_bytes().rpartition(b"\n")[0] + b"\n")
        gateway.start()
    check_chain(gateway.lines())


def test_a_tampered_log_is_not_continued_in_silence(world, upstream, launch):
    gateway = launch(world.configuration(upstream.url))
    assert gateway.stop() == 0
    last = sorted(gateway.audit_directory.glob("audit-*.jsonl"))[-1]
    last.write_bytes(last.read_bytes() + b"garbage\n")
    with pytest.raises(AssertionError, match="ended with [12]"):
        gateway.start()
    assert "audit" in gateway.said
    last.write_bytes(last.read_bytes().replace(b"garbage\n", b""))
    gateway.start()


def test_a_log_file_may_be_moved_away(world, upstream, launch, reach):
    """USR1: the next file begins where the moved one ended, and put back together they verify."""
    gateway = launch(world.configuration(upstream.url))
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    gateway.record(connection.call("GET", "/any/a", token).request_id, "request.completed")
    first, second = (gateway.audit_directory / f"audit-00000{number}.jsonl" for number in (1, 2))
    moved = first.rename(gateway.directory / "moved")
    gateway.signal(signal.SIGUSR1)
    gateway.wait(second.exists, "the next file")
    gateway.record(connection.call("GET", "/any/a", token).request_id, "request.completed")
    assert verify(second).returncode == 1
    moved.rename(first)
    check_chain(gateway.lines())
    assert verify(second).returncode == 0


def test_synced_durability(world, upstream, launch, reach, protocol):
    gateway = launch(world.configuration(upstream.url, audit={"directory": "audit", "durability": "synced"}))
    connection = reach(gateway).open(protocol, world.agent)
    for _ in range(20):
        answer = connection.call("GET", "/any/a", world.broker.token(world.agent))
        assert answer.status == 200
        # On disk before it went upstream: so it is there now, without waiting.
        assert [r for r in gateway.events("request.allowed") if r["request_id"] == answer.request_id]
    check_chain(gateway.lines())


# When there is no room


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one mebibyte."""
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("mounting a small file system takes root")
    yield directory
    subprocess.run(["umount", "--lazy", str(directory)], check=True)


def fill(directory) -> Path:
    """Leaves no room on a file system, and gives the file that takes it."""
    ballast = directory / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return ballast


def test_no_call_is_allowed_that_cannot_be_recorded(world, upstream, launch, reach, small_disk):
    """The disk fills: calls are refused with 503 before they reach the upstream; it is freed: they go on, unbroken."""
    configuration = world.configuration(
        upstream.url, audit={"directory": str(small_disk / "audit"), "when_full": "deny"}
    )
    configuration["workers"] = 1
    gateway = launch(configuration)
    gateway.audit_directory = small_disk / "audit"
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    ballast = fill(small_disk)
    allowed = 1
    for _ in range(200_000):
        told = connection.call("GET", "/any/a", token)
        if told.status != 200:
            break
        allowed += 1
    assert (told.status, told.code) == (503, "unavailable")
    assert int(told.header("retry-after")) > 0
    assert len(upstream.requests) == allowed
    assert gateway.observe("/healthz") == 200
    ballast.unlink()

    def serves() -> bool:
        try:
            return reach(gateway).http1(world.agent).call("GET", "/any/a", token).status == 200
        except (OSError, Closed):
            return False

    gateway.wait(serves, "room in the log")
    gateway.stop()
    lines = gateway.lines()
    check_chain(lines)
    assert len(gateway.events("request.allowed")) == len(upstream.requests)
    assert gateway.process.returncode == 0


def test_calls_wait_for_the_log_where_they_are_told_to(world, upstream, launch, reach, small_disk):
    """`when_full: wait`: the call that finds no room is answered once there is some."""
    configuration = world.configuration(
        upstream.url, audit={"directory": str(small_disk / "audit"), "when_full": "wait"}
    )
    configuration["workers"] = 1
    gateway = launch(configuration)
    gateway.audit_directory = small_disk / "audit"
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    ballast = fill(small_disk)
    connection.socket.settimeout(2)
    with pytest.raises(TimeoutError):
        while connection.call("GET", "/any/a", token).status == 200:
            pass
    waiting = len(upstream.requests)
    ballast.unlink()
    connection.socket.settimeout(PATIENCE)
    upstream.wait(lambda: len(upstream.requests) == waiting + 1, "the call that waited")
    gateway.stop()
    check_chain(gateway.lines())
    assert len(gateway.events("request.allowed")) == waiting + 1


def test_two_gateways_do_not_share_a_log(world, upstream, launch, tmp_path):
    """The second does not start: two writers would break the chain."""
    shared = {"directory": str(tmp_path / "audit")}
    first = launch(world.configuration(upstream.url, audit=shared))
    second_directory = tmp_path / "second"
    second_directory.mkdir()
    second = Gateway(second_directory, world.configuration(upstream.url, audit=shared))
    with pytest.raises(AssertionError, match="ended with [12]"):
        second.start()
    assert "audit" in second.said
    assert first.observe("/readyz") == 200
