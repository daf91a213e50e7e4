"""D10: nonces of the resource server (RFC 9449 §8, §9, §11.3): asked for, repeated, renewed, and this node's alone."""

import re
import secrets

import pytest

from credentials import ABSENT, base64url
from proofs import Holder, await_proofs, presented
from world import route

ROUTES = [
    route("bound", "/bound/{x}", possession=["dpop"]),
    route("certificate", "/certificate/{x}", possession=["certificate", "dpop"]),
]


def configuration(world, upstream, **dpop) -> dict:
    possession = {"dpop": {"nonce": "required", "future_skew": "1s", **dpop}}
    return world.configuration(upstream.url, ROUTES, possession=possession)


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    return launch(configuration(world, the_upstream))


@pytest.fixture(scope="module")
def holder() -> Holder:
    return Holder()


class Caller:
    """Makes calls with proofs that repeat a nonce."""

    def __init__(self, gateway, world, holder, connection):
        self.gateway = gateway
        self.holder = holder
        self.connection = connection
        self.token = world.broker.token(world.agent, cnf=holder.cnf)

    def call(self, nonce=ABSENT, **changes):
        proof = self.holder.proof("GET", f"{self.gateway.origin}/bound/1", self.token, nonce=nonce, **changes)
        return self.connection.call("GET", "/bound/1", fields=presented(self.token, proof))

    def nonce(self) -> str:
        """What the gateway gives to who has none."""
        return self.call().header("dpop-nonce")


@pytest.fixture
def caller(gateway, world, holder, connection) -> Caller:
    return Caller(gateway, world, holder, connection)


def test_a_nonce_is_asked_for_and_then_suffices(caller, gateway, upstream):
    told = caller.call()
    assert (told.status, told.code) == (401, "nonce-required")
    assert len(told.challenges) == 1 and told.challenges[0].startswith("DPoP ")
    assert 'error="use_dpop_nonce"' in told.challenges[0] and 'algs="' in told.challenges[0]
    nonce = told.header("dpop-nonce")
    assert re.fullmatch(r"[\x21\x23-\x5b\x5d-\x7e]{16,}", nonce)
    assert "no-store" in told.header("cache-control")
    assert gateway.reason(told).startswith("dpop.nonce")
    assert not upstream.requests
    assert caller.call(nonce).status == 200
    assert len(upstream.requests) == 1


def test_every_proof_is_still_used_once(caller, gateway, upstream):
    """A nonce may be repeated, a proof may not."""
    nonce, jti = caller.nonce(), secrets.token_urlsafe(16)
    assert caller.call(nonce, jti=jti).status == 200
    told = caller.call(nonce, jti=jti)
    assert (told.status, told.code, gateway.reason(told)) == (401, "invalid-proof", "replay.used")
    assert caller.call(nonce).status == 200


def test_to_be_asked_for_a_nonce_uses_nothing_up(caller):
    jti = secrets.token_urlsafe(16)
    nonce = caller.call(jti=jti).header("dpop-nonce")
    assert caller.call(nonce, jti=jti).status == 200


@pytest.mark.parametrize(
    "change",
    [
        lambda n: n[:-1],
        lambda n: n + "A",
        lambda n: n.swapcase(),
        lambda n: n[::-1],
        lambda n: n + "=",
        lambda n: n + " ",
        lambda n: f"{n},{n}",
        lambda n: base64url(secrets.token_bytes(16)),
        lambda n: "x" * 2000,
    ],
    ids=["cut", "longer", "other case", "backwards", "padded", "a space", "twice", "made up", "very long"],
)
def test_only_our_own_will_do(caller, upstream, change):
    nonce = caller.nonce()
    told = caller.call(change(nonce))
    assert (told.status, told.code) == (401, "nonce-required")
    assert told.header("dpop-nonce")
    assert not upstream.requests
    assert caller.call(nonce).status == 200


@pytest.mark.parametrize("value", [7, None, ["{}"], "", {"a": "b"}, True])
def test_a_nonce_is_a_string(caller, upstream, value):
    told = caller.call(value)
    assert told.status == 401 and told.code in ("invalid-proof", "nonce-required")
    assert not upstream.requests


def test_a_bad_proof_is_told_nothing_of_nonces(caller, gateway, upstream):
    """Only who has the key is given a nonce to repeat: to everybody else the proof is bad."""
    told = caller.call(htm="POST")
    assert (told.status, told.code) == (401, "invalid-proof")
    told = caller.call(caller.nonce(), htm="POST")
    assert (told.status, told.code) == (401, "invalid-proof")
    assert not upstream.requests


def test_tokens_bound_to_a_certificate_need_none(connection, world, upstream):
    told = connection.call("GET", "/certificate/1", world.broker.token(world.agent))
    assert told.status == 200
    assert told.header("dpop-nonce") is None


def test_an_upstreams_nonce_is_not_ours(caller, upstream):
    """A service behind the gateway, or whoever owns it, cannot make clients use another nonce."""
    nonce = caller.nonce()

    def answer(opened, request):
        opened.answer(200, b"", ("DPoP-Nonce", "of-the-upstream"), ("dpop_nonce", "x"))

    upstream.answer = answer
    told = caller.call(nonce)
    assert told.status == 200
    assert "of-the-upstream" not in dict(told.fields).values()


def test_a_restart_makes_all_nonces_invalid(world, upstream, launch, reach):
    gateway = launch(configuration(world, upstream, future_skew="0s"))
    holder = Holder()
    old = Caller(gateway, world, holder, reach(gateway).http1(world.agent)).nonce()
    assert gateway.stop() == 0
    gateway.start()
    caller = Caller(gateway, world, holder, reach(gateway).http1(world.agent))
    told = caller.call(old)
    assert (told.status, told.code) == (401, "nonce-required")
    new = told.header("dpop-nonce")
    assert new != old
    gateway.wait(lambda: caller.call(new).status == 200, "the new nonce to be accepted")
    assert caller.call(old).code == "nonce-required"


def test_a_nonce_of_another_node_is_none_of_ours(world, upstream, gateway, launch, reach, holder, client):
    """So a proof that was used at one node cannot be used at the next, and the nodes share nothing."""
    second = launch(configuration(world, upstream))
    ours = Caller(gateway, world, holder, client.http1(world.agent))
    theirs = Caller(second, world, holder, reach(second).http1(world.agent))
    nonce = ours.nonce()
    told = theirs.call(nonce)
    assert (told.status, told.code) == (401, "nonce-required")
    assert told.header("dpop-nonce") not in (None, nonce)
    assert ours.call(told.header("dpop-nonce")).code == "nonce-required"
    assert ours.call(nonce).status == 200


def test_workers_share_their_nonces(caller, client, world):
    """Whichever worker a connection is led to."""
    nonce = caller.nonce()
    for _ in range(12):
        caller.connection = client.http1(world.agent)
        assert caller.call(nonce).status == 200


def test_without_nonces_none_is_told(world, upstream, launch, reach, protocol):
    gateway = launch(configuration(world, upstream, nonce="off"))
    holder = Holder()
    await_proofs(gateway, world, holder)
    caller = Caller(gateway, world, holder, reach(gateway).open(protocol, world.agent))
    for told in (caller.call(), caller.call("anything"), caller.call(htm="POST")):
        assert told.header("dpop-nonce") is None
        assert told.status == 200 or told.code == "invalid-proof"
