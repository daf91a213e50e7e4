"""Keys by URL: fetched, renewed, kept while their source is down, and never looked for where a token says (J10, P10)."""

import json
import threading

import pytest

from credentials import ISSUER, Broker
from gateway import Gateway, sallyport
from upstreams import Upstream
from world import route

ROUTES = [route("any", "/any/{rest...}")]


class KeyServer(Upstream):
    """Serves a JWK set over TLS, with an ETag, and counts who asks."""

    def __init__(self, identity, broker: Broker):
        super().__init__(identity)
        self.publish(broker)
        self.answer = self.serve
        self.max_age: int | None = None

    def publish(self, *brokers: Broker) -> None:
        keys = [key for broker in brokers for key in json.loads(broker.jwks())["keys"]]
        self.text = json.dumps({"keys": keys}).encode()
        self.tag = f'"{abs(hash(self.text))}"'

    @property
    def location(self) -> str:
        return f"{self.url}/keys.json"

    def serve(self, opened, request) -> None:
        fields = [("ETag", self.tag), ("Content-Type", "application/jwk-set+json")]
        if self.max_age is not None:
            fields.append(("Cache-Control", f"max-age={self.max_age}"))
        if request.header("if-none-match") == self.tag:
            lines = ["HTTP/1.1 304 Not Modified", *(f"{name}: {value}" for name, value in fields), "", ""]
            opened.send("\r\n".join(lines).encode())
        else:
            opened.answer(200, self.text, *fields)


class NamedBroker(Broker):
    """A broker of one key, with a name of its own."""

    def __init__(self, kid: str, issuer: str = ISSUER):
        super().__init__(issuer, ("ES256",))
        self.kid = kid

    def public_jwk(self, algorithm: str) -> dict:
        return {**super().public_jwk(algorithm), "kid": self.kid}

    def header(self, algorithm="ES256", **changes) -> dict:
        return super().header(algorithm, **{"kid": self.kid, **changes})


@pytest.fixture
def broker() -> NamedBroker:
    return NamedBroker("first")


@pytest.fixture
def keys(world, broker):
    server = KeyServer(world.server, broker)
    yield server
    server.close()


def issuer(world, keys, **changes) -> dict:
    made = world.issuer(jwks_url=keys.location, ca_file=str(world.servers.file), algorithms=["ES256"])
    del made["jwks_file"]
    return {**made, **changes}


def configuration(world, upstream, keys, **changes) -> dict:
    return world.configuration(upstream.url, ROUTES, issuers=[issuer(world, keys, **changes)])


def call(connection, token: str):
    return connection.call("GET", "/any/a", token)


class Aged:
    """A gateway with several issuers that changed after their keys were fetched first, and are asked again after 10 s."""

    def __init__(self, world, upstream, launch):
        self.brokers = {
            name: NamedBroker(name, f"https://{name}.example.test") for name in ("same", "new", "down", "bad")
        }
        self.servers = {name: KeyServer(world.server, broker) for name, broker in self.brokers.items()}
        issuers = [
            {**issuer(world, self.servers[name], refresh_interval="10s"), "issuer": broker.issuer}
            for name, broker in self.brokers.items()
        ]
        routes = [route("any", "/any/{rest...}", issuers=[broker.issuer for broker in self.brokers.values()])]
        self.gateway = launch(world.configuration(upstream.url, routes, issuers=issuers))
        self.successor = NamedBroker("successor", self.brokers["new"].issuer)
        self.servers["new"].publish(self.successor)
        self.servers["down"].answer = lambda opened, request: opened.close()
        self.servers["bad"].answer = BAD_SETS["a private key"](self.brokers["bad"])

    def refreshed(self, name: str) -> KeyServer:
        """The source of an issuer, once it has been asked again."""
        self.servers[name].wait(
            lambda: len(self.servers[name].requests) >= 2, f"the keys of {name} to be asked for again"
        )
        return self.servers[name]

    def token(self, world, name: str) -> str:
        return self.brokers[name].token(world.agent)


