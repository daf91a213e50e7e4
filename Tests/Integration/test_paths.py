"""One path: the form that is judged is the one that is forwarded, and what could be read in two ways is refused."""

import pytest

from world import ORDERS, route


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    """`/any/…` needs nothing but a token, `/admin/…` a scope that no token here has."""
    admin = route("admin", "/admin/{rest...}", scope="use:admin:*")
    return launch(world.configuration(the_upstream.url, [ORDERS, admin, route("any", "/any/{rest...}")]))


FORWARDED = {
    "/any/a": "/any/a",
    "/any/a?b=c": "/any/a?b=c",
    "/any/a?": "/any/a?",
    "/any/a/": "/any/a/",
    "/any/a?b=/../c//d;e": "/any/a?b=/../c//d;e",
    "/any/a?b=%2F%5c%00": "/any/a?b=%2F%5c%00",
    "/any/%61": "/any/a",
    "/any/%7Euser": "/any/~user",
    "/any/%e2%82%ac": "/any/%E2%82%AC",
    "/any/a%20b": "/any/a%20b",
    "/any/a%3Fb": "/any/a%3Fb",
    "/any/a%23b": "/any/a%23b",
    "/any/a%25b": "/any/a%25b",
    "/any/a:b@c!$&'()*+,=": "/any/a:b@c!$&'()*+,=",
    "/any/...": "/any/...",
    "/any/.hidden": "/any/.hidden",
}

MALFORMED = [
    "/any/a%2fb",
    "/any/a%2Fb",
    "/any/..%2fadmin/x",
    "/any/a%5cb",
    "/any/a\\b",
    "/any/..\\admin/x",
    "/any/a%00b",
    "/any/a%0ab",
    "/any/a%7fb",
    "/any/a%zzb",
    "/any/a%2",
    "/any/a%252Fb",
    "/any/%25%32%46",
    "/any/%ff",
    "/any/a%",
    "/any/a#b",
    "/any/a?b#c",
    '/any/a"b',
    "/any/a<b>",
    "/any/a{b}",
    "/any/a|b",
    "/any/a^b",
    "/any/a`b",
    "/any/a\xe4b",
    "/any//a",
    "//any/a",
    "/any/a;b=c",
    "/any/a;/../../admin/x",
    "/any/../../../x",
]

HOSTILE = [
    "/any/../admin/x",
    "/any/%2e%2e/admin/x",
    "/any/%2E./admin/x",
    "/any/.%2e/admin/x",
    "/any/./../admin/x",
    "/any/x/../../admin/x",
    "/any/..;/admin/x",
    "/any/..%00/admin/x",
    "/any/%252e%252e/admin/x",
    "/any/..%252fadmin/x",
    "/any/..%c0%afadmin/x",
    "/any/..%ef%bc%8fadmin/x",
    "/any//..//admin/x",
    "/any/.../admin/x",
    "/any/..?/admin/x",
    "/any/x/..",
    "/any/x/.",
    "/any/x/%2e%2e",
    "/./any/x",
]


@pytest.mark.parametrize("target", FORWARDED)
def test_what_has_one_meaning_is_forwarded_in_one_form(connection, gateway, world, upstream, target):
    told = connection.call("GET", target, world.broker.token(world.agent))
    assert told.status == 200
    assert upstream.request.target == FORWARDED[target]
    record = gateway.record(told.request_id, "request.allowed")
    assert record["path"] == FORWARDED[target].partition("?")[0]


@pytest.mark.parametrize("target", MALFORMED)
def test_what_is_ambiguous_or_malformed_is_refused(connection, protocol, world, upstream, target):
    told = connection.attempt("GET", target, world.broker.token(world.agent))
    assert told is None or (told.status, told.code) == (400, "malformed-request")
    assert protocol == "h2" or connection.is_closed()
    assert not upstream.requests


