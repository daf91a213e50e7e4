"""Revocations that others tell of: status lists, and security events that are fetched or delivered."""

import copy
import json
import threading
from concurrent import futures

import pytest

from credentials import ABSENT, ISSUER, Broker
from feeds import (
    CREDENTIAL_CHANGE,
    RECEIVER,
    TRANSMITTER,
    EventSigner,
    ListServer,
    Transmitter,
    complex_subject,
    jwt_id,
    opaque,
    packed,
    push,
    status,
    uri,
)
from gateway import sallyport
from world import route

ROUTES = [route("any", "/any/{rest...}")]
PATH = "/security/events"
AUTHORIZATION = "Bearer of-the-transmitter"


def call(connection, token: str):
    return connection.call("GET", "/any/a", token)


def secret(world, name: str, text: str) -> str:
    file = world.write(name, text + "\n")
    file.chmod(0o600)
    return str(file)


def configuration(world, upstream, *feeds: dict, **settings) -> dict:
    made = world.configuration(upstream.url, ROUTES)
    made["revocation"] = {"store": {"path": "state/revocations.db"}, "feeds": list(feeds), **settings}
    return made


def denied(gateway, response, reason: str, status: int = 401) -> None:
    assert response.status == status, response
    assert gateway.reason(response) == reason


# Status lists


@pytest.fixture
def lists(world):
    server = ListServer(world.server, world.broker)
    server.lists["1"] = [0, 1, 2, 3]
    yield server
    server.close()


def list_feed(world, lists, **changes) -> dict:
    feed = {
        "name": "lists",
        "type": "status_list",
        "url": lists.pattern,
        "issuer": ISSUER,
        "refresh_interval": "1s",
        "maximum_staleness": "20s",
        "ca_file": str(world.servers.file),
    }
    return {**feed, **changes}


def listed(world, lists, place: int, name: str = "1") -> str:
    return world.broker.token(world.agent, status=status(lists.uri(name), place))


def test_only_the_status_valid_passes(world, upstream, lists, launch, reach, protocol):
    """The first token that names a list waits for it; every other is judged by what is known."""
    gateway = launch(configuration(world, upstream, list_feed(world, lists)))
    connection = reach(gateway).open(protocol, world.agent)
    assert lists.requests == []
    assert call(connection, listed(world, lists, 0)).status == 200
    assert lists.requests[0].start_line == "GET /lists/1 HTTP/1.1"
    assert lists.requests[0].header("accept") == "application/statuslist+jwt"
    for place in (1, 2, 3):
        denied(gateway, call(connection, listed(world, lists, place)), "revocation.status")
    # The list ends at a whole byte: four statuses of two bits.
    denied(gateway, call(connection, listed(world, lists, 4)), "revocation.status-invalid")


def test_a_token_without_the_claim_passes(world, upstream, lists, launch, reach):
    gateway = launch(configuration(world, upstream, list_feed(world, lists)))
    connection = reach(gateway).http1(world.agent)
    assert call(connection, world.broker.token(world.agent)).status == 200
    assert call(connection, world.broker.token(world.agent, status={})).status == 200
    assert lists.requests == []


def test_without_a_feed_the_claim_says_nothing(world, upstream, lists, launch, reach):
    gateway = launch(configuration(world, upstream))
    assert call(reach(gateway).http1(world.agent), listed(world, lists, 1)).status == 200
    assert lists.requests == []


@pytest.mark.parametrize(
    "claim", ["revoked", 1, {"status_list": {}}, {"status_list": {"idx": -1, "uri": "https://a/1"}}], ids=str
)
def test_a_malformed_claim_refuses_the_token(world, upstream, lists, launch, reach, claim):
    gateway = launch(configuration(world, upstream, list_feed(world, lists)))
    response = call(reach(gateway).http1(world.agent), world.broker.token(world.agent, status=claim))
    denied(gateway, response, "token.claim-invalid.status")


@pytest.mark.parametrize("path", ["/other/1", "/lists/../other/1", "/lists/%2e%2e/1", "/lists/1?a=b", "/lists/"])
def test_nothing_is_fetched_that_the_operator_did_not_name(world, upstream, lists, launch, reach, path):
    """A token cannot make the gateway ask anybody (server-side request forgery)."""
    gateway = launch(configuration(world, upstream, list_feed(world, lists)))
    token = world.broker.token(world.agent, status=status(lists.url + path, 0))
    denied(gateway, call(reach(gateway).http1(world.agent), token), "revocation.status-invalid")
    assert lists.requests == []


