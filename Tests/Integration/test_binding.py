"""Whether the token belongs to whoever sends it: its confirmations, and its subject."""

import base64
import urllib.parse

import pytest

from credentials import ABSENT, base64url, cnf
from proofs import Holder
from world import route

KEY = Holder()
PUBLIC = KEY.public


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
    "M1 bound to another certificate": ("/bound/1", lambda w: {"cnf": cnf(w.other)}),
    "M1 bound to another certificate, where svid would do": ("/either/1", lambda w: {"cnf": cnf(w.other)}),
    "M1 bound to another certificate, on a route for svid": ("/svid/1", lambda w: {"cnf": cnf(w.other)}),
    "C2 no cnf": ("/bound/1", lambda w: {"cnf": ABSENT}),
    "C2 no cnf, where a mismatch of subjects is allowed": ("/mismatch/1", lambda w: {"cnf": ABSENT}),
    "C2 an empty cnf": ("/bound/1", lambda w: {"cnf": {}}),
    "C2 an empty cnf, where svid would do": ("/svid/1", lambda w: {"cnf": {}}),
    "C2 a cnf of unknown members only": ("/bound/1", lambda w: {"cnf": {"color": "blue"}}),
    "C2 a cnf of unknown members only, where svid would do": ("/svid/1", lambda w: {"cnf": {"color": "blue"}}),
    "another subject": ("/bound/1", lambda w: {"sub": w.other.spiffe_id}),
    "another subject, on a route for svid": ("/svid/1", lambda w: {"sub": w.other.spiffe_id, "cnf": ABSENT}),
    "a subject that is no SPIFFE ID, on a route for svid": ("/svid/1", lambda w: {"sub": "client-7", "cnf": ABSENT}),
    "a subject that goes on after the peer's": ("/svid/1", lambda w: {"sub": w.agent.spiffe_id + "/x", "cnf": ABSENT}),
    "C1 cnf a list": ("/bound/1", lambda w: {"cnf": [cnf(w.agent)]}),
    "C1 cnf null": ("/bound/1", lambda w: {"cnf": None}),
    "C1 jwk and jku": ("/bound/1", lambda w: {"cnf": {"jwk": PUBLIC, "jku": "https://elsewhere.test"}}),
    "C1 jwk and jwe": ("/bound/1", lambda w: {"cnf": {"jwk": PUBLIC, "jwe": "a.b.c.d.e"}}),
    "C2 kid alone": ("/bound/1", lambda w: {"cnf": {"kid": "key-1"}}),
    "C2 kid beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "kid": "key-1"}}),
    "C2 osc beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "osc": {}}}),
    "C3 jku beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "jku": "https://elsewhere.test"}}),
    "C4 jwe, which nobody can open": ("/bound/1", lambda w: {"cnf": {"jwe": "a.b.c.d.e"}}),
    "C4 a symmetric key": ("/bound/1", lambda w: {"cnf": {"jwk": {"kty": "oct", "k": "AQAB"}}}),
    "C4 a symmetric key beside ours": (
        "/bound/1",
        lambda w: {"cnf": {**cnf(w.agent), "jwk": {"kty": "oct", "k": "AQAB"}}},
    ),
    "C4 a private key": ("/bound/1", lambda w: {"cnf": {"jwk": KEY.private}}),
    "C4 a malformed key beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "jwk": {"kty": "EC"}}}),
    "C4 jku, which nobody follows": ("/bound/1", lambda w: {"cnf": {"jku": "http://127.0.0.1:1/keys"}}),
    "D14 jkt in hex": ("/bound/1", lambda w: {"cnf": {"jkt": bytes(32).hex()}}),
    "D14 jkt padded": ("/bound/1", lambda w: {"cnf": {"jkt": KEY.thumbprint + "="}}),
    "D14 jkt cut": ("/bound/1", lambda w: {"cnf": {"jkt": KEY.thumbprint[:-2]}}),
    "D14 jkt by SHA-1": ("/bound/1", lambda w: {"cnf": {"jkt": base64url(bytes(20))}}),
    "D14 jkt empty": ("/bound/1", lambda w: {"cnf": {"jkt": ""}}),
    "D14 jkt null beside ours": ("/bound/1", lambda w: {"cnf": {**cnf(w.agent), "jkt": None}}),
    "D14 jkt a list": ("/bound/1", lambda w: {"cnf": {"jkt": [KEY.thumbprint]}}),
    "D14 jkt with a trailing bit": ("/bound/1", lambda w: {"cnf": {"jkt": base64url(bytes(31) + b"\1")[:-1] + "F"}}),
    "M2 the thumbprint in hex": ("/bound/1", lambda w: {"cnf": {"x5t#S256": w.agent.fingerprint}}),
    "M2 the thumbprint padded": ("/bound/1", lambda w: {"cnf": {"x5t#S256": w.agent.thumbprint + "="}}),
    "M2 the thumbprint cut": ("/bound/1", lambda w: {"cnf": {"x5t#S256": w.agent.thumbprint[:-2]}}),
    "M2 an empty thumbprint": ("/bound/1", lambda w: {"cnf": {"x5t#S256": ""}}),
    "M2 the thumbprint in a list": ("/bound/1", lambda w: {"cnf": {"x5t#S256": [w.agent.thumbprint]}}),
    "M2 SHA-1": ("/bound/1", lambda w: {"cnf": {"x5t": base64url(bytes(20))}}),
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
def test_M1_a_stolen_token_is_refused(client, gateway, world, upstream, protocol, target):
    """The thief's certificate is as good as any."""
    thief = client.open(protocol, world.other)
    told = thief.call("GET", target, world.broker.token(world.agent))
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told).startswith("possession.")
    assert thief.call("GET", target, world.broker.token(world.other)).status == 200
    assert len(upstream.requests) == 1


