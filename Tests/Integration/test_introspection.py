"""Opaque tokens (RFC 7662): their issuer is asked, its answer is judged like a token, and kept no longer than configured."""

import base64
import json
import secrets
import threading
import time
import urllib.parse

import pytest

from credentials import ABSENT, ISSUER, present
from gateway import Gateway, sallyport
from proofs import Holder, presented
from upstreams import Upstream
from world import route

JSON = ("Content-Type", "application/json")
CLIENT, SECRET = "gateway 1", "s3cret:+/%&"


class Introspector(Upstream):
    """Answers for the tokens that it issued, and counts who asks."""

    def __init__(self, identity, broker):
        super().__init__(identity)
        self.broker = broker
        self.answer = self.serve
        self.issued: dict[str, dict] = {}

    def issue(self, agent, **changes) -> str:
        token = secrets.token_urlsafe(24)
        self.issued[token] = present({"active": True, **self.broker.claims(agent), **changes})
        return token

    def serve(self, opened, request) -> None:
        opened.read_body(request)
        form = urllib.parse.parse_qs(request.body.decode())
        claims = self.issued.get(form["token"][0], {"active": False})
        opened.answer(200, json.dumps(claims).encode(), JSON)

    def asked(self, token: str) -> int:
        return sum(urllib.parse.quote(token) in request.body.decode() for request in self.requests)


@pytest.fixture(scope="module")
def the_issuer(world):
    server = Introspector(world.server, world.broker)
    yield server
    server.close()


@pytest.fixture
def issuer(the_issuer):
    the_issuer.clear()
    the_issuer.answer = the_issuer.serve
    return the_issuer


@pytest.fixture(scope="module")
def secret_file(world):
    file = world.write("introspection.secret", SECRET + "\n")
    file.chmod(0o600)
    return str(file)


def configuration(world, upstream, issuer, secret_file, routes=None, **changes) -> dict:
    made = world.issuer()
    del made["jwks_file"], made["algorithms"]
    made["introspection"] = {
        "url": f"{issuer.url}/introspect",
        "client_id": CLIENT,
        "client_secret_file": secret_file,
        "ca_file": str(world.servers.file),
        **changes,
    }
    routes = routes or [
        route("orders", "/orders/{x}", ["GET"], scope="read:orders:{x}"),
        route("any", "/any/{rest...}", possession=["certificate", "dpop"]),
    ]
    possession = {"dpop": {"future_skew": "1s"}}
    return world.configuration(upstream.url, routes, issuers=[made], possession=possession)


@pytest.fixture(scope="module")
def gateway(world, the_upstream, the_issuer, secret_file, launch):
    return launch(configuration(world, the_upstream, the_issuer, secret_file, cache="60s"))


def now() -> int:
    return int(time.time())


def test_an_active_token_is_accepted(connection, gateway, world, issuer, upstream):
    token = issuer.issue(world.agent, scope="read:orders:42")
    told = connection.call("GET", "/orders/42", token)
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == world.agent.spiffe_id
    assert upstream.request.header("sallyport-scope") == "read:orders:42"
    assert gateway.record(told.request_id, "request.allowed")["issuer"] == ISSUER
    assert connection.call("GET", "/orders/43", token).code == "insufficient-scope"


def test_the_gateway_authenticates_itself(connection, world, issuer, upstream):
    """RFC 6749 §2.3.1: name and secret are form-encoded before they are joined."""
    token = issuer.issue(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    request = issuer.request
    assert request.start_line == "POST /introspect HTTP/1.1"
    assert request.header("content-type").startswith("application/x-www-form-urlencoded")
    scheme, _, credentials = request.header("authorization").partition(" ")
    name, _, secret = base64.b64decode(credentials).decode().partition(":")
    assert scheme == "Basic"
    assert (urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)) == (CLIENT, SECRET)
    form = urllib.parse.parse_qs(request.body.decode())
    assert form["token"] == [token]
    assert form.get("token_type_hint", ["access_token"]) == ["access_token"]