@pytest.fixture(scope="module", autouse=True)
def aged(world, the_upstream, launch):
    """Begun before all tests of the module, and looked at by the last ones."""
    aged = Aged(world, the_upstream, launch)
    yield aged
    for server in aged.servers.values():
        server.close()


def test_keys_are_fetched_before_it_is_ready(world, upstream, keys, broker, launch, reach, protocol):
    connection = reach(launch(configuration(world, upstream, keys))).open(protocol, world.agent)
    assert len(keys.requests) == 1
    assert keys.request.start_line == "GET /keys.json HTTP/1.1"
    assert keys.request.header("authorization") is None
    assert call(connection, broker.token(world.agent)).status == 200
    assert call(connection, NamedBroker("first").token(world.agent)).code == "invalid-token"
    assert len(keys.requests) == 1


def test_a_new_key_is_fetched_when_it_is_first_used(world, upstream, keys, broker, launch, reach, protocol):
    """The call that meets it waits for the keys, and passes."""
    gateway = launch(configuration(world, upstream, keys))
    connection, second = reach(gateway).open(protocol, world.agent), NamedBroker("second")
    assert call(connection, broker.token(world.agent)).status == 200
    keys.publish(broker, second)
    assert call(connection, second.token(world.agent)).status == 200
    assert call(connection, broker.token(world.agent)).status == 200
    assert len(keys.requests) == 2
    rotated = gateway.wait(lambda: gateway.events("keys.rotated"), "the rotation on record")
    assert ISSUER in json.dumps(rotated[-1])


