"""Several targets behind one name: who is asked, who is spared, what is sent again, and what is told to them."""

import hashlib
import queue

import pytest

from gateway import Gateway, sallyport
from ports import free_port
from proxy import ALPN, AUTHORITY, CERTIFICATE, SPIFFE_ID, TLS_VERSION
from upstreams import Upstream, echo
from wire import PATIENCE
from world import route

SPARED = {"health": {"passive": {"failures": 1000}}}  # nobody is ejected


@pytest.fixture(scope="module")
def the_services():
    services = [Upstream() for _ in range(3)]
    yield services
    for service in services:
        service.close()


@pytest.fixture
def services(the_services) -> list[Upstream]:
    for service in the_services:
        service.clear()
    return the_services


@pytest.fixture
def before(world, launch, reach):
    """Launches a gateway before some targets; gives a client of it."""

    def before(targets: list, workers=1, sections=None, **upstream):
        urls = [target if isinstance(target, str) else target.url for target in targets]
        entry = {"name": "service", "targets": urls, **upstream}
        configuration = world.configuration(urls[0], upstreams=[entry], workers=workers, **(sections or {}))
        return reach(launch(configuration))

    return before


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


def counts(services) -> list[int]:
    return [len(service.requests) for service in services]


def absent() -> str:
    return f"http://127.0.0.1:{free_port()}"


def close(opened, request) -> None:
    opened.close()


# Who is asked


def test_each_is_asked_in_turn(before, world, services, token):
    connection = before(services).http2(world.agent)
    assert {connection.call("GET", "/any/a", token).status for _ in range(30)} == {200}
    assert counts(services) == [10, 10, 10]


def test_who_has_least_to_do_is_asked(before, world, services, token):
    """The first never answers; it gets hardly more than it had when it was seen to be busy."""
    over, arrived = [], queue.Queue()

    def answer(opened, request):
        arrived.put(opened.upstream)
        if opened.upstream is services[0]:
            services[0].wait(lambda: over, "the end")
        echo(opened, request)

    for service in services:
        service.answer = answer
    connection = before(services, balance="least_requests").http2(world.agent)
    for _ in range(60):
        stream = connection.start("GET", "/any/a", token)
        if arrived.get(timeout=PATIENCE) is not services[0]:
            connection.response(stream)
    services[0].tell(over)
    assert len(services[0].requests) <= 3
    assert min(counts(services)[1:]) >= 10


def test_an_agent_is_always_sent_to_the_same(before, world, services):
    """By any connection and any worker; others are sent elsewhere."""
    client = before(services, workers=2, balance="agent_hash")
    agents = [world.agents.agent(f"/agent/task/{number}") for number in range(12)]
    chosen = homes(client, world, agents, services)
    assert homes(client, world, agents, services) == chosen
    assert len(set(chosen)) > 1


def homes(client, world, agents, services) -> list[int]:
    """Where each agent's calls go, by two connections of three calls."""
    homes = []
    for agent in agents:
        for service in services:
            service.clear()
        for _ in range(2):
            connection, token = client.http1(agent), world.broker.token(agent)
            assert {connection.call("GET", "/any/a", token).status for _ in range(3)} == {200}
            connection.close()
        assert sorted(counts(services)) == [0, 0, 6]
        homes.append(counts(services).index(6))
    return homes


def test_an_agent_whose_target_is_gone_is_sent_elsewhere_alone(world, launch, reach):
    """Consistent hashing: the others stay where they were."""
    services = [Upstream() for _ in range(3)]
    entry = {"name": "service", "targets": [service.url for service in services], "balance": "agent_hash"}
    gateway = launch(world.configuration(services[0].url, upstreams=[entry], workers=1))
    client, agents = reach(gateway), [world.agents.agent(f"/agent/task/{number}") for number in range(12)]
    chosen = homes(client, world, agents, services)
    smaller = {**entry, "targets": entry["targets"][:2]}
    gateway.reload({**gateway.configuration, "upstreams": [smaller]})
    moved = homes(client, world, agents, services)
    assert 2 not in moved
    assert [home for home in chosen if home != 2] == [new for old, new in zip(chosen, moved, strict=True) if old != 2]
    for service in services:
        service.close()