def test_a_status_that_changes_takes_effect(world, upstream, lists, launch, reach, protocol):
    """The list says how long it may be kept (ttl): a second."""
    gateway = launch(configuration(world, upstream, list_feed(world, lists, refresh_interval="10s")))
    connection, token = reach(gateway).open(protocol, world.agent), listed(world, lists, 0)
    assert call(connection, token).status == 200
    lists.lists["1"] = [1]
    lists.await_fetch("1")
    denied(gateway, call(connection, token), "revocation.status")
    lists.lists["1"] = [0]
    lists.await_fetch("1")
    assert call(connection, token).status == 200


BAD_LISTS = {
    "another key": lambda lists: setattr(lists, "broker", Broker(ISSUER, ("ES256",))),
    "another URI": lambda lists: lists.claims.update(sub=lists.uri("2")),
    "another issuer": lambda lists: lists.claims.update(iss="https://other.example.test"),
    "no time": lambda lists: lists.claims.update(iat=ABSENT),
    "expired": lambda lists: lists.claims.update(exp=1),
    "three bits": lambda lists: lists.claims.update(status_list={"bits": 3, "lst": packed([0])}),
    "not compressed": lambda lists: lists.claims.update(status_list={"bits": 1, "lst": "AAAA"}),
    "a bomb": lambda lists: lists.claims.update(status_list={"bits": 1, "lst": packed([0] * (136 << 20))}),
    "closed": lambda lists: setattr(lists, "answer", lambda opened, request: opened.close()),
    "500": lambda lists: setattr(lists, "answer", lambda opened, request: opened.answer(500)),
    "a type of its own": lambda lists: setattr(
        lists, "answer", lambda opened, request: opened.answer(200, lists.token("1", {"typ": "JWT"}).encode())
    ),
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_a_list_that_cannot_be_believed_lets_nobody_in(world, upstream, lists, launch, reach, name):
    gateway = launch(configuration(world, upstream, list_feed(world, lists)))
    BAD_LISTS[name](lists)
    connection = reach(gateway).http1(world.agent)
    response = call(connection, listed(world, lists, 0))
    denied(gateway, response, "revocation.stale", 503)
    assert response.header("retry-after")
    # Nobody else is held up by that.
    assert call(connection, world.broker.token(world.agent)).status == 200


def test_a_stale_list_lets_nobody_in_until_it_is_heard_again(world, upstream, lists, launch, reach):
    feed = list_feed(world, lists, maximum_staleness="3s", url=lists.uri("1"))
    gateway = launch(configuration(world, upstream, feed))
    connection, token = reach(gateway).http1(world.agent), listed(world, lists, 0)
    assert call(connection, token).status == 200
    lists.answer = lambda opened, request: opened.answer(500)
    gateway.wait(lambda: call(connection, token).status == 503, "the list to become stale")
    denied(gateway, call(connection, token), "revocation.stale", 503)
    # What was revoked stays revoked.
    denied(gateway, call(connection, listed(world, lists, 1)), "revocation.status")
    gateway.wait(lambda: gateway.observe("/readyz") == 503, "/readyz to tell")
    alerts = gateway.wait(lambda: gateway.events("alert.raised"), "the alert")
    assert [alert["reason"] for alert in alerts] == ["feed.stale"]
    lists.answer = lists.serve
    gateway.wait(lambda: call(connection, token).status == 200, "the list to be heard again")
    gateway.wait(lambda: gateway.observe("/readyz") == 200, "/readyz to tell")


def test_a_stale_list_may_be_believed_where_the_operator_says_so(world, upstream, lists, launch, reach):
    feed = list_feed(world, lists, maximum_staleness="2s", when_stale="allow")
    gateway = launch(configuration(world, upstream, feed))
    lists.answer = lambda opened, request: opened.answer(500)
    assert call(reach(gateway).http1(world.agent), listed(world, lists, 0)).status == 200
    assert "dangerous" in gateway.said


# Events that are asked for


@pytest.fixture
def transmitter(world):
    server = Transmitter(world.server, EventSigner())
    yield server
    server.close()


def poll_feed(world, transmitter, name="polled", **changes) -> dict:
    feed = {
        "name": name,
        "type": "set_poll",
        "url": transmitter.location,
        "issuer": TRANSMITTER,
        "audience": RECEIVER,
        "authorization_file": secret(world, "poll.secret", Transmitter.AUTHORIZATION),
        "jwks_file": str(world.write("signals.jwks.json", transmitter.signer.broker.jwks())),
        "algorithms": ["ES256"],
        "poll_interval": "1s",
        "maximum_staleness": "20s",
        "ca_file": str(world.servers.file),
    }
    return {**feed, **changes}


def signalled(subject: dict):
    """A subject, as `session-revoked` of it."""
    return {"subject": subject}


# What is taken back of a call of the agent with a token, and the reason that the next call with it is denied for.
SUBJECTS = {
    "a token": (lambda agent, claims: signalled(jwt_id(ISSUER, claims["jti"])), "revocation.token"),
    "an agent by URI": (lambda agent, claims: signalled(uri(agent.spiffe_id)), "revocation.agent"),
    "an agent by subject": (
        lambda agent, claims: signalled({"format": "iss_sub", "iss": ISSUER, "sub": agent.spiffe_id}),
        "revocation.agent",
    ),
    "a task": (lambda agent, claims: signalled(complex_subject(task=opaque(claims["task_id"]))), "revocation.task"),
    "a task of an orchestration": (
        lambda agent, claims: signalled(
            complex_subject(task=opaque(claims["task_id"]), orchestration=opaque(claims["orchestration_id"]))
        ),
        "revocation.task",
    ),
    "a chain": (lambda agent, claims: signalled(complex_subject(chain=uri(agent.spiffe_id))), "revocation.chain"),
    "a certificate": (
        lambda agent, claims: {
            "subject": uri(agent.spiffe_id),
            "event": CREDENTIAL_CHANGE,
            "content": {"change_type": "revoke", "credential_type": "x509", "fingerprint": agent.fingerprint},
        },
        "revocation.certificate",
    ),
    "a certificate by serial": (
        lambda agent, claims: {
            "subject": uri(agent.spiffe_id),
            "event": CREDENTIAL_CHANGE,
            "content": {
                "change_type": "revoke",
                "credential_type": "x509",
                "x509_issuer": agent.certificate.issuer.rfc4514_string(),
                "x509_serial": f"{agent.certificate.serial_number:x}",
            },
        },
        "revocation.certificate",
    ),
}


@pytest.mark.parametrize("name", SUBJECTS)
def test_what_an_event_takes_back_is_refused_once_it_is_acknowledged(
    world, upstream, transmitter, launch, reach, name
):
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter)))
    agent = world.agents.agent(f"/agent/{name.replace(' ', '-')}/1")
    claims = world.broker.claims(agent, task_id=f"task of {name}".replace(" ", "-"))
    token = world.broker.forge(world.broker.header(), claims)
    assert call(reach(gateway).http1(agent), token).status == 200
    subject, reason = SUBJECTS[name]
    identifier = transmitter.emit(**subject(agent, claims))
    transmitter.await_end(identifier)
    assert transmitter.refused == {}
    # Its connections may be closed and new ones refused, before any call: that is as good.
    client = reach(gateway)
    if reason in ("revocation.token", "revocation.task"):
        denied(gateway, call(client.http1(agent), token), reason)
    else:
        refusals = gateway.wait(lambda: refused_connections(gateway, client, agent, token), "a refusal")
        assert reason in refusals
    # Nobody else is.
    assert call(reach(gateway).http1(world.other), world.broker.token(world.other)).status == 200


