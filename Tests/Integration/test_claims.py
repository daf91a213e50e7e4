"""Composite identity: what a route demands of any claim, of the sponsor, and of the user's sign-in (RFC 9470)."""

import time

import pytest

from clients import Client
from credentials import ABSENT
from proofs import Holder, await_proofs, presented
from world import route

DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ROUTES = [
    route("equals", "/equals/{x}", claims={"config_digest": DIGEST}),
    route("one-of", "/one-of/{x}", claims={"model": ["m-1", "m-2"]}),
    route("prefix", "/prefix/{x}", claims={"attestation": {"prefix": "tdx:"}}),
    route("number", "/number/{x}", claims={"level": 3}),
    route("text", "/text/{x}", claims={"level": "3"}),
    route("flag", "/flag/{x}", claims={"certified": True}),
    route("all", "/all/{x}", claims={"model": ["m-1"], "config_digest": DIGEST, "attestation": {"prefix": "tdx:"}}),
    route("sponsored", "/sponsored/{x}", sponsor=True),
    route("strong", "/strong/{x}", acr=["urn:example:strong", "urn:example:stronger"]),
    route("recent", "/recent/{x}", max_age="5m"),
    route("step-up", "/step-up/{x}", acr=["urn:example:strong"], max_age="1m", scope="read:things:{x}"),
    route("bound", "/bound/{x}", possession=["dpop"]),
    route("strong-bound", "/strong-bound/{x}", possession=["dpop"], acr=["urn:example:strong"]),
]


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    return launch(world.configuration(the_upstream.url, ROUTES, possession={"dpop": {"future_skew": "1s"}}))


@pytest.fixture(scope="module")
def connections(gateway, world):
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


def now() -> int:
    return int(time.time())


ALLOWED = {
    "equals": ("/equals/1", {"config_digest": DIGEST}),
    "equals one of a list": ("/equals/1", {"config_digest": ["sha256:0", DIGEST]}),
    "the first of several": ("/one-of/1", {"model": "m-1"}),
    "the last of several": ("/one-of/1", {"model": "m-2"}),
    "a list that holds one": ("/one-of/1", {"model": ["m-0", "m-2"]}),
    "a prefix": ("/prefix/1", {"attestation": "tdx:abc"}),
    "a prefix alone": ("/prefix/1", {"attestation": "tdx:"}),
    "a prefix within a list": ("/prefix/1", {"attestation": ["sev:x", "tdx:y"]}),
    "a number": ("/number/1", {"level": 3}),
    "a number as text": ("/text/1", {"level": "3"}),
    "a flag": ("/flag/1", {"certified": True}),
    "all of them": ("/all/1", {"model": "m-1", "config_digest": DIGEST, "attestation": "tdx:a"}),
    "a sponsor": ("/sponsored/1", {}),
    "a sponsor by another name": ("/sponsored/1", {"sponsor": ABSENT, "original_principal": "user:a@example.test"}),
}

NAMES = {
    "/equals/1": "config_digest",
    "/one-of/1": "model",
    "/prefix/1": "attestation",
    "/number/1": "level",
    "/text/1": "level",
}