def test_M5_a_renewed_certificate_of_the_same_key_is_another(client, world, upstream, protocol):
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


# Confirmations that need a proof by a key: test_dpop.py has the proofs themselves

NEED_A_PROOF = {
    "jkt": lambda w: {"jkt": KEY.thumbprint},
    "C3 jkt beside ours": lambda w: {**cnf(w.agent), "jkt": KEY.thumbprint},
    "jwk": lambda w: {"jwk": PUBLIC},
    "C3 jwk beside ours": lambda w: {**cnf(w.agent), "jwk": PUBLIC},
    "C3 jwk and jkt": lambda w: {"jwk": PUBLIC, "jkt": KEY.thumbprint},
    "jkt, and an unknown member": lambda w: {"jkt": KEY.thumbprint, "color": "blue"},
}


@pytest.mark.parametrize("target", ["/bound/1", "/svid/1", "/either/1", "/mismatch/1"])
@pytest.mark.parametrize("case", NEED_A_PROOF)
def test_D16_without_a_proof_the_peers_certificate_does_not_help(connection, world, upstream, case, target):
    told = connection.call("GET", target, world.broker.token(world.agent, cnf=NEED_A_PROOF[case](world)))
    assert (told.status, told.code) == (401, "invalid-proof")
    assert not upstream.requests


def test_M6_no_field_takes_the_place_of_a_certificate(world, upstream, launch, reach, protocol):
    """Where the listener lets clients in without one, what they say of certificates is nothing to it (RFC 9440)."""
    configuration = world.configuration(upstream.url, [route("bound", "/bound/{x}")])
    configuration["listeners"][0]["clients"]["certificate"] = "optional"
    gateway = launch(configuration)
    der = base64.b64encode(world.agent.der).decode()
    token = world.broker.token(world.agent)
    pem = urllib.parse.quote(world.agent.chain_file.read_text())
    connection = reach(gateway).open(protocol)
    for fields in (
        [],
        [("Client-Cert", f":{der}:")],
        [("X-Forwarded-Client-Cert", f"Hash={world.agent.fingerprint};Cert={pem}")],
        [("X-SSL-Client-Cert", pem), ("X-SSL-Client-Verify", "SUCCESS")],
        [("X-Amzn-Mtls-Clientcert", pem)],
    ):
        told = connection.call("GET", "/bound/1", token, fields)
        assert (told.status, told.code) == (401, "invalid-token")
        assert gateway.reason(told) == "possession.certificate-missing"
    assert not upstream.requests
    assert reach(gateway).open(protocol, world.agent).call("GET", "/bound/1", token).status == 200