def test_an_answer_is_kept(connection, world, issuer):
    token = issuer.issue(world.agent)
    for _ in range(5):
        assert connection.call("GET", "/any/a", token).status == 200
    assert issuer.asked(token) <= 2  # once for each worker at most


def test_an_answer_is_kept_for_the_configured_time_only(world, upstream, issuer, secret_file, launch, reach):
    gateway = launch(configuration(world, upstream, issuer, secret_file, cache="1s"))
    connection, token = reach(gateway).http1(world.agent), issuer.issue(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    issuer.issued[token]["active"] = False
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 401, "the issuer to be asked again")


def test_an_answer_need_not_be_kept_at_all(world, upstream, issuer, secret_file, launch, reach):
    """But for the moment that the call which asked needs it."""
    gateway = launch(configuration(world, upstream, issuer, secret_file, cache="0s"))
    connection, token = reach(gateway).http1(world.agent), issuer.issue(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    issuer.issued[token]["active"] = False
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 401, "the issuer to be asked again")


def test_an_answer_is_kept_no_longer_than_the_token_lives(world, upstream, issuer, secret_file, launch, reach):
    made = configuration(world, upstream, issuer, secret_file, cache="60s")
    made["issuers"][0]["clock_leeway"] = "0s"
    connection = reach(launch(made)).http1(world.agent)
    token = issuer.issue(world.agent, iat=now() - 60, exp=now() + 3)
    told = connection.call("GET", "/any/a", token)
    assert told.status == 200
    while told.status == 200:
        told = connection.call("GET", "/any/a", token)
    assert (told.status, told.code) == (401, "invalid-token")


INACTIVE = {
    "inactive": lambda i, w: {"active": False},
    "active as a string": lambda i, w: {"active": "true"},
    "active as a number": lambda i, w: {"active": 1},
    "no active": lambda i, w: {"active": ABSENT},
    "expired": lambda i, w: {"iat": now() - 400, "exp": now() - 100},
    "not valid yet": lambda i, w: {"nbf": now() + 100},
    "another issuer": lambda i, w: {"iss": "https://elsewhere.test"},
    "another audience": lambda i, w: {"aud": "https://elsewhere.test"},
    "no audience": lambda i, w: {"aud": ABSENT},
    "no exp": lambda i, w: {"exp": ABSENT},
    "exp a string": lambda i, w: {"exp": str(now() + 100)},
    "no sub": lambda i, w: {"sub": ABSENT},
    "a refresh token": lambda i, w: {"token_type": "refresh_token"},
    "M3 bound to another certificate": lambda i, w: {"cnf": {"x5t#S256": w.other.thumbprint}},
    "M3 no cnf": lambda i, w: {"cnf": ABSENT},
    "M3 an empty cnf": lambda i, w: {"cnf": {}},
    "M3 a cnf of unknown members only": lambda i, w: {"cnf": {"color": "blue"}},
    "a token about somebody else": lambda i, w: {"sub": w.other.spiffe_id},
}

ACTIVE = {
    "no iss": lambda i, w: {"iss": ABSENT},
    "M3 bound to this certificate": lambda i, w: {"cnf": {"x5t#S256": w.agent.thumbprint}},
    "one of several audiences": lambda i, w: {"aud": ["https://elsewhere.test", *w.issuer()["audiences"]]},
    "no client_id": lambda i, w: {"client_id": ABSENT},
    "a token type": lambda i, w: {"token_type": "Bearer"},
    "a user name": lambda i, w: {"username": "someone"},
}


@pytest.mark.parametrize("name", INACTIVE)
def test_is_refused(connection, gateway, world, issuer, upstream, name):
    told = connection.call("GET", "/any/a", issuer.issue(world.agent, **INACTIVE[name](issuer, world)))
    if name.startswith(("active as", "no active")):
        assert told.status in (401, 503)
    else:
        assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told)
    assert not upstream.requests


@pytest.mark.parametrize("name", ACTIVE)
def test_is_accepted(connection, world, issuer, upstream, name):
    token = issuer.issue(world.agent, **ACTIVE[name](issuer, world))
    assert connection.call("GET", "/any/a", token).status == 200
    assert len(upstream.requests) == 1