REFUSED = {
    "equals, absent": ("/equals/1", {}),
    "equals, another": ("/equals/1", {"config_digest": "sha256:0"}),
    "equals, in other case": ("/equals/1", {"config_digest": DIGEST.upper()}),
    "equals, that goes on": ("/equals/1", {"config_digest": DIGEST + "0"}),
    "equals, a space behind it": ("/equals/1", {"config_digest": DIGEST + " "}),
    "equals, empty": ("/equals/1", {"config_digest": ""}),
    "equals, null": ("/equals/1", {"config_digest": None}),
    "equals, an object": ("/equals/1", {"config_digest": {"sha256": DIGEST}}),
    "equals, inside another claim": ("/equals/1", {"extra": {"config_digest": DIGEST}}),
    "equals, a list in a list": ("/equals/1", {"config_digest": [[DIGEST]]}),
    "one of, another": ("/one-of/1", {"model": "m-3"}),
    "one of, an empty list": ("/one-of/1", {"model": []}),
    "one of, other elements": ("/one-of/1", {"model": ["m-0", "m-3"]}),
    "one of, both in one string": ("/one-of/1", {"model": "m-1 m-2"}),
    "one of, a number": ("/one-of/1", {"model": 1}),
    "prefix, behind something": ("/prefix/1", {"attestation": "x tdx:abc"}),
    "prefix, in other case": ("/prefix/1", {"attestation": "TDX:abc"}),
    "prefix, cut": ("/prefix/1", {"attestation": "tdx"}),
    "prefix, a number": ("/prefix/1", {"attestation": 7}),
    "a number as a string": ("/number/1", {"level": "3"}),
    "a string as a number": ("/text/1", {"level": 3}),
    "another number": ("/number/1", {"level": 4}),
    "a number that is not whole": ("/number/1", {"level": 3.5}),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_is_allowed(connections, world, upstream, protocol, name):
    target, changes = ALLOWED[name]
    assert connections[protocol].call("GET", target, world.broker.token(world.agent, **changes)).status == 200
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(connections, gateway, world, upstream, protocol, name):
    target, changes = REFUSED[name]
    claims = world.broker.claims(world.agent, **changes)
    told = connections[protocol].call("GET", target, world.broker.forge(world.broker.header(), claims))
    assert (told.status, told.code) == (403, "policy")
    assert gateway.reason(told) == f"policy.claim.{NAMES[target]}"
    assert not upstream.requests


@pytest.mark.parametrize("value", [False, "true", "True", 1, None, "yes"])
def test_a_flag_is_a_flag(connections, gateway, world, upstream, protocol, value):
    told = connections[protocol].call("GET", "/flag/1", world.broker.token(world.agent, certified=value))
    assert (told.status, told.code, gateway.reason(told)) == (403, "policy", "policy.claim.certified")


@pytest.mark.parametrize("missing", ["model", "config_digest", "attestation"])
def test_every_claim_must_hold(connections, gateway, world, upstream, protocol, missing):
    changes = {"model": "m-1", "config_digest": DIGEST, "attestation": "tdx:a", missing: "another"}
    told = connections[protocol].call("GET", "/all/1", world.broker.token(world.agent, **changes))
    assert (told.status, told.code, gateway.reason(told)) == (403, "policy", f"policy.claim.{missing}")
    assert not upstream.requests


def test_a_sponsor_must_be_named(connections, gateway, world, upstream, protocol):
    told = connections[protocol].call("GET", "/sponsored/1", world.broker.token(world.agent, sponsor=ABSENT))
    assert (told.status, told.code, gateway.reason(told)) == (403, "policy", "policy.sponsor")
    assert not upstream.requests


def test_what_the_answer_says_is_the_same_whatever_the_claim(connections, world, upstream, protocol):
    """Which rule there is, and which of them was not met, is nobody's business."""
    answers = set()
    for target, changes in (("/equals/1", {}), ("/one-of/1", {}), ("/sponsored/1", {"sponsor": ABSENT})):
        told = connections[protocol].call("GET", target, world.broker.token(world.agent, **changes))
        answers.add((told.status, told.problem["title"], tuple(told.challenges)))
        assert b"digest" not in told.body and b"model" not in told.body
    assert len(answers) == 1


# RFC 9470: step-up

STEPPED_UP = {
    "one of the contexts": ("/strong/1", lambda: {"acr": "urn:example:stronger"}),
    "signed in lately": ("/recent/1", lambda: {"auth_time": now() - 60}),
    "both": ("/step-up/1", lambda: {"acr": "urn:example:strong", "auth_time": now() - 10}),
}

TOO_WEAK = {
    "no acr": ("/strong/1", dict),
    "another acr": ("/strong/1", lambda: {"acr": "urn:example:weak"}),
    "acr in other case": ("/strong/1", lambda: {"acr": "URN:example:strong"}),
    "no auth_time": ("/recent/1", dict),
    "signed in long ago": ("/recent/1", lambda: {"auth_time": now() - 400}),
    "the right context, long ago": ("/step-up/1", lambda: {"acr": "urn:example:strong", "auth_time": now() - 120}),
    "another context, lately": ("/step-up/1", lambda: {"acr": "urn:example:weak", "auth_time": now()}),
}


@pytest.mark.parametrize("name", STEPPED_UP)
def test_a_good_sign_in_suffices(connections, world, upstream, protocol, name):
    target, changes = STEPPED_UP[name]
    token = world.broker.token(world.agent, scope="read:things:1", **changes())
    assert connections[protocol].call("GET", target, token).status == 200


@pytest.mark.parametrize("name", TOO_WEAK)
def test_a_better_sign_in_is_asked_for(connections, gateway, world, upstream, protocol, name):
    target, changes = TOO_WEAK[name]
    token = world.broker.token(world.agent, scope="read:things:1", **changes())
    told = connections[protocol].call("GET", target, token)
    assert (told.status, told.code) == (401, "insufficient-authentication")
    challenge = next(value for value in told.challenges if value.startswith("Bearer "))
    assert 'error="insufficient_user_authentication"' in challenge
    assert ('acr_values="' in challenge) == (target != "/recent/1")
    assert ('max_age="' in challenge) == (target != "/strong/1")
    assert gateway.reason(told).startswith("policy.")
    assert not upstream.requests


def test_the_challenge_says_what_would_do(connections, world, upstream, protocol):
    told = connections[protocol].call("GET", "/strong/1", world.broker.token(world.agent))
    assert any('acr_values="urn:example:strong urn:example:stronger"' in value for value in told.challenges)
    told = connections[protocol].call("GET", "/recent/1", world.broker.token(world.agent))
    assert any('max_age="300"' in value for value in told.challenges)


@pytest.mark.parametrize("value", ["x", None, -1, True, [1], 1e300])
def test_a_sign_in_at_no_time_is_none(connections, world, upstream, protocol, value):
    claims = world.broker.claims(world.agent, auth_time=value)
    token = world.broker.forge(world.broker.header(), claims)
    told = connections[protocol].call("GET", "/recent/1", token)
    assert told.status == 401
    assert not upstream.requests


def test_a_step_up_under_dpop_is_told_there(gateway, connections, world, upstream, protocol):
    holder = Holder()
    await_proofs(gateway, world, holder)
    for acr, status in (("urn:example:weak", 401), ("urn:example:strong", 200)):
        token = world.broker.token(world.agent, cnf=holder.cnf, acr=acr)
        proof = holder.proof("GET", f"{gateway.origin}/strong-bound/1", token)
        told = connections[protocol].call("GET", "/strong-bound/1", fields=presented(token, proof))
        assert told.status == status
        if status == 401:
            assert [value.split(" ")[0] for value in told.challenges] == ["DPoP"]
            assert 'error="insufficient_user_authentication"' in told.challenges[0]