def test_unknown_keys_are_asked_for_once(world, upstream, keys, broker, launch, reach):
    """Bug 43: fifty calls at once with a key that nobody knows cause one fetch, and later ones none."""
    gateway = launch(configuration(world, upstream, keys))
    connections = [reach(gateway).open(protocol, world.agent) for protocol in ["http/1.1", "h2"] * 5]
    assert len(keys.requests) == 1
    release = threading.Event()

    def held(opened, request):
        release.wait()
        keys.serve(opened, request)

    keys.answer = held
    stranger, statuses = NamedBroker("stranger"), []

    def run(connection):
        for _ in range(5):
            statuses.append(call(connection, stranger.token(world.agent)).status)

    threads = [threading.Thread(target=run, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    keys.wait(lambda: len(keys.requests) == 2, "the second fetch")
    # Those who know their key are not held up.
    assert call(reach(gateway).http1(world.agent), broker.token(world.agent)).status == 200
    release.set()
    for thread in threads:
        thread.join()
    assert statuses == [401] * 50
    assert len(keys.requests) == 2
    for kid in range(20):
        assert call(connections[0], NamedBroker(f"flood-{kid}").token(world.agent)).status == 401
    assert len(keys.requests) <= 3


BAD_ANSWERS = {
    "closed": lambda opened, request: opened.close(),
    "reset": lambda opened, request: opened.reset(),
    "cut in the middle, bug 22": lambda opened, request: (
        opened.send(b'HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n{"keys": ['),
        opened.close(),
    ),
    "404": lambda opened, request: opened.answer(404),
    "500": lambda opened, request: opened.answer(500),
    "204": lambda opened, request: opened.send(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "304 of nothing": lambda opened, request: opened.send(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "no JSON": lambda opened, request: opened.answer(200, b"<html>sign in</html>"),
    "no keys": lambda opened, request: opened.answer(200, b'{"keys": []}'),
    "no set": lambda opened, request: opened.answer(200, b"[]"),
    "empty": lambda opened, request: opened.answer(200, b""),
    "endless": lambda opened, request: opened.answer(200, b'{"keys": [' + b" " * 3_000_000 + b"]}"),
    "no HTTP": lambda opened, request: (opened.send(b"garbage\r\n\r\n"), opened.close()),
}


def private_key(broker):
    key = {**broker.keys["ES256"].as_dict(private=True), "kid": "first", "alg": "ES256"}
    return lambda opened, request: opened.answer(200, json.dumps({"keys": [key]}).encode())


def same_name_twice(broker):
    """P10: which of the two is meant?"""
    text = json.dumps({"keys": [broker.public_jwk("ES256"), NamedBroker("first").public_jwk("ES256")]})
    return lambda opened, request: opened.answer(200, text.encode())


def symmetric_key(broker):
    """P12."""
    text = json.dumps({"keys": [broker.public_jwk("ES256"), {"kty": "oct", "k": "AQAB", "kid": "x"}]})
    return lambda opened, request: opened.answer(200, text.encode())


BAD_SETS = {"a private key": private_key, "P10 a name twice": same_name_twice, "P12 a symmetric key": symmetric_key}


@pytest.fixture(scope="module")
def sourceless(world, the_upstream, launch):
    """A gateway with an issuer for each bad answer, whose keys never came; and a place that nobody should be led to."""
    elsewhere = KeyServer(world.server, NamedBroker("first"))
    brokers, servers, issuers = {}, {}, []
    for number, name in enumerate([*BAD_ANSWERS, *REDIRECTIONS, *BAD_SETS]):
        broker = brokers[name] = NamedBroker("first", f"https://issuer-{number}.example.test")
        server = servers[name] = KeyServer(world.server, broker)
        if name in REDIRECTIONS:
            server.answer = lambda opened, request, name=name: opened.answer(
                REDIRECTIONS[name], b"", ("Location", elsewhere.location)
            )
        else:
            server.answer = BAD_ANSWERS.get(name) or BAD_SETS[name](broker)
        issuers.append({**issuer(world, server), "issuer": broker.issuer})
    routes = [route("any", "/any/{rest...}", issuers=[broker.issuer for broker in brokers.values()])]
    gateway = launch(world.configuration(the_upstream.url, routes, issuers=issuers), until="/healthz")
    yield gateway, brokers, servers, elsewhere
    for server in (*servers.values(), elsewhere):
        server.close()


REDIRECTIONS = {f"redirected by {status}": status for status in (301, 302, 303, 307, 308)}


@pytest.mark.parametrize("name", [*BAD_ANSWERS, *REDIRECTIONS, *BAD_SETS])
def test_no_keys_are_learned_from_a_bad_answer(sourceless, reach, world, upstream, name):
    """The call is refused with 503, since nobody can judge its token; nothing ends, and no other address is asked."""
    gateway, brokers, servers, elsewhere = sourceless
    servers[name].wait(lambda: servers[name].requests, "a fetch")
    told = call(reach(gateway).http1(world.agent), brokers[name].token(world.agent))
    assert (told.status, told.code) == (503, "unavailable")
    assert told.header("retry-after")
    assert not upstream.requests and not elsewhere.requests
    assert gateway.observe("/readyz") == 503
    assert gateway.observe("/healthz") == 200


def test_once_the_sources_are_well_the_keys_come(sourceless, reach, world, upstream):
    gateway, brokers, servers, _ = sourceless
    for server in servers.values():
        server.answer = server.serve
    gateway.wait(lambda: gateway.observe("/readyz") == 200, "all keys")
    connection = reach(gateway).http1(world.agent)
    for broker in brokers.values():
        assert call(connection, broker.token(world.agent)).status == 200


def test_keys_that_cannot_be_used_are_passed_over(world, upstream, keys, broker, launch, reach):
    """P12: a set may hold keys for other purposes, and of kinds that we do not know."""
    others = [
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "kid": "pq"},
        {**NamedBroker("enc").public_jwk("ES256"), "use": "enc"},
        {**NamedBroker("ops").public_jwk("ES256"), "key_ops": ["sign"]},
        {"kty": "EC", "crv": "secp256k1", "x": "AAAA", "y": "AAAA", "kid": "k1"},
    ]
    text = json.dumps({"keys": [*others, broker.public_jwk("ES256")]}).encode()
    keys.answer = lambda opened, request: opened.answer(200, text)
    connection = reach(launch(configuration(world, upstream, keys))).http1(world.agent)
    assert call(connection, broker.token(world.agent)).status == 200
    for kid in ("enc", "ops"):
        assert call(connection, NamedBroker(kid).token(world.agent)).code == "invalid-token"


def test_the_servers_certificate_is_verified(world, upstream, keys, broker, launch, reach):
    """By the authorities that the configuration names, and by no others."""
    gateway = launch(configuration(world, upstream, keys, ca_file=str(world.agents.file)), until="/healthz")
    assert call(reach(gateway).http1(world.agent), broker.token(world.agent)).status == 503
    assert not keys.requests


def test_a_server_of_another_name_is_refused(world, upstream, broker, launch, reach):
    server = KeyServer(world.servers.issue(dns=["elsewhere.example.test"]), broker)
    gateway = launch(configuration(world, upstream, server), until="/healthz")
    assert call(reach(gateway).http1(world.agent), broker.token(world.agent)).status == 503
    assert not server.requests
    server.close()


def test_keys_over_plain_http_are_refused_by_name(world, upstream, tmp_path):
    made = world.issuer(jwks_url=f"{upstream.url}/keys.json")
    del made["jwks_file"]
    told = sallyport(
        "check", "--config", str(Gateway(tmp_path, world.configuration(upstream.url, issuers=[made])).file)
    )
    assert told.returncode == 1
    assert "jwks_url" in told.stderr and "https" in told.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"jwks_file": "both.json"},
        {"jwks_url": "nonsense"},
        {"jwks_url": "https://user:password@localhost/keys"},
        {"jwks_url": "file:///etc/passwd"},
        {"refresh_interval": "0s"},
        {"ca_file": "/nonexistent"},
    ],
)
def test_what_makes_no_sense_is_refused_by_name(world, upstream, keys, tmp_path, changes):
    made = configuration(world, upstream, keys, **changes)
    told = sallyport("check", "--config", str(Gateway(tmp_path, made).file))
    assert told.returncode == 1
    assert next(iter(changes)).split("_")[0] in told.stderr


