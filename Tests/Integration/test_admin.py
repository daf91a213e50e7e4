"""The admin API and the commands over it: who may use it, what it takes, and what it says."""

import contextlib
import datetime
import json
import os
import pty
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time

import pytest

from admin import ADMIN, Admin, command
from credentials import ISSUER, TRUST_DOMAIN, Authority
from gateway import BINARY, sallyport
from ports import free_port
from test_reload import changed
from wire import PATIENCE
from world import route

AGENT = f"spiffe://{TRUST_DOMAIN}/agent/nobody"


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    return launch(world.configuration(the_upstream.url, admin=ADMIN))


@pytest.fixture
def own(world, upstream, launch):
    """A gateway of the test's own."""
    return launch(world.configuration(upstream.url, admin=ADMIN))


@pytest.fixture
def admin(gateway):
    with contextlib.closing(Admin(gateway)) as admin:
        yield admin
        for entry in admin.revocations():
            admin.unrevoke(entry["id"])


@pytest.fixture
def own_admin(own):
    with contextlib.closing(Admin(own)) as admin:
        yield admin


def moment(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


# The Unix socket


def test_the_socket_and_its_folder_are_their_owners(gateway, admin):
    status = admin.path.stat()
    assert stat.S_ISSOCK(status.st_mode)
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert stat.S_IMODE(admin.path.parent.stat().st_mode) == 0o700


def test_the_group_may_be_let_in(world, upstream, launch):
    gateway = launch(world.configuration(upstream.url, admin={**ADMIN, "mode": "0660"}))
    with contextlib.closing(Admin(gateway)) as admin:
        assert stat.S_IMODE(admin.path.stat().st_mode) == 0o660
        assert admin.status()["state"] == "ready"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as somebody else")
def test_other_users_are_not_let_in(gateway, admin):
    """The folders above are open, so that the mode of the socket's own folder, and its own, are all that keeps them out."""
    for folder in admin.path.parents:
        if folder.name != "run" and folder.stat().st_uid == os.geteuid():
            folder.chmod(folder.stat().st_mode | 0o755)
    attempt = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    line = [sys.executable, "-c", attempt, str(admin.path)]
    assert subprocess.run(line, capture_output=True).returncode == 0
    refused = subprocess.run(line, capture_output=True, user="nobody", group="nogroup", extra_groups=[], text=True)
    assert "PermissionError" in refused.stderr


def test_a_socket_that_a_crash_left_behind_is_replaced(own, own_admin):
    own_admin.revoke("agent", AGENT)
    own.signal(signal.SIGKILL)
    own.process.wait(PATIENCE)
    assert own_admin.path.exists()
    own.start()
    with contextlib.closing(Admin(own)) as admin:
        assert [entry["value"] for entry in admin.revocations()] == [AGENT]


def test_the_socket_goes_with_the_gateway(own, own_admin):
    assert own.stop() == 0
    assert not own_admin.path.exists()


@pytest.mark.parametrize("occupant", ["a socket that is listened on", "a file"])
def test_what_is_not_ours_is_not_replaced(occupant, world, upstream, launch, tmp_path):
    path = tmp_path / "a.sock"
    if occupant == "a file":
        path.write_text("precious")
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
    with pytest.raises(AssertionError, match="admin.address"):
        launch(world.configuration(upstream.url, admin={"address": f"unix:{path}"}))
    assert path.exists()
    assert occupant != "a file" or path.read_text() == "precious"


# Revocations


def test_a_revocation_is_answered_when_it_is_in_force(gateway, admin, world, client, upstream):
    agent = world.agents.agent("/agent/answered/1")
    connection, token = client.http1(agent), world.broker.token(agent)
    assert connection.call("GET", "/any/a", token).status == 200
    before = time.time()
    receipt = admin.revoke("agent", agent.spiffe_id, reason="found on a pastebin")
    assert before - 0.001 <= moment(receipt["effective_at"]) <= time.time()
    assert receipt["connections_closed"] == 1
    assert connection.is_closed()
    [entry] = admin.revocations()
    assert entry["id"] == receipt["id"]
    assert (entry["level"], entry["value"], entry["source"]) == ("agent", agent.spiffe_id, "admin")
    assert entry["reason"] == "found on a pastebin"
    assert entry["by"] == f"unix:uid={os.geteuid()},pid={os.getpid()}"
    assert moment(entry["created_at"]) <= moment(receipt["effective_at"]) < moment(entry["expires_at"])


def test_a_task_is_refused_until_it_is_taken_back(gateway, admin, world, client, protocol, upstream):
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent, task_id="doomed")
    assert connection.call("GET", "/any/a", token).status == 200
    receipt = admin.revoke("task", "orchestration-1/doomed")
    again = client.open(protocol, world.agent)
    response = again.call("GET", "/any/a", token)
    assert response.status == 401
    assert gateway.reason(response) == "revocation.task"
    admin.unrevoke(receipt["id"])
    assert again.call("GET", "/any/a", token).status == 200
    assert admin.call("DELETE", f"/v1/revocations/{receipt['id']}").status == 404


