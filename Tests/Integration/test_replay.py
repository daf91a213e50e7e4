"""D12: a proof is used once, by one call that was allowed, whatever happens at the same time (bugs 16 and 17)."""

import copy
import secrets
import signal
import threading
import time

import pytest

from credentials import cnf
from proofs import Holder, await_proofs, presented
from world import route

PUBLIC_NAME = "gateway.example.test"
ROUTES = [
    route("bound", "/bound/{rest...}", possession=["dpop"]),
    route("certificate", "/certificate/{x}"),
    route("scoped", "/scoped/{x}", possession=["dpop"], scope="read:orders:{x}"),
]


def configuration(world, upstream, routes=None, **possession) -> dict:
    possession = {"dpop": {"future_skew": "1s"}, **possession}
    return world.configuration(upstream.url, copy.deepcopy(routes or ROUTES), possession=possession)


@pytest.fixture(scope="module")
def holder() -> Holder:
    return Holder()


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch, holder):
    made = configuration(world, the_upstream)
    made["listeners"][0]["origins"].append(f"https://{PUBLIC_NAME}")
    gateway = launch(made)
    await_proofs(gateway, world, holder)
    return gateway


@pytest.fixture
def token(world, holder) -> str:
    return world.broker.token(world.agent, cnf=holder.cnf)


def bound(gateway, holder, token, target="/bound/1", **changes) -> list[tuple[str, str]]:
    """The fields of a call with a new proof."""
    return presented(token, holder.proof("GET", changes.pop("htu", gateway.origin + target), token, **changes))


def assert_replayed(gateway, told) -> None:
    assert (told.status, told.code) == (401, "invalid-proof")
    assert any('error="invalid_dpop_proof"' in challenge for challenge in told.challenges)
    assert gateway.reason(told) == "replay.used"


def test_a_proof_is_used_once(connection, gateway, world, upstream, holder, token):
    fields = bound(gateway, holder, token)
    assert connection.call("GET", "/bound/1", fields=fields).status == 200
    for _ in range(3):
        assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))
    assert len(upstream.requests) == 1
    assert connection.call("GET", "/bound/1", fields=bound(gateway, holder, token)).status == 200


def test_another_connection_or_protocol_does_not_help(client, gateway, world, upstream, holder, token):
    """Connections are spread over the workers, which share what they know."""
    fields = bound(gateway, holder, token)
    assert client.http1(world.agent).call("GET", "/bound/1", fields=fields).status == 200
    for protocol in ["http/1.1", "h2"] * 6:
        assert_replayed(gateway, client.open(protocol, world.agent).call("GET", "/bound/1", fields=fields))
    assert len(upstream.requests) == 1


OTHER_SPELLINGS = {
    "a query": lambda o: f"{o}/bound/a?x",
    "another query": lambda o: f"{o}/bound/a?x=2",
    "a fragment": lambda o: f"{o}/bound/a#x",
    "the host in capitals": lambda o: f"{o}/bound/a".replace("localhost", "LOCALHOST"),
    "the scheme in capitals": lambda o: f"{o}/bound/a".replace("https", "HTTPS"),
    "a character encoded": lambda o: f"{o}/bound/%61",
    "dot segments": lambda o: f"{o}/bound/b/../a",
    "a default port": lambda o: f"https://{PUBLIC_NAME}:443/bound/a",
}


@pytest.mark.parametrize("name", OTHER_SPELLINGS)
def test_bug_16_another_spelling_of_the_uri_does_not_make_a_new_proof(
    client, gateway, world, upstream, protocol, holder, token, name
):
    """The same identifier, signed anew by the same key over another spelling of the same URI, in both orders."""
    is_public = PUBLIC_NAME in OTHER_SPELLINGS[name](gateway.origin)
    origin = f"https://{PUBLIC_NAME}" if is_public else gateway.origin
    spellings = [f"{origin}/bound/a", OTHER_SPELLINGS[name](gateway.origin)]
    options = {"name": PUBLIC_NAME} if is_public else {}
    connection = client.open(protocol, world.agent, **options)
    host = PUBLIC_NAME if is_public else ""
    for first, second in (spellings, spellings[::-1]):
        jti = secrets.token_urlsafe(16)
        fields = bound(gateway, holder, token, htu=first, jti=jti)
        assert connection.call("GET", "/bound/a", fields=fields, host=host).status == 200
        fields = bound(gateway, holder, token, htu=second, jti=jti)
        assert_replayed(gateway, connection.call("GET", "/bound/a", fields=fields, host=host))