def refused_connections(gateway, client, agent, token) -> list[str]:
    """Tries to call, and gives why connections or calls were refused so far."""
    try:
        call(client.http1(agent), token)
    except OSError:
        pass
    except Exception as closed:  # the reader's own word for it
        if type(closed).__name__ != "Closed":
            raise
    records = gateway.events("connection.refused") + gateway.events("request.denied")
    return [record["reason"] for record in records]


def test_a_task_of_another_orchestration_goes_on(world, upstream, transmitter, launch, reach):
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter)))
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    subject = complex_subject(task=opaque("task-1"), orchestration=opaque("orchestration-2"))
    transmitter.await_end(transmitter.emit(subject))
    assert call(connection, token).status == 200


def test_an_event_is_acknowledged_once_and_counts_once(world, upstream, transmitter, launch, reach):
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter)))
    event, identifier = transmitter.signer.token(jwt_id(ISSUER, "nobody"))
    transmitter.offer(event, identifier)
    transmitter.await_end(identifier)
    transmitter.offer(event, identifier)
    transmitter.wait(lambda: transmitter.acknowledged.count(identifier) == 2, "the second acknowledgement")
    assert len(gateway.events("revocation.added")) <= 1


def test_many_events_come_in_several_answers(world, upstream, transmitter, launch, reach):
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter, poll_interval="5s")))
    transmitter.largest = 3
    tokens = [world.broker.claims(world.agent) for _ in range(10)]
    identifiers = [transmitter.emit(jwt_id(ISSUER, claims["jti"])) for claims in tokens]
    for identifier in identifiers:
        transmitter.await_end(identifier)
    connection = reach(gateway).http1(world.agent)
    for claims in tokens:
        response = call(connection, world.broker.forge(world.broker.header(), claims))
        denied(gateway, response, "revocation.token")