def test_unix_sockets_are_targets_too(before, world, token, tmp_path):
    services = [Upstream(path=tmp_path / f"{number}.sock") for number in range(2)]
    connection = before(services).http2(world.agent)
    assert {connection.call("POST", "/any/a", token, body=b"hello").status for _ in range(10)} == {200}
    assert counts(services) == [5, 5]
    for service in services:
        service.close()


# One is down


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_target_that_is_not_there_costs_nobody_a_call(before, world, services, protocol, token, method):
    """Nothing was sent, so anything may be sent elsewhere."""
    connection = before([absent(), services[0]], retries={"budget": 100}).open(protocol, world.agent)
    assert {connection.call(method, "/any/a", token, body=b"").status for _ in range(20)} == {200}
    assert counts(services)[0] == 20


def test_where_none_is_there_it_is_502(before, world, token):
    connection = before([absent(), absent()]).http1(world.agent)
    told = [connection.call("GET", "/any/a", token) for _ in range(20)]
    assert {(answer.status, answer.code) for answer in told} <= {(502, "upstream-failed"), (503, "unavailable")}


def test_a_target_that_fails_again_and_again_is_spared(before, world, services, token):
    """Passive health: after three failures in a row it is asked no more."""
    services[0].answer = close
    health = {"passive": {"failures": 3, "eject_for": "1h"}}
    connection = before(services[:2], health=health).http1(world.agent)
    statuses = [connection.call("POST", "/any/a", token, body=b"").status for _ in range(40)]
    assert statuses.count(502) == 3
    assert statuses.count(200) == 37
    assert counts(services[:2]) == [3, 37]


def test_a_target_that_is_spared_is_asked_again_in_time(before, world, services, token):
    services[0].answer = close
    health = {"passive": {"failures": 1, "eject_for": "1s"}}
    connection = before(services[:2], health=health).http1(world.agent)
    statuses = [connection.call("POST", "/any/a", token, body=b"").status for _ in range(10)]
    assert 502 in statuses
    services[0].clear()
    while not services[0].requests:
        assert connection.call("POST", "/any/a", token, body=b"").status == 200


def test_not_all_targets_are_spared(before, world, services, token):
    """`maximum_ejected` is a share in percent; the last one is asked, however it fails."""
    for service in services[:2]:
        service.answer = close
    health = {"passive": {"failures": 1, "eject_for": "1h", "maximum_ejected": 50}}
    connection = before(services[:2], health=health).http1(world.agent)
    for _ in range(10):
        assert connection.call("POST", "/any/a", token, body=b"").status == 502
    assert sum(counts(services[:2])) == 10
    for service in services:
        service.clear()
    assert connection.call("POST", "/any/a", token, body=b"").status == 200


# Health is asked for


def healthy(is_healthy: list):
    def answer(opened, request):
        if request.target != "/healthz":
            return echo(opened, request)
        opened.answer(200 if is_healthy[0] else 503, b"")

    return answer


def called(service) -> list:
    return [request for request in service.requests if request.target != "/healthz"]


def asked(service) -> list:
    return [request for request in service.requests if request.target == "/healthz"]


@pytest.fixture
def asked_for_health():
    """Services of a test's own: they are asked as long as the gateway runs."""
    services = [Upstream() for _ in range(2)]
    yield services
    for service in services:
        service.close()


