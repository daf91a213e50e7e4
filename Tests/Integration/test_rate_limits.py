"""Requests per second, at once, and bytes: of a route, of a listener, and of each agent."""

import contextlib
import re

import pytest

from clients import Client, StreamReset
from gateway import listener
from ports import free_port
from wire import Closed
from world import route

SLOW = {"requests_per_second": 1}
POLICY = re.compile(r'"(?P<name>[a-z-]+)";q=(?P<quota>\d+);w=(?P<window>\d+)')
LIMIT = re.compile(r'"(?P<name>[a-z-]+)";r=(?P<left>\d+)(;t=(?P<time>\d+))?')

LIMITS = {
    "burst": {**SLOW, "burst": 3},
    "agent": {"per_agent": {**SLOW, "burst": 2}},
    "both": {**SLOW, "burst": 5, "per_agent": {**SLOW, "burst": 2}},
    "bad": {"per_agent": {**SLOW, "burst": 2}},
    "concurrent": {"concurrent": 2},
    "agent-concurrent": {"per_agent": {"concurrent": 1}},
    "abandoned": {"concurrent": 1},
    "bytes": {"bytes_per_second": "100KiB"},
    "grpc": {**SLOW, "burst": 1},
    "reloaded": {**SLOW, "burst": 2},
    "generous": {"requests_per_second": 100000, "concurrent": 1000, "bytes_per_second": "1GiB"},
    "waiting": {**SLOW, "burst": 1},
}


@pytest.fixture(scope="module", params=["http/1.1", "h2"])
def spoken(request) -> str:
    """Limits are used up: so each protocol has a gateway."""
    return request.param


@pytest.fixture(scope="module")
def gateway(spoken, world, the_upstream, launch):
    routes = [{**route(name, f"/{name}/{{x...}}"), "limits": limits} for name, limits in LIMITS.items()]
    routes.append(route("none", "/none/{x...}"))
    return launch(world.configuration(the_upstream.url, routes))


@pytest.fixture
def open_as(client, world, spoken):
    """A connection of an agent, and a function that calls with its token."""

    def open_as(agent):
        connection, token = client.open(spoken, agent), world.broker.token(agent)
        return lambda target, *rest, **options: connection.call(*rest or ["GET"], target, token, **options)

    return open_as


@pytest.fixture
def call(open_as, world):
    return open_as(world.agent)


def test_a_burst_is_let_through_and_no_more(call, gateway, upstream):
    statuses = [call("/burst/a").status for _ in range(3)]
    assert statuses == [200, 200, 200]
    told = call("/burst/a")
    assert (told.status, told.code) == (429, "rate-limited")
    assert len(upstream.requests) == 3
    assert gateway.reason(told) == "limit.route.requests"
    assert call("/none/a").status == 200


def test_an_answer_with_429_says_when_to_come_again(call, gateway, upstream):
    """Retry-After in whole seconds, and the fields of draft-ietf-httpapi-ratelimit-headers."""
    while (told := call("/waiting/a")).status == 200:
        pass
    assert 1 <= int(told.header("retry-after")) <= 2
    policy, limit = POLICY.fullmatch(told.header("ratelimit-policy")), LIMIT.fullmatch(told.header("ratelimit"))
    assert policy["name"] == limit["name"] == "route"
    assert int(policy["quota"]) == 1
    assert limit["left"] == "0"
    assert 1 <= int(limit["time"]) <= 2
    while call("/waiting/a").status != 200:  # after about a second
        pass


def test_fields_of_the_upstream_are_not_mistaken_for_ours(call, upstream):
    upstream.answer = lambda opened, request: opened.answer(200, b"", ("RateLimit", '"theirs";r=1;t=1'))
    told = call("/generous/a")
    assert told.status == 200
    assert told.all("ratelimit") in ([], ['"theirs";r=1;t=1'])


def test_a_generous_limit_is_in_nobodys_way(call, upstream):
    assert {call("/generous/a", "POST", body=bytes(1000)).status for _ in range(200)} == {200}


def test_an_agent_uses_up_only_its_own(open_as, world, upstream):
    first, second = open_as(world.agent), open_as(world.other)
    assert [first("/agent/a").status for _ in range(3)] == [200, 200, 429]
    assert [second("/agent/a").status for _ in range(3)] == [200, 200, 429]
    # Another certificate of the same agent is the same agent.
    again = open_as(world.agents.agent())
    assert again("/agent/a").status == 429


def test_what_an_agent_is_refused_costs_nobody_else(open_as, world, gateway, upstream):
    """All limits of a request are charged, or none is."""
    greedy, modest = open_as(world.agent), open_as(world.other)
    statuses = [greedy("/both/a").status for _ in range(10)]
    assert statuses[:2] == [200, 200]
    assert statuses.count(429) >= 7
    assert [modest("/both/a").status for _ in range(2)] == [200, 200]


def test_credentials_that_do_not_hold_use_nothing_up(client, world, spoken, call, upstream):
    """Of the agent that they name."""
    thief = client.open(spoken, world.other)
    stolen = world.broker.token(world.agent)
    assert {thief.call("GET", "/bad/a", stolen).status for _ in range(10)} == {401}
    assert [call("/bad/a").status for _ in range(2)] == [200, 200]


# At once