BAD_EVENTS = {
    "for another": ({"aud": "https://other.example.test"}, "invalid_audience"),
    "of another": ({"iss": "https://other.example.test"}, "invalid_issuer"),
    "with a subject of a token": ({"sub": "agent"}, "invalid_request"),
    "with an end": ({"exp": 4_000_000_000}, "invalid_request"),
    "of the future": ({"iat": 4_000_000_000}, "invalid_request"),
    "without events": ({"events": ABSENT}, "invalid_request"),
    "of another type": ({"header": {"typ": "at+jwt"}}, "invalid_request"),
    "of a name that is none": ({"subject": uri("spiffe:nonsense")}, "invalid_request"),
    "that names no certificate": (
        {"event": CREDENTIAL_CHANGE, "content": {"change_type": "revoke", "credential_type": "x509"}},
        "invalid_request",
    ),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_an_event_that_is_refused_is_reported(world, upstream, transmitter, launch, reach, name):
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter)))
    changes, code = BAD_EVENTS[name]
    options = {"subject": uri(world.agent.spiffe_id), **changes}
    identifier = transmitter.emit(options.pop("subject"), **options)
    transmitter.await_end(identifier)
    assert transmitter.refused[identifier]["err"] == code
    assert call(reach(gateway).http1(world.agent), world.broker.token(world.agent)).status == 200


def test_an_event_whose_key_is_not_known_is_left_to_come_again(world, upstream, transmitter, launch, reach):
    """To refuse it would lose it; the feed becomes stale, until the operator adds the key."""
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter, maximum_staleness="4s")))
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    assert call(connection, token).status == 200
    identifier = transmitter.emit(jwt_id(ISSUER, "nobody"), header={"kid": "new"})
    gateway.wait(lambda: call(connection, token).status == 503, "the feed to become stale")
    assert identifier in transmitter.waiting
    assert transmitter.refused == {}


def test_a_silent_transmitter_lets_nobody_in_until_it_is_heard_again(world, upstream, transmitter, launch, reach):
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter, maximum_staleness="3s")))
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    gateway.wait(lambda: call(connection, token).status == 200, "the first answer")
    transmitter.answer = lambda opened, request: opened.answer(500)
    gateway.wait(lambda: call(connection, token).status == 503, "the feed to become stale")
    response = call(connection, token)
    denied(gateway, response, "revocation.stale", 503)
    assert response.header("retry-after")
    gateway.wait(lambda: gateway.observe("/readyz") == 503, "/readyz to tell")
    assert [alert["reason"] for alert in gateway.events("alert.raised")] == ["feed.stale"]
    transmitter.answer = transmitter.serve
    gateway.wait(lambda: call(connection, token).status == 200, "the feed to be heard again")


def test_a_transmitter_that_was_never_heard_lets_nobody_in(world, upstream, transmitter, launch, reach):
    transmitter.answer = lambda opened, request: opened.answer(500)
    gateway = launch(configuration(world, upstream, poll_feed(world, transmitter)), until="/healthz")
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    denied(gateway, call(connection, token), "revocation.stale", 503)
    assert gateway.observe("/readyz") == 503
    transmitter.answer = transmitter.serve
    gateway.wait(lambda: call(connection, token).status == 200, "the first answer")


def test_revocations_outlive_the_gateway(world, upstream, transmitter, launch, reach):
    """What was acknowledged is on the disk, and the transmitter does not tell it again."""
    made = configuration(world, upstream, poll_feed(world, transmitter))
    gateway = launch(made)
    claims = world.broker.claims(world.agent)
    transmitter.await_end(transmitter.emit(jwt_id(ISSUER, claims["jti"])))
    gateway.process.kill()
    gateway.process.wait()
    gateway.start()
    token = world.broker.forge(world.broker.header(), claims)
    denied(gateway, call(reach(gateway).http1(world.agent), token), "revocation.token")