def test_a_target_that_says_it_is_ill_is_spared_until_it_is_well(before, world, asked_for_health, token):
    well, services = [True], asked_for_health
    services[0].answer = healthy(well)
    active = {"path": "/healthz", "interval": "100ms", "timeout": "1s", "healthy_after": 2, "unhealthy_after": 2}
    connection = before(services, health={"active": active}).http1(world.agent)

    def until(condition) -> None:
        """Calls on, each time with success, until it is so for ten calls."""
        while True:
            before = len(called(services[0])), len(called(services[1]))
            assert {connection.call("POST", "/any/a", token, body=b"").status for _ in range(10)} == {200}
            if condition(len(called(services[0])) - before[0]):
                return

    until(lambda count: count == 5)
    well[0] = False
    until(lambda count: count == 0)
    well[0] = True
    until(lambda count: count == 5)
    question = asked(services[0])[0]
    assert question.method in ("GET", "HEAD")
    assert question.header("host")
    assert not {"authorization", "sallyport-agent"} & set(question.names)


def test_a_target_that_is_not_there_is_known_before_it_is_asked(before, world, asked_for_health, token):
    active = {"path": "/healthz", "interval": "100ms", "unhealthy_after": 1}
    client = before([absent(), asked_for_health[0]], health={"active": active}, retries={"attempts": 0})
    connection = client.http1(world.agent)
    while {connection.call("POST", "/any/a", token, body=b"").status for _ in range(10)} != {200}:
        pass
    assert len(asked(asked_for_health[0])) >= 1


# Sent again


def fail_first(service, fails=close):
    def answer(opened, request):
        return fails(opened, request) if len(service.requests) == 1 else echo(opened, request)

    service.answer = answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
def test_what_may_be_repeated_is_sent_again(before, world, services, protocol, token, method):
    fail_first(services[0])
    told = before(services[:1], **SPARED).open(protocol, world.agent).call(method, "/any/a", token)
    assert told.status == 200
    first, second = services[0].requests
    assert first.header("x-request-id") == second.header("x-request-id") == told.request_id


@pytest.mark.parametrize(
    ("method", "body"), [("POST", b""), ("POST", b"hello"), ("PATCH", b"hello"), ("PUT", b"hello")]
)
def test_what_may_not_is_sent_once(before, world, services, protocol, token, method, body):
    fail_first(services[0], lambda opened, request: (opened.read_body(request), opened.close()))
    told = before(services[:1], **SPARED).open(protocol, world.agent).call(method, "/any/a", token, body=body)
    assert (told.status, told.code) == (502, "upstream-failed")
    assert len(services[0].requests) == 1


def test_nothing_is_sent_again_once_an_answer_has_begun(before, world, services, protocol, token):
    fail_first(services[0], lambda opened, request: (opened.send(b"HTTP/1.1 200 OK\r\nContent-"), opened.close()))
    told = before(services[:1], **SPARED).open(protocol, world.agent).call("GET", "/any/a", token)
    assert told.status == 502
    assert len(services[0].requests) == 1


def test_nothing_is_sent_again_where_none_is_allowed(before, world, services, token):
    fail_first(services[0])
    told = before(services[:1], retries={"attempts": 0}, **SPARED).http1(world.agent).call("GET", "/any/a", token)
    assert told.status == 502
    assert len(services[0].requests) == 1


def test_another_target_is_asked_the_second_time(before, world, services, token):
    services[0].answer = close
    connection = before(services[:2], **SPARED, retries={"attempts": 1, "budget": 100}).http1(world.agent)
    assert {connection.call("GET", "/any/a", token).status for _ in range(10)} == {200}


def test_a_service_that_always_fails_is_not_asked_twice_as_much(before, world, services, token):
    """The budget: a fifth of what is asked, and three in ten seconds at least."""
    services[0].answer = close
    connection = before(services[:1], **SPARED).http2(world.agent)
    assert {connection.call("GET", "/any/a", token).status for _ in range(100)} == {502}
    assert 100 < counts(services)[0] <= 124


