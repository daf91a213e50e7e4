"""Tokens as the AgentWrit broker writes them: EdDSA, no `cnf`, scopes as a list; the peer's SPIFFE ID confirms them."""

import time

import pytest

from clients import Client
from credentials import ABSENT, AUDIENCE, LIBRARIES, AgentWritBroker, base64url, cnf
from world import route

ISSUER = "https://agentwrit.example.test"


@pytest.fixture(scope="module")
def agentwrit() -> AgentWritBroker:
    return AgentWritBroker(ISSUER)


def issuer(world, broker, **changes) -> dict:
    file = world.write("agentwrit.jwks.json", broker.jwks())
    made = {"issuer": broker.issuer, "profile": "agentwrit", "audiences": [AUDIENCE], "jwks_file": str(file)}
    return {**made, "algorithms": ["EdDSA"], **changes}


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch, agentwrit):
    routes = [
        route("svid", "/orders/{x}", issuers=[ISSUER], possession=["svid"], scope="read:orders:{x}"),
        route("certificate", "/certificate/{x}", issuers=[ISSUER]),
    ]
    return launch(world.configuration(the_upstream.url, routes, issuers=[world.issuer(), issuer(world, agentwrit)]))


@pytest.fixture(scope="module")
def connections(gateway, world):
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


def now() -> int:
    return int(time.time())


def claims(**changes):
    return lambda w, b: b.forge(b.header(), b.claims(w.agent, **changes))


def header(**changes):
    return lambda w, b: b.forge(b.header(**changes), b.claims(w.agent))


ACCEPTED = {
    "as it should be": claims(),
    "typ in other case": header(typ="jwt"),
    "no kid": header(kid=ABSENT),
    "no nbf": claims(nbf=ABSENT),
    "several scopes": claims(scope=["write:orders:1", "read:orders:*"]),
    "scopes as a string": claims(scope="write:orders:1 read:orders:42"),
    "an audience that is no list": claims(aud=AUDIENCE),
    "a sid": claims(sid="session-1"),
    "an empty chain": claims(delegation_chain=[]),
}

REFUSED = {
    "typ of an access token": (header(typ="at+jwt"), "token.type"),
    "no typ": (header(typ=ABSENT), "token.type"),
    "typ of a proof": (header(typ="dpop+jwt"), "token.type"),
    "kid of another key": (header(kid=base64url(bytes(32))), "token."),
    "kid that is no thumbprint": (header(kid="EdDSA"), "token."),
    "alg Ed25519, which is another name": (header(alg="Ed25519"), "token."),
    "alg none": (header(alg="none"), "token.algorithm"),
    "no leeway: expired a moment ago": (lambda w, b: claims(iat=now() - 60, nbf=now() - 60, exp=now() - 1)(w, b), ""),
    "no leeway: not valid for a moment": (lambda w, b: claims(nbf=now() + 5)(w, b), "token.not-yet-valid"),
    "no leeway: issued in a moment": (lambda w, b: claims(iat=now() + 5, nbf=ABSENT)(w, b), "token.issued-in-future"),
    **{f"no {name}": (claims(**{name: ABSENT}), "token.") for name in ("iss", "aud", "sub", "exp", "iat", "jti")},
    "another audience": (claims(aud=["https://elsewhere.test"]), "token.audience"),
    "another's key": (lambda w, b: AgentWritBroker(ISSUER).token(w.agent), "token."),
    "the subject of an application": (claims(sub="app:orders"), "possession."),
    "the subject of the administrator": (claims(sub="admin"), "possession."),
    "the subject of another agent": (lambda w, b: b.token(w.other), "possession.subject-mismatch"),
    "exp of zero": (claims(exp=0), "token."),
    "actors, which its broker does not write": (claims(act={"sub": "app:orders"}), "token.delegation-unsupported"),
    "a chain that is no list": (claims(delegation_chain={}), "lineage.form"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_is_accepted(connections, world, agentwrit, upstream, protocol, name):
    told = connections[protocol].call("GET", "/orders/42", ACCEPTED[name](world, agentwrit))
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == world.agent.spiffe_id
    assert upstream.request.header("sallyport-orchestration") == "orchestration-1"
    assert upstream.request.header("sallyport-task") == "task-1"


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(connections, gateway, world, agentwrit, upstream, protocol, name):
    mint, reason = REFUSED[name]
    told = connections[protocol].call("GET", "/orders/42", mint(world, agentwrit))
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told).startswith(reason)
    assert not upstream.requests


@pytest.mark.parametrize("library", LIBRARIES)
def test_tokens_of_both_libraries(connections, world, agentwrit, upstream, protocol, library):
    token = agentwrit.token(world.agent, library=library)
    assert connections[protocol].call("GET", "/orders/42", token).status == 200


def test_its_scope_is_judged(connections, world, agentwrit, upstream, protocol):
    told = connections[protocol].call("GET", "/orders/43", agentwrit.token(world.agent))
    assert (told.status, told.code) == (403, "insufficient-scope")
    assert not upstream.requests


def test_a_stolen_token_is_refused(client, world, agentwrit, upstream, protocol):
    token = agentwrit.token(world.agent)
    assert client.open(protocol, world.other).call("GET", "/orders/42", token).code == "invalid-token"
    assert client.open(protocol, world.agent).call("GET", "/orders/42", token).status == 200


def test_without_svid_a_token_without_a_confirmation_is_refused(connections, world, agentwrit, upstream, protocol):
    told = connections[protocol].call("GET", "/certificate/1", agentwrit.token(world.agent))
    assert (told.status, told.code) == (401, "invalid-token")
    bound = agentwrit.token(world.agent, cnf=cnf(world.agent))
    assert connections[protocol].call("GET", "/certificate/1", bound).status == 200


def test_J12_the_profiles_exclude_each_other(connections, world, agentwrit, upstream, protocol):
    """A token of one issuer in the form of the other's is refused, though the signature is good."""
    as_oauth = agentwrit.forge(agentwrit.header(typ="at+jwt"), world.broker.claims(world.agent, iss=ISSUER))
    assert connections[protocol].call("GET", "/orders/42", as_oauth).code == "invalid-token"
    as_agentwrit = world.broker.forge(
        world.broker.header("EdDSA", typ="JWT"), agentwrit.claims(world.agent, iss=world.broker.issuer), "EdDSA"
    )
    assert connections[protocol].call("GET", "/orders/42", as_agentwrit).code == "invalid-token"
    assert not upstream.requests


def test_ed25519_where_it_is_configured_so(world, upstream, launch, reach):
    broker = AgentWritBroker(ISSUER, ("Ed25519",))
    routes = [route("svid", "/orders/{x}", issuers=[ISSUER], possession=["svid"])]
    made = issuer(world, broker, algorithms=["Ed25519"])
    made["jwks_file"] = str(world.write("agentwrit-ed25519.jwks.json", broker.jwks()))
    connection = reach(launch(world.configuration(upstream.url, routes, issuers=[made]))).http1(world.agent)
    assert connection.call("GET", "/orders/42", broker.token(world.agent, "Ed25519")).status == 200
    old = broker.forge(broker.header("Ed25519", alg="EdDSA"), broker.claims(world.agent), "Ed25519")
    assert connection.call("GET", "/orders/42", old).code == "invalid-token"
