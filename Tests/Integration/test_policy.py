"""Whether what was proved suffices for this route: methods, scopes, path parameters, issuers."""

import pytest

from credentials import ABSENT, ISSUER, Broker
from world import ORDERS, route

SECOND = "https://second.example.test"


@pytest.fixture(scope="module")
def second() -> Broker:
    return Broker(SECOND)


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch, second):
    file = world.write("policy-second.jwks.json", second.jwks())
    routes = [
        ORDERS,
        route("first-wins", "/orders/special", ["PUT"], scope="write:orders:special"),
        route("write", "/orders/{order_id}", ["PUT", "DELETE"], scope="write:orders:{order_id}"),
        route("lines", "/orders/{order_id}/lines/{line_id}", ["GET"], scope="read:lines:{order_id}:{line_id}"),
        route("files", "/files/{path...}", ["GET"], scope="read:files:*"),
        route("tree", "/tree/{path...}", ["GET"], scope="read:tree:{path}"),
        route("open", "/open"),
        route("second", "/second", issuers=[SECOND]),
        route("both", "/both", issuers=[ISSUER, SECOND]),
        route("hosted", "/hosted"),
    ]
    routes[-1]["match"]["host"] = "elsewhere.example.test"
    issuers = [world.issuer(), world.issuer(issuer=SECOND, jwks_file=str(file))]
    return launch(world.configuration(the_upstream.url, routes, issuers=issuers))


ALLOWED = {
    "the grant": ("GET", "/orders/42", "read:orders:42"),
    "one of several grants": ("GET", "/orders/42", "write:orders:42 read:orders:41 read:orders:42"),
    "a list of grants": ("GET", "/orders/42", ["read:orders:41", "read:orders:42"]),
    "scopes that are no grants beside it": ("GET", "/orders/42", "openid profile read:orders:42 a:b"),
    "a wildcard": ("GET", "/orders/42", "read:orders:*"),
    "another method of the route": ("HEAD", "/orders/42", "read:orders:42"),
    "another route of the path": ("DELETE", "/orders/42", "write:orders:42"),
    "a parameter percent-encoded": ("GET", "/orders/4%32", "read:orders:42"),
    "an identifier with a colon": ("GET", "/orders/a:b", "read:orders:a:b"),
    "an identifier with a colon, encoded": ("GET", "/orders/a%3Ab", "read:orders:a:b"),
    "an identifier with a space is met by the wildcard": ("GET", "/orders/a%20b", "read:orders:*"),
    "an identifier with a star is met by the wildcard": ("GET", "/orders/%2A", "read:orders:*"),
    "two parameters": ("GET", "/orders/42/lines/7", "read:lines:42:7"),
    "two parameters and a wildcard": ("GET", "/orders/42/lines/7", "read:lines:*"),
    "a rest of one segment": ("GET", "/files/a", "read:files:*"),
    "a rest of many segments": ("GET", "/files/a/b/c", "read:files:*"),
    "no scope is asked for": ("GET", "/open", ABSENT),
}

SHORT = {
    "no scope": ("GET", "/orders/42", ABSENT),
    "an empty scope": ("GET", "/orders/42", ""),
    "an empty list": ("GET", "/orders/42", []),
    "another identifier": ("GET", "/orders/42", "read:orders:41"),
    "an identifier that begins alike": ("GET", "/orders/42", "read:orders:4"),
    "an identifier that goes on": ("GET", "/orders/42", "read:orders:420"),
    "another action": ("GET", "/orders/42", "write:orders:42"),
    "another resource": ("GET", "/orders/42", "read:order:42"),
    "an action in other case": ("GET", "/orders/42", "Read:orders:42"),
    "a wildcard action": ("GET", "/orders/42", "*:orders:42"),
    "a wildcard resource": ("GET", "/orders/42", "read:*:42"),
    "a wildcard inside an identifier": ("GET", "/orders/42", "read:orders:4*"),
    "a wildcard of wildcards": ("GET", "/orders/42", "*:*:*"),
    "a lone star": ("GET", "/orders/42", "*"),
    "two parts": ("GET", "/orders/42", "read:orders"),
    "an empty identifier": ("GET", "/orders/42", "read:orders:"),
    "two wildcards in a row": ("GET", "/orders/42", "read:orders:**"),
    "a star in the path": ("GET", "/orders/*", "read:orders:42"),
    "a star in the path, encoded": ("GET", "/orders/%2A", "read:orders:42"),
    "a colon in the path that moves the split": ("GET", "/orders/42:7", "read:orders:42"),
    "a parameter in other case": ("GET", "/orders/ab", "read:orders:AB"),
    "the parameters swapped": ("GET", "/orders/42/lines/7", "read:lines:7:42"),
    "the scope of the route before": ("PUT", "/orders/42", "read:orders:42"),
    "a wildcard scope, which only a wildcard grant meets": ("GET", "/files/a", "read:files:a"),
}