def test_the_same_identifier_for_another_call_is_a_replay_too(connection, gateway, world, upstream, holder, token):
    """Another URI, another method, another moment, another token: the key has used the identifier up."""
    jti = secrets.token_urlsafe(16)
    assert connection.call("GET", "/bound/1", fields=bound(gateway, holder, token, jti=jti)).status == 200
    fields = bound(gateway, holder, token, "/bound/2", jti=jti)
    assert_replayed(gateway, connection.call("GET", "/bound/2", fields=fields))
    fields = presented(token, holder.proof("POST", f"{gateway.origin}/bound/1", token, jti=jti))
    assert_replayed(gateway, connection.call("POST", "/bound/1", fields=fields))
    fields = bound(gateway, holder, token, jti=jti, iat=time.time())
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))
    other = world.broker.token(world.agent, cnf=holder.cnf)
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=bound(gateway, holder, other, jti=jti)))
    assert len(upstream.requests) == 1


def test_bug_17_two_keys_may_use_the_same_identifier(connection, gateway, world, upstream):
    jti = secrets.token_urlsafe(16)
    for holder in (Holder(), Holder(), Holder("Ed25519")):
        token = world.broker.token(world.agent, cnf=holder.cnf)
        assert connection.call("GET", "/bound/1", fields=bound(gateway, holder, token, jti=jti)).status == 200
        assert_replayed(gateway, connection.call("GET", "/bound/1", fields=bound(gateway, holder, token, jti=jti)))


IDENTIFIERS = ["a", "A", "a ", " a", "a\0", "aa", "\u00e1", "a\u0301", "😀"]


@pytest.mark.parametrize("jti", IDENTIFIERS)
def test_identifiers_are_compared_byte_for_byte(connection, gateway, world, upstream, jti):
    holder = Holder()
    token = world.broker.token(world.agent, cnf=holder.cnf)
    for each in sorted(IDENTIFIERS, key=lambda other: other == jti):
        assert connection.call("GET", "/bound/1", fields=bound(gateway, holder, token, jti=each)).status == 200
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=bound(gateway, holder, token, jti=jti)))


# Many at once