# Events that are delivered


@pytest.fixture
def signer():
    return EventSigner()


def push_feed(world, signer, name="pushed", **changes) -> dict:
    feed = {
        "name": name,
        "type": "set_push",
        "listener": "agents",
        "path": PATH,
        "issuer": TRANSMITTER,
        "audience": RECEIVER,
        "authorization_file": secret(world, "push.secret", AUTHORIZATION),
        "jwks_file": str(world.write("pushed.jwks.json", signer.broker.jwks())),
        "algorithms": ["ES256"],
    }
    return {**feed, **changes}


def test_a_delivery_is_answered_once_it_is_enforced(world, upstream, signer, launch, reach, protocol):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    connection = reach(gateway).open(protocol, world.agent)
    deliveries = reach(gateway).open(protocol, world.other)
    for _ in range(20):
        claims = world.broker.claims(world.agent)
        token = world.broker.forge(world.broker.header(), claims)
        assert call(connection, token).status == 200
        event, _ = signer.token(jwt_id(ISSUER, claims["jti"]))
        response = push(deliveries, PATH, event, AUTHORIZATION)
        assert (response.status, response.body) == (202, b"")
        denied(gateway, call(connection, token), "revocation.token")


def test_a_delivery_is_not_forwarded_and_its_path_is_its_alone(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    connection = reach(gateway).http1(world.other)
    assert push(connection, PATH, signer.verification()[0], AUTHORIZATION).status == 202
    assert upstream.requests == []
    assert connection.call("POST", PATH + "/more", body=b"a").status == 404


@pytest.mark.parametrize("authorization", [None, "Bearer other", AUTHORIZATION.lower()])
def test_a_stranger_delivers_nothing(world, upstream, signer, launch, reach, authorization):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    claims = world.broker.claims(world.agent)
    event, _ = signer.token(jwt_id(ISSUER, claims["jti"]))
    response = push(reach(gateway).http1(world.other), PATH, event, authorization)
    assert response.status == 401
    assert response.json["err"] == "authentication_failed"
    assert gateway.reason(response) == "event.authentication_failed"
    token = world.broker.forge(world.broker.header(), claims)
    assert call(reach(gateway).http1(world.agent), token).status == 200


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_delivery_that_is_refused_says_why(world, upstream, signer, launch, reach, name):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    changes, code = BAD_EVENTS[name]
    options = {"subject": uri(world.agent.spiffe_id), **changes}
    event, _ = signer.token(options.pop("subject"), **options)
    response = push(reach(gateway).http1(world.other), PATH, event, AUTHORIZATION)
    assert response.status == 400
    assert response.header("content-type") == "application/json"
    assert response.header("content-language")
    assert response.json["err"] == code
    assert response.json["description"]


def test_a_delivery_under_another_key_is_refused(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    event, _ = EventSigner().token(uri(world.agent.spiffe_id))
    response = push(reach(gateway).http1(world.other), PATH, event, AUTHORIZATION)
    assert (response.status, response.json["err"]) == (400, "invalid_key")


@pytest.mark.parametrize("body", ["", "garbage", "a.b.c", "a" * 70_000], ids=["empty", "garbage", "parts", "long"])
def test_garbage_is_refused(world, upstream, signer, launch, reach, body):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    response = push(reach(gateway).http1(world.other), PATH, body, AUTHORIZATION)
    assert response.status in (400, 413)


def test_a_delivery_of_another_type_of_content_is_refused(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    event, _ = signer.verification()
    response = push(reach(gateway).http1(world.other), PATH, event, AUTHORIZATION, kind="application/jwt")
    assert response.status == 400


def test_a_heartbeat_that_fails_lets_nobody_in(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer, heartbeat="3s")), until="/healthz")
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    deliveries = reach(gateway).http1(world.other)
    denied(gateway, call(connection, token), "revocation.stale", 503)
    assert push(deliveries, PATH, signer.verification()[0], AUTHORIZATION).status == 202
    assert call(connection, token).status == 200
    gateway.wait(lambda: call(connection, token).status == 503, "the feed to become stale")
    assert push(deliveries, PATH, signer.verification()[0], AUTHORIZATION).status == 202
    assert call(connection, token).status == 200


def test_an_event_that_is_delivered_again_is_no_sign_of_life(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer, heartbeat="3s")), until="/healthz")
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    deliveries = reach(gateway).http1(world.other)
    event, _ = signer.verification()

    def is_refused_in_spite_of_that() -> bool:
        assert push(deliveries, PATH, event, AUTHORIZATION).status == 202
        return call(connection, token).status == 503

    assert push(deliveries, PATH, event, AUTHORIZATION).status == 202
    assert call(connection, token).status == 200
    gateway.wait(is_refused_in_spite_of_that, "the feed to become stale")
    old, _ = signer.token(opaque("stream-1"), "https://a.example/b", iat=1)
    assert push(deliveries, PATH, old, AUTHORIZATION).status == 202
    denied(gateway, call(connection, token), "revocation.stale", 503)