def test_a_token_that_nobody_issued(connection, world, issuer, upstream):
    token = secrets.token_urlsafe(24)
    for _ in range(4):
        assert connection.call("GET", "/any/a", token).code == "invalid-token"
    assert 1 <= issuer.asked(token) <= 4
    assert not upstream.requests


def test_D16_an_opaque_token_bound_to_a_key(connection, gateway, world, issuer, upstream):
    holder = Holder()
    await_proofs_by(gateway, world, issuer, holder, connection)
    token = issuer.issue(world.agent, cnf=holder.cnf, token_type="DPoP")
    uri = f"{gateway.origin}/any/a"
    assert connection.call("GET", "/any/a", token).code == "invalid-proof"
    fields = presented(token, Holder().proof("GET", uri, token))
    assert connection.call("GET", "/any/a", fields=fields).code == "invalid-token"
    fields = presented(token, holder.proof("GET", uri, token))
    assert connection.call("GET", "/any/a", fields=fields).status == 200
    assert connection.call("GET", "/any/a", fields=fields).code == "invalid-proof"


def await_proofs_by(gateway, world, issuer, holder, connection):
    token = issuer.issue(world.agent, cnf=holder.cnf)

    def is_accepted():
        fields = presented(token, holder.proof("GET", f"{gateway.origin}/any/a", token))
        return connection.call("GET", "/any/a", fields=fields).status == 200

    gateway.wait(is_accepted, "a proof of after the start")


BAD_ANSWERS = {
    "closed": lambda opened, request: opened.close(),
    "reset": lambda opened, request: opened.reset(),
    "500": lambda opened, request: opened.answer(500),
    "401": lambda opened, request: opened.answer(401),
    "404": lambda opened, request: opened.answer(404),
    "302": lambda opened, request: opened.answer(302, b"", ("Location", "https://localhost:1/")),
    "204": lambda opened, request: opened.send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no JSON": lambda opened, request: opened.answer(200, b"<html>", JSON),
    "a list": lambda opened, request: opened.answer(200, b"[]", JSON),
    "another type": lambda opened, request: opened.answer(200, b'{"active": false}', ("Content-Type", "text/html")),
    "no type": lambda opened, request: opened.answer(200, b'{"active": false}'),
    "active twice": lambda opened, request: opened.answer(200, b'{"active": false, "active": true}', JSON),
    "cut": lambda opened, request: (
        opened.send(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"active": true'),
        opened.close(),
    ),
    "endless": lambda opened, request: opened.answer(200, b'{"active": true, "a": "' + b"x" * 3_000_000 + b'"}', JSON),
    "another status with a good answer": lambda opened, request: opened.answer(
        500, b'{"active": true, "sub": "spiffe://example.test/agent/task-1/instance-1"}', JSON
    ),
}


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_an_endpoint_that_fails_is_503(connection, gateway, world, issuer, upstream, name):
    """Nobody can say that the token is good, nor that it is bad; and nothing of it is kept."""
    issuer.answer = BAD_ANSWERS[name]
    token = issuer.issue(world.agent)
    told = connection.call("GET", "/any/a", token)
    assert (told.status, told.code) == (503, "unavailable")
    assert told.header("retry-after")
    assert not told.challenges
    assert gateway.reason(told)
    assert not upstream.requests
    issuer.answer = issuer.serve
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 200, "the endpoint to be asked again")


def test_a_slow_endpoint_is_not_waited_for(world, upstream, issuer, secret_file, launch, reach, protocol):
    gateway = launch(configuration(world, upstream, issuer, secret_file, timeout="300ms"))
    release = threading.Event()
    issuer.answer = lambda opened, request: release.wait()
    connection, other = (reach(gateway).open(protocol, world.agent) for _ in range(2))
    told = connection.call("GET", "/any/a", issuer.issue(world.agent))
    assert (told.status, told.code) == (503, "unavailable")
    release.set()
    issuer.answer = issuer.serve
    gateway.wait(lambda: other.call("GET", "/any/a", issuer.issue(world.agent)).status == 200, "the endpoint")