class Volley:
    """The same requests over many connections, let go at one moment."""

    def __init__(self, client, agent, protocols):
        self.connections = [client.open(protocol, agent) for protocol in protocols]
        self.barrier = threading.Barrier(len(self.connections))
        self.answers = []
        self.lock = threading.Lock()

    def fire(self, fields: list, each: int) -> list:
        """Sends one request `each` times on every connection; gives all answers."""
        self.answers = []
        threads = [threading.Thread(target=self._run, args=(c, fields, each)) for c in self.connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(self.answers) == len(self.connections) * each
        return self.answers

    def _run(self, connection, fields, each):
        self.barrier.wait()
        if hasattr(connection, "start"):
            streams = [connection.start("GET", "/bound/1", fields=fields) for _ in range(each)]
            told = [connection.response(stream) for stream in streams]
        else:
            connection.send(connection.head("GET", "/bound/1", fields=fields) * each)
            told = [connection.reader.response() for _ in range(each)]
        with self.lock:
            self.answers += told


def test_bug_17_of_a_hundred_at_once_exactly_one_passes(client, gateway, world, upstream, holder):
    volley = Volley(client, world.agent, ["http/1.1", "h2"] * 10)
    for _ in range(5):
        upstream.clear()
        token = world.broker.token(world.agent, cnf=holder.cnf)
        answers = volley.fire(bound(gateway, holder, token), each=5)
        assert sorted(told.status for told in answers) == [200] + [401] * 99
        assert {told.code for told in answers if told.status == 401} == {"invalid-proof"}
        assert len(upstream.requests) == 1


# What is refused for another reason uses nothing up


REFUSED_FIRST = {
    "two proofs": (400, lambda c, fields: c.call("GET", "/bound/1", fields=[*fields, fields[1]])),
    "two tokens": (400, lambda c, fields: c.call("GET", "/bound/1", fields=[*fields, fields[0]])),
    "a token in the query": (400, lambda c, fields: c.call("GET", "/bound/1?access_token=x", fields=fields)),
    "another method": (401, lambda c, fields: c.call("POST", "/bound/1", fields=fields)),
    "another path": (401, lambda c, fields: c.call("GET", "/bound/2", fields=fields)),
    "no route": (404, lambda c, fields: c.call("GET", "/nothing", fields=fields)),
    "another authority": (421, lambda c, fields: c.call("GET", "/bound/1", fields=fields, host="elsewhere.test")),
    "another scheme": (
        401,
        lambda c, fields: c.call("GET", "/bound/1", fields=[("Authorization", "Bearer" + fields[0][1][4:]), fields[1]]),
    ),
    "no token": (401, lambda c, fields: c.call("GET", "/bound/1", fields=fields[1:])),
    "a token that was tampered with": (
        401,
        lambda c, fields: c.call("GET", "/bound/1", fields=[(fields[0][0], fields[0][1] + "AAAA"), fields[1]]),
    ),
    "a proof that was tampered with": (
        401,
        lambda c, fields: c.call("GET", "/bound/1", fields=[fields[0], ("DPoP", fields[1][1][:-8] + "AAAAAAAA")]),
    ),
}


@pytest.mark.parametrize("name", REFUSED_FIRST)
def test_a_refused_call_uses_nothing_up(connection, gateway, upstream, holder, token, name):
    """The same token and proof pass afterwards, once."""
    status, attempt = REFUSED_FIRST[name]
    fields = bound(gateway, holder, token)
    assert attempt(connection, fields).status == status
    assert connection.call("GET", "/bound/1", fields=fields).status == 200
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))
    assert len(upstream.requests) == 1


def test_a_thief_uses_nothing_up(client, gateway, world, upstream, holder):
    """Who saw a token and its proof, but has another certificate, cannot keep the owner out."""
    token = world.broker.token(world.agent, cnf={**holder.cnf, **cnf(world.agent)})
    fields = bound(gateway, holder, token)
    told = client.http1(world.other).call("GET", "/bound/1", fields=fields)
    assert (told.status, told.code) == (401, "invalid-token")
    assert client.http1(world.agent).call("GET", "/bound/1", fields=fields).status == 200
    assert len(upstream.requests) == 1


def test_another_key_uses_nothing_up(connection, gateway, world, upstream, holder, token):
    """A proof by another key with the same identifier, which is refused for its key."""
    jti = secrets.token_urlsafe(16)
    fields = presented(token, Holder().proof("GET", f"{gateway.origin}/bound/1", token, jti=jti))
    assert connection.call("GET", "/bound/1", fields=fields).status == 401
    assert connection.call("GET", "/bound/1", fields=bound(gateway, holder, token, jti=jti)).status == 200


def test_a_call_that_policy_refused_uses_nothing_up(world, upstream, launch, reach, protocol):
    """The very same call passes once the route has been changed: for its scope, and for the proofs that it takes."""
    strict = [
        route("scoped", "/scoped/{x}", possession=["dpop"], scope="write:orders:{x}"),
        route("bound", "/bound/{x}", possession=["certificate"]),
        route("open", "/open/{x}", possession=["dpop"]),
    ]
    holder = Holder()
    gateway = launch(configuration(world, upstream, strict))
    await_proofs(gateway, world, holder, "/open/0")
    connection = reach(gateway).open(protocol, world.agent)
    token = world.broker.token(world.agent, cnf=holder.cnf)
    scoped, other = (bound(gateway, holder, token, target) for target in ("/scoped/42", "/bound/1"))
    for target, fields, code in (("/scoped/42", scoped, "insufficient-scope"), ("/bound/1", other, "policy")):
        for _ in range(2):
            told = connection.call("GET", target, fields=fields)
            assert (told.status, told.code) == (403, code)
    changed = copy.deepcopy(gateway.configuration)
    changed["routes"] = copy.deepcopy(ROUTES)
    gateway.reload(changed)
    for target, fields in (("/scoped/42", scoped), ("/bound/1", other)):
        gateway.wait(lambda t=target, f=fields: connection.call("GET", t, fields=f).status == 200, "the new routes")
        assert_replayed(gateway, connection.call("GET", target, fields=fields))