def test_an_answer_that_does_not_come_is_not_asked_for_twice(before, world, services, token):
    """A timeout says nothing of what was done."""
    over = []
    services[0].answer = lambda opened, request: services[0].wait(lambda: over, "the end")
    client = before(services[:1], timeouts={"response": "300ms"})
    told = client.http1(world.agent).call("GET", "/any/a", token)
    assert (told.status, told.code) == (504, "upstream-timeout")
    assert counts(services)[0] == 1
    services[0].tell(over)


# Too much at once


@pytest.fixture
def held(services):
    """The first service holds its calls until it is told."""
    over = []

    def answer(opened, request):
        services[0].wait(lambda: over, "the test")
        echo(opened, request)

    services[0].answer = answer
    yield lambda: services[0].tell(over)
    services[0].tell(over)


def test_more_requests_than_allowed_are_503(before, world, services, token, held):
    client = before(services[:1], circuit_breaker={"requests": 2})
    connection = client.http2(world.agent)
    streams = [connection.start("GET", "/any/a", token) for _ in range(2)]
    services[0].wait(lambda: len(services[0].requests) == 2, "the calls")
    told = connection.call("GET", "/any/a", token)
    assert (told.status, told.code) == (503, "unavailable")
    assert int(told.header("retry-after")) >= 1
    held()
    assert [connection.response(stream).status for stream in streams] == [200, 200]
    assert connection.call("GET", "/any/a", token).status == 200


def test_more_connections_than_allowed_are_503(before, world, services, token, held):
    """HTTP/1.1 carries one call at a time on each."""
    client = before(services[:1], circuit_breaker={"connections": 1})
    connection = client.http2(world.agent)
    first = connection.start("GET", "/any/first", token)
    services[0].wait(lambda: services[0].requests, "the first call")
    told = connection.call("GET", "/any/second", token)
    assert (told.status, told.code) == (503, "unavailable")
    held()
    assert connection.response(first).status == 200
    assert connection.call("GET", "/any/third", token).status == 200
    assert [request.target for request in services[0].requests] == ["/any/first", "/any/third"]


def test_one_upstream_that_is_full_holds_up_no_other(world, services, launch, reach, token, held):
    upstreams = [
        {"name": "service", "targets": [services[0].url], "circuit_breaker": {"requests": 1}},
        {"name": "other", "targets": [services[1].url]},
    ]
    routes = [route("any", "/any/{x...}"), {**route("other", "/other"), "upstream": "other"}]
    gateway = launch(world.configuration(services[0].url, routes, upstreams=upstreams, workers=1))
    connection = reach(gateway).http2(world.agent)
    stream = connection.start("GET", "/any/a", token)
    services[0].wait(lambda: services[0].requests, "the call")
    assert connection.call("GET", "/any/b", token).status == 503
    assert connection.call("GET", "/other", token).status == 200
    held()
    assert connection.response(stream).status == 200


# Who calls, told by PROXY protocol


@pytest.fixture
def proxied():
    service = Upstream(proxied=True)
    yield service
    service.close()


def test_an_upstream_is_told_whose_connection_it_has(before, world, protocol, proxied, token):
    client = before([proxied], proxy_protocol="v2")
    connection = client.open(protocol, world.agent)
    assert {connection.call("GET", "/any/a", token).status for _ in range(3)} == {200}
    (opened,) = proxied.connections
    told = opened.proxy
    assert told.command == 1
    assert told.source == connection.socket.getsockname()
    assert told.destination == connection.socket.getpeername()
    assert told.has_good_checksum
    assert told.fields[ALPN] == protocol.encode()
    assert told.fields[AUTHORITY] == b"localhost"
    assert told.fields[SPIFFE_ID] == world.agent.spiffe_id.encode()
    assert told.fields[CERTIFICATE] == hashlib.sha256(world.agent.der).digest()
    assert (told.tls_flags & 0x03, told.tls_verify) == (0x03, 0)
    assert told.tls_fields[TLS_VERSION] == b"TLSv1.3"