NO_ROUTE = [
    ("POST", "/orders/42"),
    ("get", "/orders/42"),
    ("GET", "/orders"),
    ("GET", "/orders/"),
    ("GET", "/orders/42/"),
    ("GET", "/orders/42/lines"),
    ("GET", "/Orders/42"),
    ("GET", "/files"),
    ("GET", "/files/"),
    ("GET", "/"),
    ("GET", "/hosted"),
    ("GET", "/open/"),
    ("OPTIONS", "/orders/42"),
    ("TRACE", "/orders/42"),
]


@pytest.mark.parametrize("case", ALLOWED)
def test_is_allowed(connection, world, upstream, case):
    method, target, scope = ALLOWED[case]
    assert connection.call(method, target, world.broker.token(world.agent, scope=scope)).status == 200
    assert upstream.request.method == method


@pytest.mark.parametrize("case", SHORT)
def test_is_refused_for_its_scope(connection, gateway, world, upstream, case):
    method, target, scope = SHORT[case]
    told = connection.call(method, target, world.broker.token(world.agent, scope=scope))
    assert (told.status, told.code) == (403, "insufficient-scope")
    assert any('error="insufficient_scope"' in challenge for challenge in told.challenges)
    assert gateway.reason(told)
    assert not upstream.requests


def test_the_challenge_names_the_scope_that_was_wanted(connection, world):
    told = connection.call("GET", "/orders/42", world.broker.token(world.agent, scope="read:orders:7"))
    assert any('scope="read:orders:42"' in challenge for challenge in told.challenges)


@pytest.mark.parametrize("target", ["/orders/%22,x=%22", "/orders/%0d%0aX-Injected:%201", "/orders/%5c%22"])
def test_the_challenge_cannot_be_broken_out_of(connection, world, upstream, target):
    told = connection.call("GET", target, world.broker.token(world.agent))
    assert told.status in (400, 403)
    assert told.header("x-injected") is None
    for challenge in told.challenges:
        assert challenge.replace('\\"', "").count('"') % 2 == 0
    assert not upstream.requests


@pytest.mark.parametrize(("method", "target"), NO_ROUTE)
def test_no_route(connection, world, upstream, method, target):
    told = connection.call(method, target, world.broker.token(world.agent, scope="read:orders:* write:orders:*"))
    assert (told.status, told.code) == (404, "no-route")
    assert not upstream.requests


def test_the_first_match_wins(connection, world, upstream):
    """`/orders/special` is both its own route and an order."""
    special = world.broker.token(world.agent, scope="write:orders:special")
    assert connection.call("PUT", "/orders/special", special).status == 200
    assert (
        connection.call("GET", "/orders/special", world.broker.token(world.agent, scope="read:orders:special")).status
        == 200
    )


def test_a_route_is_kept_to_its_issuers(connection, gateway, world, second, upstream):
    ours, theirs = world.broker.token(world.agent), second.token(world.agent)
    assert connection.call("GET", "/second", theirs).status == 200
    assert connection.call("GET", "/both", theirs).status == 200
    assert connection.call("GET", "/both", ours).status == 200
    for target, token in (("/second", ours), ("/open", theirs)):
        told = connection.call("GET", target, token)
        assert (told.status, told.code) == (403, "policy")
        assert gateway.reason(told)


def test_what_the_answer_says_is_the_same_whatever_the_reason(connection, world, second):
    """Inside a code nothing tells which check failed: only the instance differs."""
    tokens = [world.broker.token(world.agent, aud="https://x.test"), world.broker.token(world.agent, exp=1), "garbage"]
    problems = [connection.call("GET", "/open", token).problem for token in tokens]
    for problem in problems:
        del problem["instance"]
    assert problems[0] == problems[1] == problems[2]