def test_an_upstream_that_fails_has_had_the_call(connection, gateway, upstream, holder, token):
    """The call was allowed, and may have been carried out: its proof is used up."""
    upstream.answer = lambda opened, request: opened.reset()
    fields = bound(gateway, holder, token)
    assert connection.call("GET", "/bound/1", fields=fields).status == 502
    upstream.clear()
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))


def test_a_reload_forgets_no_proof(world, upstream, launch, reach, protocol):
    holder = Holder()
    gateway = launch(configuration(world, upstream))
    await_proofs(gateway, world, holder)
    connection = reach(gateway).open(protocol, world.agent)
    token = world.broker.token(world.agent, cnf=holder.cnf)
    fields = bound(gateway, holder, token)
    assert connection.call("GET", "/bound/1", fields=fields).status == 200
    changed = copy.deepcopy(gateway.configuration)
    changed["routes"].append(route("new", "/new/{x}", possession=["dpop"]))
    gateway.reload(changed)
    fresh = reach(gateway).open(protocol, world.agent)
    gateway.wait(
        lambda: fresh.call("GET", "/new/1", fields=bound(gateway, holder, token, "/new/1")).status == 200, "the route"
    )
    assert_replayed(gateway, fresh.call("GET", "/bound/1", fields=fields))
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))


def test_a_reload_that_lets_proofs_be_used_longer_is_refused(world, upstream, launch):
    gateway = launch(configuration(world, upstream))
    for window, skew in [("61s", "10s"), ("60s", "11s")]:
        changed = copy.deepcopy(gateway.configuration)
        changed["possession"] = {"dpop": {"accept_window": window}, "wpt": {"future_skew": skew}}
        before = len(gateway.events("alert.raised"))
        gateway.write(changed)
        gateway.signal(signal.SIGHUP)
        gateway.wait(lambda: len(gateway.events("alert.raised")) > before, "the refusal")
        assert gateway.events("alert.raised")[-1]["reason"] == "config.rejected"
    changed["possession"] = {"dpop": {"accept_window": "60s"}, "wpt": {"future_skew": "10s"}}
    gateway.reload(changed)


# Capacity and restarts


def overloaded(gateway, told) -> str:
    """The reason of an answer that says that there is no room."""
    assert (told.status, told.code) == (503, "unavailable")
    assert told.header("retry-after")
    assert not told.challenges
    return gateway.reason(told)


def test_a_full_table_is_503_until_proofs_expire(world, upstream, launch, reach, protocol):
    """Nothing that could still be used again is ever forgotten for the sake of something new."""
    possession = {"dpop": {"accept_window": "6s", "future_skew": "1s"}, "replay": {"capacity": 16}}
    gateway = launch(configuration(world, upstream, **possession))
    await_proofs(gateway, world, Holder())
    connection = reach(gateway).open(protocol, world.agent)
    passed, told = [], None
    while told is None or told.status == 200:
        holder = Holder()
        token = world.broker.token(world.agent, cnf=holder.cnf)
        fields = bound(gateway, holder, token)
        told = connection.call("GET", "/bound/1", fields=fields)
        passed.append(fields)
        assert len(passed) < 40
    assert overloaded(gateway, told) == "replay.full"
    assert len(passed) > 8
    statuses = {connection.call("GET", "/bound/1", fields=fields).status for fields in passed[:-1]}
    assert statuses <= {401, 503} and 401 in statuses
    assert connection.call("GET", "/certificate/1", world.broker.token(world.agent)).status == 200

    def is_free():
        fields = bound(gateway, holder, token)
        return connection.call("GET", "/bound/1", fields=fields).status == 200

    gateway.wait(is_free, "room again once the proofs have expired")