def test_every_act_is_on_record_with_who_did_it(own, own_admin):
    receipt = own_admin.revoke("key", "A" * 43, reason="lost")
    own_admin.unrevoke(receipt["id"])
    [revoked] = own.wait(lambda: own.events("credential.revoked"), "the revocation on record")
    [unrevoked] = own.wait(lambda: own.events("credential.unrevoked"), "its end on record")
    actor = f"unix:uid={os.geteuid()},pid={os.getpid()}"
    for record in (revoked, unrevoked):
        assert (record["by"], record["level"], record["value"], record["id"]) == (actor, "key", "A" * 43, receipt["id"])
        assert record["source"] == "admin"
    assert revoked["reason"] == "lost"


def test_an_expiry_may_be_given(admin):
    admin.revoke("chain", AGENT, expires_at="2100-01-01T01:00:00+01:00")
    [entry] = admin.revocations()
    assert moment(entry["expires_at"]) == moment("2100-01-01T00:00:00Z")


def test_the_same_again_keeps_its_id(admin):
    first = admin.revoke("agent", AGENT)
    assert admin.revoke("agent", AGENT)["id"] == first["id"]
    assert len(admin.revocations()) == 1


def test_all_of_an_agent_is_its_chain_too(admin):
    receipt = admin.revoke("agent", AGENT, all_of=True)
    assert len(receipt["ids"]) == 2
    assert receipt["id"] == receipt["ids"][0]
    assert {(entry["level"], entry["value"]) for entry in admin.revocations()} == {("agent", AGENT), ("chain", AGENT)}


def test_a_preview_counts_and_changes_nothing(gateway, admin, world, client, upstream):
    agent = world.agents.agent("/agent/previewed/1")
    connections = [client.http1(agent), client.http2(agent)]
    for connection in connections:
        assert connection.call("GET", "/any/a", world.broker.token(agent)).status == 200
    seen = admin.preview("agent", agent.spiffe_id)
    assert (seen["connections"], seen["calls"]) == (2, 0)
    assert (seen["agents"], seen["agent_count"]) == ([agent.spiffe_id], 1)
    assert admin.preview("agent", AGENT) == {"connections": 0, "calls": 0, "agents": [], "agent_count": 0}
    assert admin.revocations() == []
    for connection in connections:
        assert connection.call("GET", "/any/a", world.broker.token(agent)).status == 200


def test_the_list_comes_in_pages(admin):
    made = {admin.revoke("task", f"task-{number}")["id"] for number in range(7)}
    made.add(admin.revoke("agent", AGENT)["id"])
    first = admin.expect(200, "GET", "/v1/revocations?limit=3").json
    assert len(first["revocations"]) == 3
    assert first["total"] == 8
    assert {entry["id"] for entry in admin.revocations(limit=3)} == made
    assert {entry["value"] for entry in admin.revocations(level="agent", limit=1)} == {AGENT}
    assert len(admin.revocations(source="admin")) == 8
    assert admin.revocations(source="feed:none") == []