@pytest.fixture
def held(upstream):
    """Calls to `/held` paths wait until they are told."""
    over = []

    def answer(opened, request):
        if request.target.endswith("/held"):
            upstream.wait(lambda: over, "the test")
        opened.answer(200, b"done")

    upstream.answer = answer
    yield lambda: upstream.tell(over)
    upstream.tell(over)


def start(client, world, spoken, agent, target):
    """Starts a call; gives a function for its answer, and the connection."""
    connection, token = client.open(spoken, agent), world.broker.token(agent)
    if spoken == "h2":
        stream = connection.start("GET", target, token)
        return lambda: connection.response(stream), connection
    connection.send(connection.head("GET", target, token))
    return connection.reader.response, connection


def test_no_more_at_once_than_allowed(client, world, spoken, call, gateway, upstream, held):
    answers = [start(client, world, spoken, world.other, "/concurrent/held")[0] for _ in range(2)]
    upstream.wait(lambda: len(upstream.requests) == 2, "both calls")
    told = call("/concurrent/a")
    assert (told.status, told.code, told.header("retry-after")) == (429, "rate-limited", "1")
    assert gateway.reason(told) == "limit.route.concurrent"
    held()
    assert [answer().status for answer in answers] == [200, 200]
    gateway.wait(lambda: call("/concurrent/a").status == 200, "a place")


def test_no_more_at_once_than_allowed_to_an_agent(client, world, spoken, call, open_as, gateway, upstream, held):
    answer, _ = start(client, world, spoken, world.agent, "/agent-concurrent/held")
    upstream.wait(lambda: upstream.requests, "the call")
    assert call("/agent-concurrent/a").status == 429
    assert open_as(world.other)("/agent-concurrent/a").status == 200
    held()
    assert answer().status == 200
    gateway.wait(lambda: call("/agent-concurrent/a").status == 200, "a place")


def test_who_goes_away_makes_room(client, world, spoken, call, gateway, upstream, held):
    _, connection = start(client, world, spoken, world.agent, "/abandoned/held")
    upstream.wait(lambda: upstream.requests, "the call")
    assert call("/abandoned/a").status == 429
    connection.close()
    gateway.wait(lambda: call("/abandoned/a").status == 200, "a place")


# Bytes


def test_bytes_make_a_debt(call, gateway, upstream):
    """More than a second's worth is owed after the first call, which was not refused for what nobody knew."""
    assert call("/bytes/a", "POST", body=bytes(150 * 1024)).status == 200
    told = call("/bytes/a")
    while told.status == 200:
        told = call("/bytes/a", "POST", body=bytes(150 * 1024))
    assert (told.status, told.code) == (429, "rate-limited")
    assert int(told.header("retry-after")) >= 1
    assert gateway.reason(told) == "limit.route.bytes"
    assert call("/none/a").status == 200


# Elsewhere


def test_grpc_is_told_in_its_own_way(client, world, upstream):
    connection, token = client.http2(world.agent), world.broker.token(world.agent)
    fields = [("content-type", "application/grpc"), ("te", "trailers")]
    told = [connection.call("POST", "/grpc/a", token, fields, b"") for _ in range(2)][-1]
    assert (told.status, told.body) == (200, b"")
    assert told.header("grpc-status") in ("8", "14")  # RESOURCE_EXHAUSTED, or UNAVAILABLE


def test_a_reload_forgives_nothing(call, gateway, upstream):
    assert [call("/reloaded/a").status for _ in range(3)] == [200, 200, 429]
    gateway.reload()
    assert 429 in [call("/reloaded/a").status for _ in range(2)]


def test_a_listener_has_limits_of_its_own(spoken, world, upstream, launch, reach):
    """What comes by another listener is not counted."""
    configuration = world.configuration(upstream.url)
    port = free_port()
    configuration["listeners"][0]["limits"] = {**SLOW, "burst": 3}
    configuration["listeners"].append(listener(port, world.server, world.trust, name="other"))
    gateway = launch(configuration)
    token = world.broker.token(world.agent)
    connection = reach(gateway).open(spoken, world.agent)
    told = [connection.call("GET", "/any/a", token) for _ in range(4)]
    assert [answer.status for answer in told] == [200, 200, 200, 429]
    assert gateway.reason(told[-1]) == "limit.listener.requests"
    other = Client(port, world.servers.file)
    assert {other.open(spoken, world.agent).call("GET", "/any/a", token).status for _ in range(5)} == {200}
    other.close()


def test_no_more_connections_of_a_certificate_than_allowed(spoken, world, upstream, launch, reach):
    gateway = launch(world.configuration(upstream.url, limits={"connections_per_client": 2}))
    client, token = reach(gateway), world.broker.token(world.agent)
    kept = [client.open(spoken, world.agent) for _ in range(2)]
    assert {connection.call("GET", "/any/a", token).status for connection in kept} == {200}

    def served(agent) -> bool:
        with contextlib.suppress(Closed, OSError, StreamReset):
            answer = client.open(spoken, agent).attempt("GET", "/any/a", world.broker.token(agent))
            return bool(answer) and answer.status == 200
        return False

    assert not served(world.agent)
    assert served(world.other)
    assert {connection.call("GET", "/any/a", token).status for connection in kept} == {200}
    refused = gateway.wait(lambda: gateway.events("connection.refused"), "the record of the refusal")
    assert "connections" in refused[0]["reason"]
    kept[0].close()
    gateway.wait(lambda: served(world.agent), "a place")