def test_others_are_served_meanwhile(world, upstream, issuer, secret_file, launch, reach):
    """A call that waits holds nobody else up, on no worker and not even on its own connection."""
    gateway = launch(configuration(world, upstream, issuer, secret_file, cache="60s", timeout="20s"))
    known, unknown = issuer.issue(world.agent), issuer.issue(world.agent)
    connections = [reach(gateway).http2(world.agent) for _ in range(6)]
    for connection in connections:
        assert connection.call("GET", "/any/a", known).status == 200
    release = threading.Event()

    def held(opened, request):
        opened.read_body(request)
        release.wait()
        opened.answer(200, json.dumps(issuer.issued[unknown]).encode(), JSON)

    issuer.answer = held
    waiting = connections[0].start("GET", "/any/b", unknown)
    for connection in connections:
        assert connection.call("GET", "/any/a", known).status == 200
    assert waiting not in connections[0].ended
    release.set()
    assert connections[0].response(waiting).status == 200


def test_a_client_that_goes_while_it_waits_is_let_go(world, upstream, issuer, secret_file, launch, reach, protocol):
    gateway = launch(configuration(world, upstream, issuer, secret_file, cache="60s", timeout="20s"))
    release, token = threading.Event(), issuer.issue(world.agent)

    def held(opened, request):
        release.wait()
        issuer.serve(opened, request)

    issuer.answer = held
    for _ in range(5):
        connection = reach(gateway).open(protocol, world.agent)
        if protocol == "h2":
            stream = connection.start("GET", "/any/a", token)
            connection.h2.reset_stream(stream, 8)
            connection.flush()
        else:
            connection.send(connection.head("GET", "/any/a", token))
        connection.close()
    release.set()
    issuer.answer = issuer.serve
    assert reach(gateway).open(protocol, world.agent).call("GET", "/any/a", token).status == 200


def test_a_token_of_another_shape_is_not_sent_anywhere(connection, world, issuer, upstream):
    """A JWT is judged by keys: one for this issuer, which has none, is not handed on to it."""
    told = connection.call("GET", "/any/a", "a b")
    assert told.status in (400, 401)
    for token in ("", "a,b", "a\tb"):
        told = connection.attempt("GET", "/any/a", fields=[("Authorization", f"Bearer {token}")])
        assert told is None or told.status in (400, 401)
    assert not upstream.requests


def test_two_issuers_to_ask_are_one_too_many(world, upstream, issuer, secret_file, launch, reach, tmp_path):
    """Which of them is meant? Such a configuration, or such a token, is refused."""
    made = configuration(world, upstream, issuer, secret_file)
    made["issuers"].append({**made["issuers"][0], "issuer": "https://second.example.test"})
    for one in made["routes"]:
        one["require"]["issuers"] = [ISSUER, "https://second.example.test"]
    if sallyport("check", "--config", str(Gateway(tmp_path, made).file)).returncode == 0:
        connection = reach(launch(made)).http1(world.agent)
        assert connection.call("GET", "/any/a", issuer.issue(world.agent)).code == "invalid-token"
    assert not upstream.requests and not issuer.requests


def test_an_opaque_token_where_nobody_can_be_asked(world, upstream, launch, reach, protocol):
    connection = reach(launch(world.configuration(upstream.url))).open(protocol, world.agent)
    told = connection.call("GET", "/orders/42", secrets.token_urlsafe(24))
    assert (told.status, told.code) == (401, "invalid-token")


def test_the_secret_is_nowhere_to_be_seen(gateway, connection, world, issuer):
    assert connection.call("GET", "/any/a", issuer.issue(world.agent)).status == 200
    encoded = base64.b64encode(f"{CLIENT}:{SECRET}".encode())
    for text in (gateway.said.encode(), b"\n".join(gateway.lines())):
        assert SECRET.encode() not in text and encoded not in text


def test_a_secret_in_the_configuration_is_refused(world, upstream, issuer, secret_file, tmp_path):
    made = configuration(world, upstream, issuer, secret_file, client_secret=SECRET)
    told = sallyport("check", "--config", str(Gateway(tmp_path, made).file))
    assert told.returncode == 1
    assert "client_secret" in told.stderr and SECRET not in told.stderr