def test_bug_28_what_a_token_says_of_keys_is_not_followed(world, upstream, keys, broker, launch, reach):
    """An issuer that nobody configured, and addresses of keys in the header: no request leaves the gateway."""
    bait = KeyServer(world.server, broker)
    connection = reach(launch(configuration(world, upstream, keys))).http1(world.agent)
    asked = len(keys.requests)
    stranger = NamedBroker("stranger", bait.url)
    for token in (
        stranger.token(world.agent),
        stranger.token(world.agent, header={"jku": bait.location}),
        NamedBroker("first").token(world.agent, header={"jku": bait.location}),
        NamedBroker("first").forge(broker.header(x5u=bait.location, jku=bait.location), broker.claims(world.agent)),
        broker.token(world.agent, cnf={"jku": bait.location}),
    ):
        assert call(connection, token).code == "invalid-token"
    assert call(connection, broker.token(world.agent)).status == 200
    assert len(keys.requests) == asked and not bait.requests and not bait.connections
    bait.close()


@pytest.mark.parametrize(
    "kid", ["../../keys", "first?x=1", "first#", "http://127.0.0.1/", "first\r\nHost: x", "%2e%2e"]
)
def test_J10_the_name_of_a_key_is_no_part_of_an_address(world, upstream, keys, broker, launch, reach, kid):
    connection = reach(launch(configuration(world, upstream, keys))).http1(world.agent)
    token = broker.forge(broker.header(kid=kid), broker.claims(world.agent))
    assert call(connection, token).code == "invalid-token"
    assert {request.start_line for request in keys.requests} == {"GET /keys.json HTTP/1.1"}
    assert kid.encode() not in keys.received