def test_deliveries_are_counted_by_the_limits_of_the_listener(world, upstream, signer, launch, reach):
    made = configuration(world, upstream, push_feed(world, signer))
    made["listeners"][0]["limits"] = {"requests_per_second": 1, "burst": 2}
    deliveries = reach(launch(made)).http1(world.other)
    for _ in range(3):
        assert push(deliveries, PATH, signer.verification()[0], "Bearer other").status == 401
    answers = [push(deliveries, PATH, signer.verification()[0], AUTHORIZATION) for _ in range(4)]
    assert [answer.status for answer in answers[:2]] == [202, 202]
    assert answers[-1].status == 429
    assert answers[-1].header("retry-after")


def test_calls_that_wait_for_a_list_outlive_a_reload(world, upstream, lists, launch, reach):
    """The feed is renamed while its list takes long: the new one fetches it for whoever waits."""
    gateway = launch({**configuration(world, upstream, list_feed(world, lists)), "workers": 1})
    renamed = copy.deepcopy(gateway.configuration)
    renamed["revocation"]["feeds"][0]["name"] = "renamed"
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(opened, request):
        hangs.set()
        goes_on.wait(20)
        opened.close()

    lists.answer = hang
    with futures.ThreadPoolExecutor() as pool:
        waiting = pool.submit(call, reach(gateway).http1(world.agent), listed(world, lists, 0))
        assert hangs.wait(10)
        lists.answer = lists.serve
        gateway.reload(renamed)
        assert waiting.result(10).status == 200
        assert call(reach(gateway).http1(world.agent), listed(world, lists, 0)).status == 200
        goes_on.set()


def test_without_a_heartbeat_silence_says_nothing(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    assert call(reach(gateway).http1(world.agent), world.broker.token(world.agent)).status == 200


def test_an_interrupted_stream_lets_nobody_in(world, upstream, signer, launch, reach):
    gateway = launch(configuration(world, upstream, push_feed(world, signer)))
    connection, token = reach(gateway).http1(world.agent), world.broker.token(world.agent)
    deliveries = reach(gateway).http1(world.other)
    updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"
    paused, _ = signer.token(opaque("stream-1"), updated, {"status": "paused"})
    assert push(deliveries, PATH, paused, AUTHORIZATION).status == 202
    denied(gateway, call(connection, token), "revocation.stale", 503)
    enabled, _ = signer.token(opaque("stream-1"), updated, {"status": "enabled"})
    assert push(deliveries, PATH, enabled, AUTHORIZATION).status == 202
    assert call(connection, token).status == 200


# The operator


def test_the_check_tells_what_is_dangerous(world, upstream, lists, tmp_path):
    file = tmp_path / "sallyport.yaml"
    feed = list_feed(world, lists)
    file.write_text(json.dumps(configuration(world, upstream, feed, when_stale="allow")))
    checked = sallyport("check", "--config", str(file))
    assert checked.returncode == 0, checked.stderr
    assert "revocation.when_stale: dangerous" in checked.stdout + checked.stderr


@pytest.mark.parametrize("change", [{"type": "redis"}, {"url": "http://localhost/lists/*"}, {"url": "https://*"}])
def test_the_check_refuses_what_cannot_be(world, upstream, lists, tmp_path, change):
    file = tmp_path / "sallyport.yaml"
    file.write_text(json.dumps(configuration(world, upstream, list_feed(world, lists, **change))))
    checked = sallyport("check", "--config", str(file))
    assert checked.returncode == 1
    assert f"revocation.feeds[0].{next(iter(change))}: " in checked.stdout + checked.stderr