@pytest.mark.parametrize("target", HOSTILE)
def test_nothing_slips_past_its_route(connection, world, upstream, target):
    """Refused, or forwarded in a form in which no server can see another path than the one that was judged."""
    told = connection.attempt("GET", target, world.broker.token(world.agent))
    assert told is None or told.status in (200, 400, 403, 404)
    for request in upstream.requests:
        path = request.target.partition("?")[0].lower()
        assert path.startswith("/any/")
        assert not any(segment in (".", "..", "%2e", "%2e%2e", "") for segment in path.split("/")[1:-1])
        assert not any(text in path for text in ("%2f", "%5c", "\\", "%00", ";"))


def test_a_space_in_the_path_is_refused(client, world, upstream):
    connection = client.http1(world.agent)
    told = connection.call("GET", "/any/a b", world.broker.token(world.agent))
    assert told.code == "malformed-request"
    assert connection.is_closed()
    assert not upstream.requests


# The other forms of a target (RFC 9112 §3.2)


def test_absolute_form_is_taken_as_its_path(client, gateway, world, upstream):
    token = world.broker.token(world.agent)
    assert client.http1(world.agent).call("GET", f"{gateway.origin}/any/a?b", token).status == 200
    assert upstream.request.target == "/any/a?b"


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("https://elsewhere.test/any/a", ""),
        ("https://elsewhere.test/any/a", "elsewhere.test"),
        ("https://localhost:{port}/any/a", "elsewhere.test"),
        ("https://elsewhere.test@localhost:{port}/any/a", ""),
        ("http://localhost:{port}/any/a", ""),
        ("ftp://localhost:{port}/any/a", ""),
        ("https:///any/a", ""),
        ("https://localhost:{port}x/any/a", ""),
        ("//localhost:{port}/any/a", ""),
        ("any/a", ""),
        ("localhost:{port}", ""),
        ("?a", ""),
    ],
)
def test_other_absolute_forms_are_refused(client, gateway, world, upstream, target, host):
    told = client.http1(world.agent).call(
        "GET", target.format(port=gateway.port), world.broker.token(world.agent), host=host
    )
    assert told.status in (400, 421)
    assert told.code in ("malformed-request", "misdirected")
    assert not upstream.requests


@pytest.mark.parametrize(("method", "target"), [("OPTIONS", "*"), ("GET", "*")])
def test_asterisk_form_reaches_nobody(connection, world, upstream, method, target):
    told = connection.attempt(method, target, world.broker.token(world.agent))
    assert told is None or told.status in (400, 404)
    assert not upstream.requests


def test_connect_reaches_nobody(client, gateway, world, upstream):
    connection = client.http1(world.agent)
    target = f"localhost:{gateway.port}"
    connection.send(connection.head("CONNECT", target, world.broker.token(world.agent)) + "GET /any/a HTTP/1.1\r\n\r\n")
    told = connection.reader.response("CONNECT")
    assert told.status in (400, 404, 405, 501)
    assert connection.is_closed()
    assert not upstream.received


def test_connect_over_http2_reaches_nobody(client, gateway, world, upstream):
    connection = client.http2(world.agent)
    head = [(":method", "CONNECT"), (":authority", f"localhost:{gateway.port}")]
    stream = connection.start_exactly(
        [*head, ("authorization", f"Bearer {world.broker.token(world.agent)}")], end=False
    )
    try:
        assert connection.response(stream).status in (400, 404, 405, 501)
    except Exception as error:
        assert type(error).__name__ in ("StreamReset", "GoneAway", "Closed")
    assert not upstream.received


@pytest.mark.parametrize("path", ["any/a", "", "*", "https://localhost/any/a", "?a"])
def test_an_http2_path_begins_with_a_slash(client, world, upstream, path):
    told = client.http2(world.agent).attempt("GET", path, world.broker.token(world.agent))
    assert told is None or told.status in (400, 404, 421)
    assert not upstream.requests


@pytest.mark.parametrize("length", [100, 7000])
def test_a_long_path_is_forwarded_whole(connection, world, upstream, length):
    target = "/any/" + "a" * length + "?" + "b" * length
    assert connection.call("GET", target, world.broker.token(world.agent)).status == 200
    assert upstream.request.target == target