def test_J8_keys_of_one_issuer_are_not_anothers(world, upstream, keys, broker, launch, reach):
    """Even where both use the same name for a key."""
    other = NamedBroker("first", "https://second.example.test")
    second = KeyServer(world.server, other)
    issuers = [issuer(world, keys), {**issuer(world, second), "issuer": other.issuer}]
    routes = [route("any", "/any/{rest...}", issuers=[ISSUER, other.issuer])]
    connection = reach(launch(world.configuration(upstream.url, routes, issuers=issuers))).http1(world.agent)
    assert call(connection, broker.token(world.agent)).status == 200
    assert call(connection, other.token(world.agent)).status == 200
    assert call(connection, broker.token(world.agent, iss=other.issuer)).code == "invalid-token"
    assert call(connection, other.token(world.agent, iss=ISSUER)).code == "invalid-token"
    second.close()


def test_a_reload_keeps_the_keys(world, upstream, keys, broker, launch, reach):
    """A source that is down at the moment of a reload takes nothing away."""
    gateway = launch(configuration(world, upstream, keys))
    keys.answer = BAD_ANSWERS["500"]
    changed = json.loads(json.dumps(gateway.configuration))
    changed["routes"].append(route("new", "/new/{x}"))
    gateway.reload(changed)
    connection = reach(gateway).http1(world.agent)
    gateway.wait(lambda: connection.call("GET", "/new/a", broker.token(world.agent)).status == 200, "the new route")


def test_many_callers_without_keys_wait_for_one_fetch(world, upstream, keys, broker, launch, reach):
    """Bug 22: many tokens, no keys, and a source that dies in the middle of its answer."""
    keys.answer = BAD_ANSWERS["500"]
    gateway = launch(configuration(world, upstream, keys), until="/healthz")
    keys.answer = BAD_ANSWERS["cut in the middle, bug 22"]
    connection = reach(gateway).http2(world.agent)
    streams = [connection.start("GET", "/any/a", broker.token(world.agent)) for _ in range(50)]
    assert {connection.response(stream).status for stream in streams} == {503}
    assert len(keys.requests) < 10
    assert not upstream.requests


# What the first of all gateways of this module has come to, some seconds after its start


def test_what_has_not_changed_is_not_sent_again(aged, reach, world, upstream):
    """RFC 9110 §13.1.2: with the tag of what is known, and a 304 renews it."""
    source = aged.refreshed("same")
    assert source.requests[0].header("if-none-match") is None
    assert source.requests[1].header("if-none-match") == source.tag
    assert call(reach(aged.gateway).http1(world.agent), aged.token(world, "same")).status == 200
    assert "same.example.test" not in json.dumps(aged.gateway.events("keys.rotated"))


def test_a_withdrawn_key_is_believed_no_more(aged, reach, world, upstream):
    """Tokens that it signed are refused, though they were accepted before."""
    connection = reach(aged.gateway).http1(world.agent)
    aged.refreshed("new")
    token = aged.token(world, "new")
    aged.gateway.wait(lambda: call(connection, token).status == 401, "the withdrawn key to go")
    assert call(connection, aged.successor.token(world.agent)).status == 200
    rotated = aged.gateway.wait(lambda: aged.gateway.events("keys.rotated"), "the rotation on record")
    assert "new.example.test" in json.dumps(rotated)


@pytest.mark.parametrize("name", ["down", "bad"])
def test_keys_outlive_their_source(aged, reach, world, upstream, name):
    """A source that is down, or tells nonsense, takes nothing away."""
    aged.refreshed(name)
    connection = reach(aged.gateway).http1(world.agent)
    assert call(connection, aged.token(world, name)).status == 200
    assert call(connection, NamedBroker("unknown", aged.brokers[name].issuer).token(world.agent)).status == 401
    assert aged.gateway.observe("/readyz") == 200
    assert f"{name}.example.test" not in json.dumps(aged.gateway.events("keys.rotated"))