def test_one_key_cannot_fill_the_table(world, upstream, launch, reach):
    gateway = launch(configuration(world, upstream, replay={"capacity": 100}))
    flooder, holder = Holder(), Holder()
    await_proofs(gateway, world, Holder())
    connection = reach(gateway).http1(world.agent)
    token = world.broker.token(world.agent, cnf=flooder.cnf)
    told = None
    while told is None or told.status == 200:
        told = connection.call("GET", "/bound/1", fields=bound(gateway, flooder, token))
    assert overloaded(gateway, told) == "replay.share"
    token = world.broker.token(world.agent, cnf=holder.cnf)
    assert connection.call("GET", "/bound/1", fields=bound(gateway, holder, token)).status == 200


def test_bug_17_a_restart_opens_no_window(world, upstream, launch, reach, protocol):
    """Proofs made before the start are refused, used or not: nobody can know any more."""
    gateway = launch(configuration(world, upstream, dpop={"future_skew": "0s"}))
    holder = Holder()
    await_proofs(gateway, world, holder)
    token = world.broker.token(world.agent, cnf=holder.cnf)
    used, unused = (bound(gateway, holder, token, iat=time.time()) for _ in range(2))
    assert reach(gateway).open(protocol, world.agent).call("GET", "/bound/1", fields=used).status == 200
    assert gateway.stop() == 0
    gateway.start()
    connection = reach(gateway).open(protocol, world.agent)
    for fields in (used, unused):
        told = connection.call("GET", "/bound/1", fields=fields)
        assert (told.status, told.code) == (401, "invalid-proof")
        assert gateway.reason(told) == "replay.before-start"
    fields = bound(gateway, holder, token, iat=time.time())
    assert connection.call("GET", "/bound/1", fields=fields).status == 200
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))


@pytest.mark.parametrize("ends", ["stopped", "killed"])
def test_a_proof_dated_ahead_does_not_outlive_a_restart(world, upstream, launch, reach, ends):
    """It was accepted within the allowance for clocks, and would still be fresh afterwards."""
    gateway = launch(configuration(world, upstream, dpop={"future_skew": "3s"}))
    holder = Holder()
    token = world.broker.token(world.agent, cnf=holder.cnf)
    connection = reach(gateway).http1(world.agent)

    def ahead():
        fields = bound(gateway, holder, token, iat=time.time() + 2.9)
        return fields if connection.call("GET", "/bound/1", fields=fields).status == 200 else None

    used = gateway.wait(ahead, "a proof dated ahead to be accepted")
    if ends == "killed":
        gateway.process.kill()
        gateway.process.wait()
    else:
        assert gateway.stop() == 0
    gateway.start()
    connection = reach(gateway).http1(world.agent)
    told = connection.call("GET", "/bound/1", fields=used)
    assert (told.status, told.code) == (401, "invalid-proof")

    def is_accepted():
        fields = bound(gateway, holder, token, iat=time.time())
        return connection.call("GET", "/bound/1", fields=fields).status == 200

    gateway.wait(is_accepted, "a proof of after the start")
    assert connection.call("GET", "/bound/1", fields=used).status == 401


def test_proofs_of_a_client_without_certificate(world, upstream, launch, reach, protocol):
    """A key is enough where the listener does not ask for a certificate."""
    made = configuration(world, upstream)
    made["listeners"][0]["clients"]["certificate"] = "optional"
    gateway = launch(made)
    holder = Holder()
    await_proofs(gateway, world, holder)
    token = world.broker.token(world.agent, cnf=holder.cnf)
    fields = bound(gateway, holder, token)
    connection = reach(gateway).open(protocol)
    assert connection.call("GET", "/bound/1", fields=fields).status == 200
    assert_replayed(gateway, connection.call("GET", "/bound/1", fields=fields))
    second = reach(gateway).open(protocol, world.agent)
    assert_replayed(gateway, second.call("GET", "/bound/1", fields=fields))