BAD = {
    "no JSON": (b"{", "not a JSON object"),
    "no object": (b"[]", "not a JSON object"),
    "nothing": ({}, "level"),
    "no value": ({"level": "agent"}, "value"),
    "no such level": ({"level": "session", "value": "x"}, "level"),
    "an unknown member": ({"level": "agent", "value": AGENT, "ttl": "1h"}, "not known"),
    "a member twice": (b'{"level":"agent","value":"a","value":"b"}', "not a JSON object"),
    "a token without its issuer": ({"level": "token", "value": "x"}, "issuer"),
    "a SPIFFE ID that is none": ({"level": "agent", "value": f"spiffe://{TRUST_DOMAIN.upper()}/a"}, "SPIFFE"),
    "a fingerprint in upper case": ({"level": "certificate", "value": "A" * 64}, "hex"),
    "a fingerprint that is short": ({"level": "certificate", "value": "a" * 63}, "hex"),
    "a thumbprint that is short": ({"level": "key", "value": "A" * 42}, "thumbprint"),
    "everything but": ({"level": "everything", "value": "x"}, "*"),
    "an expiry that has passed": ({"level": "agent", "value": AGENT, "expires_at": "2020-01-01T00:00:00Z"}, "passed"),
    "an expiry that is none": ({"level": "agent", "value": AGENT, "expires_at": "soon"}, "expires_at"),
    "a control character": ({"level": "agent", "value": AGENT, "reason": "a\x1b[2J"}, "control character"),
    "a value that is too long": ({"level": "agent", "value": "a" * 2049}, "2048"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_revoked_is_refused_with_the_reason(name, admin):
    body, detail = BAD[name]
    answer = admin.call("POST", "/v1/revocations", body, {"Content-Type": "application/json"})
    assert answer.status == 400
    assert detail in answer.detail
    assert admin.revocations() == []


# What else there is


def test_the_issuers_are_told_with_their_keys(admin):
    [issuer] = admin.issuers()
    assert issuer["issuer"] == ISSUER
    assert (issuer["profile"], issuer["key_source"], issuer["usable"]) == ("oauth", "file", True)


def test_the_state_is_told(gateway, admin, world, client, upstream):
    before = admin.status()
    connection = client.http1(world.agent)
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200
    assert connection.call("GET", "/orders/1", world.broker.token(world.agent)).status == 403
    admin.revoke("agent", AGENT)
    status = admin.status()
    assert status["state"] == "ready"
    assert status["workers"] == 2
    assert status["connections"]["open"] >= 1
    assert status["listeners"] == [{"name": "agents", "address": f"127.0.0.1:{gateway.port}"}]
    assert status["calls"]["allowed"] == before["calls"]["allowed"] + 1
    assert status["calls"]["denied"] == before["calls"]["denied"] + 1
    assert status["revocations"] == {"entries": 1, "by_source": {"admin": 1}}
    assert status["audit"] == {"healthy": True}


def test_a_reload_takes_a_good_file_over(own, own_admin, world, client, reach, upstream):
    connection, token = reach(own).http1(world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/new/a", token).code == "no-route"
    configuration = changed(own)
    configuration["routes"].append(route("new", "/new/{x}"))
    own.write(configuration)
    answer = own_admin.reload()
    assert answer.status == 200, answer
    own.wait(lambda: connection.call("GET", "/new/a", token).status == 200, "the new route")
    assert own_admin.status()["configuration"]["sha256"] == answer.json["sha256"]
    [record] = own.wait(lambda: own.events("config.loaded")[1:], "the reload on record")
    assert record["by"].startswith("unix:uid=")


def test_a_reload_of_a_bad_file_is_refused_with_all_its_faults(own, own_admin, world, reach, upstream):
    connection, token = reach(own).http1(world.agent), world.broker.token(world.agent)
    configuration = changed(own)
    configuration["colour"] = "blue"
    configuration["routes"][0]["upstream"] = "nowhere"
    own.write(configuration)
    answer = own_admin.reload()
    assert answer.status == 400
    assert "stays" in answer.detail
    assert len(answer.json["faults"]) == 2
    assert any("colour" in fault for fault in answer.json["faults"])
    assert connection.call("GET", "/any/a", token).status == 200
    assert own_admin.status()["state"] == "ready"


def test_a_drain_ends_the_gateway(own, own_admin):
    assert own_admin.drain() == {"connections": 0}
    assert own.process.wait(PATIENCE) == 0


# The requests themselves


@pytest.mark.parametrize("path", ["/v1/agents", "/v1/config", "/v1/audit/checkpoint"])
def test_what_is_not_built_yet_says_so(path, admin):
    assert "not built yet in this version" in admin.expect(404, "GET", path).detail


@pytest.mark.parametrize("path", ["/", "/v1/status/", "//v1/status", "/v1/%73tatus", "/v1/../v1/status", "/healthz"])
def test_a_path_has_one_spelling(path, admin):
    admin.expect(404, "GET", path)


def test_a_wrong_method_is_told_the_right_one(admin):
    assert admin.expect(405, "PUT", "/v1/revocations").headers["allow"] == "GET, POST"
    assert admin.expect(405, "GET", "/v1/drain").headers["allow"] == "POST"


def test_no_web_page_administers(admin):
    answer = admin.call("POST", "/v1/drain", headers={"Origin": "https://evil.example"})
    assert answer.status == 403
    admin.connection.close()
    assert admin.status()["state"] == "ready"


def test_what_is_too_large_is_refused(admin):
    assert admin.call("POST", "/v1/revocations", b"x" * (64 * 1024 + 1)).status == 413
    admin.connection.close()
    assert admin.call("GET", "/v1/status", headers={"X": "x" * 20_000}).status == 431
    admin.connection.close()
    assert admin.status()["state"] == "ready"


def test_many_at_once_are_all_answered(gateway, admin):
    """More operators than there is room for idle ones, each with a revocation of its own."""
    operators = [Admin(gateway) for _ in range(40)]
    body = {"level": "task", "value": ""}
    for number, operator in enumerate(operators):
        content = json.dumps({**body, "value": f"burst-{number}"})
        operator.connection.request("POST", "/v1/revocations", content, {"Content-Type": "application/json"})
    for operator in operators:
        assert operator.connection.getresponse().status == 201
        operator.close()
    assert len(admin.revocations()) == 40


# Over TCP


@pytest.fixture(scope="module")
def operators(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("operators"), "operators-ca", uri="spiffe://ops.test")


@pytest.fixture(scope="module")
def remote(world, the_upstream, launch, operators):
    """A gateway that is administered over TCP."""
    section = {
        "address": f"127.0.0.1:{free_port()}",
        "tls": {
            "certificate_file": str(world.server.chain_file),
            "private_key_file": str(world.server.key_file),
            "bundle_file": str(operators.file),
            "trust_domain": "ops.test",
        },
        "allow": ["spiffe://ops.test/operator/*"],
    }
    return launch(world.configuration(the_upstream.url, admin=section))


@pytest.fixture
def alice(operators):
    return operators.issue("spiffe://ops.test/operator/alice")


def test_an_allowed_operator_administers_by_name(remote, alice, world):
    with contextlib.closing(Admin(remote, alice, world.servers.file)) as admin:
        receipt = admin.revoke("agent", AGENT)
        [entry] = admin.revocations()
        assert (entry["id"], entry["by"]) == (receipt["id"], "spiffe://ops.test/operator/alice")
        admin.unrevoke(receipt["id"])


def test_anybody_else_of_the_trust_domain_is_refused(remote, operators, world):
    other = operators.issue("spiffe://ops.test/reader/bob")
    with contextlib.closing(Admin(remote, other, world.servers.file)) as admin:
        assert "spiffe://ops.test/reader/bob is not in admin.allow" in admin.expect(403, "GET", "/v1/status").detail
    found = remote.wait(lambda: remote.events("alert.raised"), "the refusal on record")
    assert ("spiffe://ops.test/reader/bob" in str(found)) or ("admin.not-allowed" in str(found))


def test_nobody_comes_in_without_an_operators_certificate(remote, world, operators):
    agent_of_ours = world.agent
    elsewhere = operators.issue("spiffe://elsewhere.test/operator/alice")
    for identity in (None, agent_of_ours, elsewhere):
        with contextlib.closing(Admin(remote, identity, world.servers.file)) as admin:
            with pytest.raises((ssl.SSLError, OSError)):
                admin.call("GET", "/v1/status")


def test_tls_is_of_version_13(remote, alice, world):
    context = ssl.create_default_context(cafile=str(world.servers.file))
    context.load_cert_chain(str(alice.chain_file), str(alice.key_file))
    port = int(remote.configuration["admin"]["address"].rpartition(":")[2])

    def version() -> str:
        with socket.create_connection(("localhost", port), PATIENCE) as plain:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                return secured.version()

    assert version() == "TLSv1.3"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError):
        version()


def test_plain_http_is_not_answered(remote):
    port = int(remote.configuration["admin"]["address"].rpartition(":")[2])
    with socket.create_connection(("localhost", port), PATIENCE) as plain:
        plain.sendall(b"GET /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP/" not in plain.recv(4096)


# The commands


def test_revoke_tells_when_it_took_effect_and_undo_takes_it_back(gateway, admin):
    done = command(gateway, "revoke", "agent", AGENT, "--reason", "test", "--expires-in", "1h")
    assert done.returncode == 0, done.stderr
    [entry] = admin.revocations()
    assert f"revoked agent {AGENT}: in force on every worker since 20" in done.stdout
    assert "0 connections closed" in done.stdout
    assert entry["id"] in done.stdout
    assert entry["reason"] == "test"
    assert 3500 < moment(entry["expires_at"]) - time.time() < 3700
    undone = command(gateway, "revoke", "--undo", entry["id"])
    assert undone.returncode == 0, undone.stderr
    assert admin.revocations() == []
    again = command(gateway, "revoke", "--undo", entry["id"])
    assert again.returncode == 1
    assert "no revocation of that id" in again.stderr


def test_the_gateway_is_found_in_three_ways(gateway, admin):
    named = sallyport("revoke", "--admin", f"unix:{admin.path}", "--list")
    twin = sallyport("revoke", "--list", env={**os.environ, "SALLYPORT_ADMIN": f"unix:{admin.path}"})
    file = sallyport("revoke", "--list", env={**os.environ, "SALLYPORT_CONFIG": str(gateway.file)})
    beside = sallyport("revoke", "--config", gateway.file.name, "--list", cwd=gateway.directory)
    for told in (named, twin, file, beside):
        assert (told.returncode, told.stdout) == (0, "nothing is revoked\n"), told.stderr
    lost = sallyport("revoke", "--list")
    assert lost.returncode == 2
    assert "--admin" in lost.stderr
    nowhere = sallyport("revoke", "--admin", "unix:/nonexistent.sock", "--list")
    assert nowhere.returncode == 2
    assert "cannot be reached" in nowhere.stderr


def test_a_list_is_a_table_or_json(gateway, admin):
    admin.revoke("agent", AGENT, reason="why not")
    admin.revoke("task", "t")
    table = command(gateway, "revoke", "--list")
    assert table.returncode == 0
    head, *rows = table.stdout.splitlines()
    assert head.split()[:4] == ["ID", "LEVEL", "VALUE", "SOURCE"]
    assert len(rows) == 2
    assert any(AGENT in row and "why not" in row for row in rows)
    lines = command(gateway, "revoke", "--list", "task", "--json").stdout.splitlines()
    assert [json.loads(line)["value"] for line in lines] == ["t"]


def test_a_refusal_is_told_in_the_gateways_words(gateway):
    refused = command(gateway, "revoke", "key", "short")
    assert refused.returncode == 1
    assert "thumbprint" in refused.stderr
    unasked = command(gateway, "revoke", "session", "x")
    assert unasked.returncode == 2
    assert "token, agent, task, chain" in unasked.stderr


def test_a_preview_by_command_changes_nothing(gateway, admin):
    shown = command(gateway, "revoke", "agent", AGENT, "--preview")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert f"to revoke agent {AGENT} would end 0 connections and 0 calls of 0 agents now" in shown.stdout
    assert admin.revocations() == []


def test_all_of_something_is_shown_and_asked_for_first(gateway, admin):
    line = ["revoke", "--all-of", "agent", AGENT]
    unasked = command(gateway, *line)
    assert unasked.returncode == 2
    assert "--yes" in unasked.stderr
    assert "would end" in unasked.stdout
    assert admin.revocations() == []
    assert answered(gateway, line, "n\n") == 1
    assert admin.revocations() == []
    assert answered(gateway, line, "y\n") == 0
    assert {entry["level"] for entry in admin.revocations()} == {"agent", "chain"}
    assert command(gateway, *line, "--yes").returncode == 0


def answered(gateway, line: list[str], answer: str) -> int:
    """The exit code of a command whose question a person answers so."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [BINARY, line[0], "--config", gateway.file, *line[1:]],
            stdin=theirs,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.write(ours, answer.encode())
        return process.wait(PATIENCE)
    finally:
        os.close(ours)
        os.close(theirs)


def test_everything_stops_and_starts_again(own, own_admin, world, reach, upstream):
    token = world.broker.token(world.agent)
    assert reach(own).http1(world.agent).call("GET", "/any/a", token).status == 200
    done = command(own, "revoke", "everything", "--yes")
    assert done.returncode == 0, done.stderr
    told = reach(own).refusal(world.agent)
    if told is None:
        assert reach(own).http1(world.agent).call("GET", "/any/a", token).status == 401
    [entry] = own_admin.revocations()
    assert (entry["level"], entry["value"]) == ("everything", "*")
    own_admin.unrevoke(entry["id"])
    assert reach(own).http1(world.agent).call("GET", "/any/a", token).status == 200


def test_the_state_is_shown(gateway, admin):
    shown = command(gateway, "status")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[0].split() == ["state", "ready"]
    assert ISSUER in shown.stdout
    raw = command(gateway, "status", "--json")
    assert raw.returncode == 0
    assert json.loads(raw.stdout)["state"] == "ready"


def test_a_gateway_that_does_not_run_has_no_state(own):
    own.stop()
    shown = command(own, "status")
    assert shown.returncode == 2
    assert "cannot be reached" in shown.stderr


def test_the_commands_work_over_tcp(remote, alice, operators, world):
    files = ["--admin-ca", str(world.servers.file)]
    mine = [*files, "--admin-cert", str(alice.chain_file), "--admin-key", str(alice.key_file)]
    shown = command(remote, "status", *mine)
    assert shown.returncode == 0, shown.stderr
    assert "ready" in shown.stdout
    bob = operators.issue("spiffe://ops.test/reader/bob")
    other = [*files, "--admin-cert", str(bob.chain_file), "--admin-key", str(bob.key_file)]
    refused = command(remote, "status", *other)
    assert refused.returncode == 1
    assert "not in admin.allow" in refused.stderr
    bare = command(remote, "status")
    assert bare.returncode == 2
    assert "--admin-ca" in bare.stderr