def test_the_header_stands_before_tls(before, world, token):
    service = Upstream(world.servers.server("localhost"), proxied=True)
    connection = before([service], proxy_protocol="v2", tls={"ca_file": str(world.servers.file)}).http1(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    (opened,) = service.connections
    assert opened.proxy.source == connection.socket.getsockname()
    service.close()


def test_no_two_clients_share_a_connection_then(before, world, proxied, token):
    client = before([proxied], proxy_protocol="v2")
    other = world.broker.token(world.other)
    for _ in range(3):
        first, second, third = client.http1(world.agent), client.http2(world.other), client.http1(world.agent)
        for _ in range(2):
            assert first.call("GET", "/any/a", token).status == 200
            assert second.call("GET", "/any/a", other).status == 200
            assert third.call("GET", "/any/a", token).status == 200
    sources = [opened.proxy.source for opened in proxied.connections]
    assert len(sources) == len(set(sources)) == 9


def test_a_connection_of_a_client_that_is_gone_is_closed(before, world, proxied, token):
    client = before([proxied], proxy_protocol="v2")
    connection = client.http1(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    connection.close()
    proxied.wait(lambda: not any(opened.is_open for opened in proxied.connections), "the connection to be closed")


def test_no_header_is_sent_where_none_is_asked_for(before, world, services, token):
    assert before(services[:1]).http1(world.agent).call("GET", "/any/a", token).status == 200
    assert services[0].received.startswith(b"GET ")


# What cannot be meant so

FAULTS = {
    "no targets": {"targets": []},
    "the same target twice": {"targets": ["http://127.0.0.1:1", "http://127.0.0.1:1"]},
    "h2c and another protocol": {"targets": ["h2c://127.0.0.1:1"], "protocol": "http/1.1"},
    "an unknown scheme": {"targets": ["ftp://127.0.0.1:1"]},
    "an unknown protocol": {"protocol": "h3"},
    "an unknown way to balance": {"balance": "random"},
    "TLS settings without TLS": {"tls": {"ca_file": "AUTHORITY"}},
    "TLS without an authority": {"targets": ["https://localhost:1"]},
    "half an identity": {"targets": ["https://localhost:1"], "tls": {"ca_file": "AUTHORITY", "certificate_file": "X"}},
    "a SPIFFE ID that is none": {
        "targets": ["https://localhost:1"],
        "tls": {"ca_file": "AUTHORITY", "spiffe_ids": ["x"]},
    },
    "attempts without an end": {"retries": {"attempts": -1}},
    "a share above all": {"health": {"passive": {"maximum_ejected": 101}}},
    "a health check without a path": {"health": {"active": {"interval": "1s"}}},
    "a bound of nothing": {"circuit_breaker": {"requests": 0}},
    "another version of the PROXY protocol": {"proxy_protocol": "v1"},
}


@pytest.mark.parametrize("case", FAULTS)
def test_an_upstream_that_cannot_be_meant_so_is_a_fault(world, tmp_path, case):
    assert check(world, tmp_path / "good", {}) == 0
    assert check(world, tmp_path / "bad", FAULTS[case]) == 1


def test_a_route_that_upgrades_needs_http_1_1(world, tmp_path):
    sockets = [{**route("any", "/any"), "upgrades": ["websocket"]}]
    assert check(world, tmp_path / "good", {}, routes=sockets) == 0
    assert check(world, tmp_path / "bad", {"protocol": "h2"}, routes=sockets) == 1


def check(world, directory, changes: dict, **sections) -> int:
    directory.mkdir()
    entry = {"name": "service", "targets": ["http://127.0.0.1:1"], **changes}
    if "tls" in entry:
        entry["tls"] = {
            name: str(world.servers.file) if value == "AUTHORITY" else value for name, value in entry["tls"].items()
        }
    configuration = world.configuration(entry["targets"][0] if entry["targets"] else "", upstreams=[entry], **sections)
    return sallyport("check", "--config", str(Gateway(directory, configuration).file)).returncode
