"""Whether the token belongs to whoever sends it: its confirmations, and its subject."""

import pytest

from credentials import ABSENT, base64url, cnf
from world import route


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    routes = [
        route("bound", "/bound/{x}"),
        route("svid", "/svid/{x}", possession=["svid"]),
        route("either", "/either/{x}", possession=["certificate", "svid"]),
        route("mismatch", "/mismatch/{x}", dangerously_allow_subject_mismatch=True),
    ]
    return launch(world.configuration(the_upstream.url, routes))


ALLOWED = {
    "bound to this certificate": ("/bound/1", lambda w: {}),
    "no cnf, and the subject is the peer": ("/svid/1", lambda w: {"cnf": ABSENT}),
    "no cnf, where either will do": ("/either/1", lambda w: {"cnf": ABSENT}),
    "cnf, where either will do": ("/either/1", lambda w: {}),
    "cnf and the peer's subject, where only svid will do": ("/svid/1", lambda w: {}),
    "an unknown member beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "color": "blue"}}),
    "another subject where that is allowed": ("/mismatch/1", lambda w: {"sub": w.other.spiffe_id}),
    "a subject that is no SPIFFE ID": ("/bound/1", lambda w: {"sub": "client-7"}),
}

REFUSED = {
    "bound to another certificate": ("/bound/1", lambda w: {"cnf": cnf(w.other)}),
    "bound to another certificate, where svid would do": ("/either/1", lambda w: {"cnf": cnf(w.other)}),
    "bound to another certificate, on a route for svid": ("/svid/1", lambda w: {"cnf": cnf(w.other)}),
    "no cnf": ("/bound/1", lambda w: {"cnf": ABSENT}),
    "no cnf, where a mismatch of subjects is allowed": ("/mismatch/1", lambda w: {"cnf": ABSENT}),
    "an empty cnf": ("/bound/1", lambda w: {"cnf": {}}),
    "an empty cnf, where svid would do": ("/svid/1", lambda w: {"cnf": {}}),
    "a cnf of unknown members only": ("/bound/1", lambda w: {"cnf": {"color": "blue"}}),
    "a cnf of unknown members only, where svid would do": ("/svid/1", lambda w: {"cnf": {"color": "blue"}}),
    "another subject": ("/bound/1", lambda w: {"sub": w.other.spiffe_id}),
    "another subject, on a route for svid": ("/svid/1", lambda w: {"sub": w.other.spiffe_id, "cnf": ABSENT}),
    "a subject that is no SPIFFE ID, on a route for svid": ("/svid/1", lambda w: {"sub": "client-7", "cnf": ABSENT}),
    "a subject that goes on after the peer's": ("/svid/1", lambda w: {"sub": w.agent.spiffe_id + "/x", "cnf": ABSENT}),
    "jkt, which cannot be proved yet": ("/bound/1", lambda w: {"cnf": {"jkt": base64url(bytes(32))}}),
    "jkt beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "jkt": base64url(bytes(32))}}),
    "jwk beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "jwk": {"kty": "EC"}}}),
    "jku beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "jku": "https://elsewhere.test"}}),
    "jkt, where svid would do": ("/svid/1", lambda w: {"cnf": {"jkt": base64url(bytes(32))}}),
    "the thumbprint in hex": ("/bound/1", lambda w: {"cnf": {"x5t#S256": w.agent.fingerprint}}),
    "the thumbprint padded": ("/bound/1", lambda w: {"cnf": {"x5t#S256": w.agent.thumbprint + "="}}),
    "the thumbprint cut": ("/bound/1", lambda w: {"cnf": {"x5t#S256": w.agent.thumbprint[:-2]}}),
    "an empty thumbprint": ("/bound/1", lambda w: {"cnf": {"x5t#S256": ""}}),
    "the thumbprint in a list": ("/bound/1", lambda w: {"cnf": {"x5t#S256": [w.agent.thumbprint]}}),
    "SHA-1": ("/bound/1", lambda w: {"cnf": {"x5t": base64url(bytes(20))}}),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_is_allowed(connection, world, upstream, case):
    target, changes = ALLOWED[case]
    assert connection.call("GET", target, world.broker.token(world.agent, **changes(world))).status == 200
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(connection, world, upstream, case):
    target, changes = REFUSED[case]
    told = connection.call("GET", target, world.broker.token(world.agent, **changes(world)))
    assert (told.status, told.code) == (401, "invalid-token")
    assert any('error="invalid_token"' in challenge for challenge in told.challenges)
    assert not upstream.requests


@pytest.mark.parametrize("target", ["/bound/1", "/svid/1", "/either/1", "/mismatch/1"])
def test_a_stolen_token_is_refused(client, gateway, world, upstream, protocol, target):
    """The thief's certificate is as good as any."""
    thief = client.open(protocol, world.other)
    told = thief.call("GET", target, world.broker.token(world.agent))
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told).startswith("possession.")
    assert thief.call("GET", target, world.broker.token(world.other)).status == 200
    assert len(upstream.requests) == 1


def test_a_renewed_certificate_of_the_same_key_is_another(client, world, upstream, protocol):
    """RFC 8705 binds to the certificate, not to its key."""
    renewed = world.agents.agent(key=world.agent.key)
    assert renewed.spiffe_id == world.agent.spiffe_id
    told = client.open(protocol, renewed).call("GET", "/bound/1", world.broker.token(world.agent))
    assert (told.status, told.code) == (401, "invalid-token")
    assert client.open(protocol, renewed).call("GET", "/bound/1", world.broker.token(renewed)).status == 200


def test_a_token_is_judged_anew_on_each_connection(client, world, upstream, protocol):
    """That it was verified, and is cached, for its owner helps nobody else."""
    token = world.broker.token(world.agent)
    owners = [client.open(protocol, world.agent) for _ in range(4)]
    thieves = [client.open(protocol, world.other) for _ in range(4)]
    for owner, thief in zip(owners, thieves, strict=True):
        assert owner.call("GET", "/bound/1", token).status == 200
        assert thief.call("GET", "/bound/1", token).status == 401
        assert owner.call("GET", "/bound/1", token).status == 200
