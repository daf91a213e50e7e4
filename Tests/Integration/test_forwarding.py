"""What the upstream is told, and what it is never told: this is where proxies get owned."""

import base64
import re

import pytest

from credentials import ABSENT, ISSUER
from world import route


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    routes = [
        route("strip", "/strip/{x}", scope="read:things:{x}"),
        route("bearer", "/bearer/{x}", forward={"authorization": "bearer"}),
        route("keep", "/keep/{x}", forward={"authorization": "keep"}),
        route("certificate", "/certificate/{x}", forward={"authorization": "strip", "client_cert": True}),
        route("any", "/any/{rest...}"),
    ]
    return launch(world.configuration(the_upstream.url, routes))


def spellings(name: str) -> list[str]:
    return [name, name.lower(), name.upper(), name.replace("-", "_"), name.replace("-", "_", 1).lower()]


IDENTITY_FIELDS = [
    *("DPoP", "Proxy-Authorization"),
    *("Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-Client-Cert-Chain", "X-Client-Certificate"),
    *("X-Forwarded-Client-Cert", "X-Forwarded-Tls-Client-Cert", "X-Forwarded-Tls-Client-Cert-Info"),
    *(
        "SSL-Client-Cert",
        "SSL-Client-Verify",
        "SSL-Client-S-DN",
        "X-SSL-Client-Cert",
        "X-SSL-Client-Verify",
        "X-SSL-Cert",
    ),
    *("X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Subject", "X-ARR-ClientCert"),
    *("Workload-Identity-Token", "Workload-Proof-Token", "Txn-Token"),
    *("Sallyport-Agent", "Sallyport-Issuer", "Sallyport-Token-Id", "Sallyport-Scope", "Sallyport-Task"),
    *("Sallyport-Orchestration", "Sallyport-Sponsor", "Sallyport-Delegation-Depth", "Sallyport-Anything-Else"),
    *("X-Request-Id", "Forwarded"),
]

HOP_BY_HOP_FIELDS = ["Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Upgrade", "TE", "Trailer"]


def mark(fields) -> list[str]:
    return [name.lower() for name, value in fields if "from-the-client" in value]


@pytest.mark.parametrize("name", IDENTITY_FIELDS)
def test_no_field_of_credentials_or_identity_passes(client, world, upstream, name):
    """HTTP/1.1, in every spelling; with `_` an upstream may read it as `-`."""
    for spelling in dict.fromkeys(spellings(name)):
        upstream.clear()
        connection = client.http1(world.agent)
        fields = [(spelling, "from-the-client"), ("X-Kept", "from-the-client")]
        told = connection.call("GET", "/any/a", world.broker.token(world.agent), fields)
        assert told.status == 200, spelling
        assert mark(upstream.request.fields) == ["x-kept"]


@pytest.mark.parametrize("name", IDENTITY_FIELDS)
def test_no_field_of_credentials_or_identity_passes_over_http2(client, world, upstream, name):
    connection = client.http2(world.agent)
    for spelling in dict.fromkeys(spelling.lower() for spelling in spellings(name)):
        upstream.clear()
        fields = [(spelling, "from-the-client"), ("x-kept", "from-the-client")]
        told = connection.call("GET", "/any/a", world.broker.token(world.agent), fields)
        assert told.status == 200, spelling
        assert mark(upstream.request.fields) == ["x-kept"]


@pytest.mark.parametrize("value", ["from-the-client", "a, from-the-client"])
def test_the_same_field_many_times_is_removed_every_time(connection, world, upstream, value):
    fields = [("Client-Cert", value), ("client_cert", value), ("CLIENT-CERT", value), ("Client_Cert", value)]
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), fields).status == 200
    assert mark(upstream.request.fields) == []


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X_Forwarded_For", "X-Real-IP", "X-Forwarded-Host"])
def test_what_an_upstream_might_believe_of_the_peer_is_not_the_clients(connection, world, upstream, name):
    told = connection.call("GET", "/any/a", world.broker.token(world.agent), [(name, "from-the-client")])
    assert told.status == 200
    assert mark(upstream.request.fields) == []


@pytest.mark.parametrize("name", HOP_BY_HOP_FIELDS)
def test_hop_by_hop_fields_stay_here(client, world, upstream, name):
    told = client.http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent), [(name, "from-the-client")])
    assert told.status == 200
    assert mark(upstream.request.fields) == []


def test_fields_that_connection_names_stay_here(client, world, upstream):
    fields = [("Connection", "X-Hop, keep-alive"), ("X-Hop", "from-the-client"), ("X-Kept", "from-the-client")]
    connection = client.http1(world.agent)
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), fields).status == 200
    assert mark(upstream.request.fields) == ["x-kept"]
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200


@pytest.mark.parametrize(
    "named", ["authorization", "sallyport-agent", "x-request-id", "forwarded", "traceparent", "host", "content-length"]
)
def test_connection_cannot_take_away_what_matters(client, gateway, world, upstream, named):
    """The request is judged as it came, and what the gateway says of it stays."""
    connection = client.http1(world.agent)
    body = b"hello"
    told = connection.call("POST", "/any/a", world.broker.token(world.agent), [("Connection", f"close, {named}")], body)
    assert told.status in (200, 400)
    if told.status == 200:
        assert upstream.request.header("sallyport-agent") == world.agent.spiffe_id
        assert upstream.request.header("x-request-id") == told.request_id
        assert upstream.request.header("host")
        assert upstream.request.header("forwarded") and upstream.request.header("traceparent")
        assert upstream.request.body == body
        assert upstream.request.header("authorization") is None


def test_end_to_end_fields_pass_as_they_are(connection, world, upstream):
    fields = [
        *(("Accept", "text/html, */*;q=0.1"), ("Accept-Language", "da, en"), ("Content-Type", "text/plain")),
        *(
            ("Cookie", "a=b; c=d"),
            ("User-Agent", "test (x)"),
            ("X-Empty", ""),
            ("If-Match", '"abc"'),
            ("Range", "bytes=0-9"),
        ),
        *(("X-Twice", "one"), ("X-Twice", "two"), ("Origin", "https://page.test"), ("X_Underscore", "kept")),
        *(("Dpop-Nonce-Thing", "x"), ("X-Sslx", "x"), ("Clients-Certify", "x")),
    ]
    assert connection.call("POST", "/any/a", world.broker.token(world.agent), fields, b"x").status == 200
    for name, _ in fields:
        assert upstream.request.all(name) == [value for other, value in fields if other == name]


def test_values_of_any_visible_character_pass(connection, world, upstream):
    value = "".join(map(chr, range(0x21, 0x7F))) + " \t" + "".join(map(chr, range(0x80, 0x100))) + "."
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), [("X-Bytes", value)]).status == 200
    assert upstream.request.header("x-bytes") == value


# What the gateway adds


def test_the_upstream_is_told_who_calls(connection, world, upstream):
    token = world.broker.token(world.agent, scope="read:other:1 read:things:7", jti="token-1")
    told = connection.call("GET", "/strip/7", token)
    request = upstream.request
    assert told.status == 200
    assert request.header("sallyport-agent") == world.agent.spiffe_id
    assert request.header("sallyport-issuer") == ISSUER
    assert request.header("sallyport-token-id") == "token-1"
    assert request.header("sallyport-scope") == "read:things:7"
    assert request.header("sallyport-task") == "task-1"
    assert request.header("sallyport-orchestration") == "orchestration-1"
    assert request.header("sallyport-sponsor") == "someone@example.test"
    assert request.header("sallyport-delegation-depth") in (None, "0")
    assert request.header("x-request-id") == told.request_id
    assert request.header("authorization") is None
    assert request.header("host")


def test_the_grant_that_matched_may_be_a_wildcard(connection, world, upstream):
    connection.call("GET", "/strip/7", world.broker.token(world.agent, scope="read:things:*"))
    assert upstream.request.header("sallyport-scope") == "read:things:*"


def test_what_is_not_known_is_not_said(connection, world, upstream):
    token = world.broker.token(world.agent, scope=ABSENT, task_id=ABSENT, orchestration_id=ABSENT, sponsor=ABSENT)
    assert connection.call("GET", "/any/a", token).status == 200
    for name in ("scope", "task", "orchestration", "sponsor"):
        assert upstream.request.header(f"sallyport-{name}") is None


def test_other_names_of_claims_are_read(connection, world, upstream):
    token = world.broker.token(
        world.agent, orchestration_id=ABSENT, sponsor=ABSENT, orch_id="o-2", original_principal="other@example.test"
    )
    assert connection.call("GET", "/any/a", token).status == 200
    assert upstream.request.header("sallyport-orchestration") == "o-2"
    assert upstream.request.header("sallyport-sponsor") == "other@example.test"


HOSTILE_CLAIMS = [
    "a\r\nSallyport-Agent: admin",
    "a\nb",
    "a\0b",
    "a\rb",
    "\x7f",
    " a",
    "a ",
    "søster",
    "a" * 3000,
    "a, b",
]


@pytest.mark.parametrize("claim", ["task_id", "orchestration_id", "sponsor", "jti", "client_id"])
@pytest.mark.parametrize("value", HOSTILE_CLAIMS)
def test_a_claim_cannot_break_out_of_its_field(client, world, upstream, claim, value):
    told = client.http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent, **{claim: value}))
    assert told.status in (200, 401)
    for request in upstream.requests:
        assert request.all("sallyport-agent") == [world.agent.spiffe_id]
        assert not any(character in text for _, text in request.fields for character in "\r\n\0\x7f")


def test_forwarded_tells_of_this_hop(connection, gateway, world, upstream):
    fields = [("Forwarded", "for=6.6.6.6;by=evil"), ("X-Forwarded-Proto", "http")]
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), fields).status == 200
    forwarded = upstream.request.header("forwarded").lower()
    assert re.search(r'for="?127\.0\.0\.1', forwarded)
    assert "proto=https" in forwarded
    assert f"localhost:{gateway.port}" in forwarded
    assert "6.6.6.6" not in forwarded


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_is_continued(connection, gateway, world, upstream):
    fields = [("traceparent", TRACE), ("tracestate", "a=b")]
    told = connection.call("GET", "/any/a", world.broker.token(world.agent), fields)
    version, trace, parent, flags = upstream.request.header("traceparent").split("-")
    assert (version, trace, flags) == ("00", TRACE.split("-")[1], "01")
    assert re.fullmatch("[0-9a-f]{16}", parent) and parent != TRACE.split("-")[2]
    assert upstream.request.header("tracestate") == "a=b"
    assert gateway.record(told.request_id, "request.allowed")["trace_id"] == trace


@pytest.mark.parametrize(
    "given",
    [
        None,
        "garbage",
        "",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        TRACE.upper(),
        TRACE + "-more",
        TRACE[:-1],
    ],
)
def test_a_trace_is_started_where_there_is_none(connection, world, upstream, given):
    fields = [] if given is None else [("traceparent", given)]
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), fields).status == 200
    made = upstream.request.header("traceparent")
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", made)
    assert set(made.split("-")[1]) != {"0"} and set(made.split("-")[2]) != {"0"}
    assert made != given


def test_two_traces_start_a_new_one(connection, world, upstream):
    fields = [("traceparent", TRACE), ("traceparent", TRACE.replace("0af7", "0af8"))]
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), fields).status == 200
    assert TRACE.split("-")[1][4:] not in upstream.request.header("traceparent")


def test_request_ids_are_ours_and_all_different(connection, world, upstream):
    ids = set()
    for _ in range(10):
        told = connection.call("GET", "/any/a", world.broker.token(world.agent), [("X-Request-Id", "mine")])
        ids |= {told.request_id, upstream.requests[-1].header("x-request-id")}
    assert len(ids) == 10 and "mine" not in ids


# What a route says of the token and the certificate


def test_the_token_is_stripped_forwarded_or_kept(connection, world, upstream):
    token = world.broker.token(world.agent, scope="read:things:1")
    field = [("Authorization", f"bearer {token}")]
    for name, value in (("strip", None), ("bearer", f"Bearer {token}"), ("keep", f"bearer {token}")):
        upstream.clear()
        assert connection.call("GET", f"/{name}/1", fields=field).status == 200
        assert upstream.request.header("authorization") == value


def test_the_certificate_is_forwarded_where_the_route_says_so(connection, world, upstream):
    """RFC 9440: the certificate's DER as a byte sequence; whatever the client said of one is gone."""
    claims = [("Client-Cert", ":AAAA:"), ("client_cert", ":AAAA:"), ("Client-Cert-Chain", ":AAAA:")]
    assert connection.call("GET", "/certificate/1", world.broker.token(world.agent), claims).status == 200
    assert upstream.request.header("client-cert") == f":{base64.b64encode(world.agent.der).decode()}:"
    assert upstream.request.header("client-cert-chain") is None
    assert ":AAAA:" not in dict(upstream.request.fields).values()
    upstream.clear()
    assert connection.call("GET", "/any/a", world.broker.token(world.agent), claims).status == 200
    assert upstream.request.header("client-cert") is None


# Answers


def test_an_answers_hop_by_hop_fields_stay_here(connection, world, upstream):
    def answer(opened, request):
        opened.answer(
            *(200, b"x"),
            *(("Connection", "X-Hop"), ("X-Hop", "h"), ("Keep-Alive", "timeout=5"), ("Proxy-Authenticate", "Basic")),
            *(("Upgrade", "h2c"), ("X-Kept", "k"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("ETag", '"e"')),
        )

    upstream.answer = answer
    told = connection.call("GET", "/any/a", world.broker.token(world.agent))
    assert told.status == 200
    assert not {"x-hop", "keep-alive", "proxy-authenticate", "upgrade"} & set(told.names)
    assert (told.header("x-kept"), told.header("etag"), told.all("set-cookie")) == ("k", '"e"', ["a=b", "c=d"])


def test_an_answers_request_id_is_ours(connection, world, upstream):
    upstream.answer = lambda opened, request: opened.answer(
        200, b"x", ("X-Request-Id", "theirs"), ("x-request-id", "too")
    )
    told = connection.call("GET", "/any/a", world.broker.token(world.agent))
    assert told.request_id == upstream.request.header("x-request-id")


@pytest.mark.parametrize("status", [201, 204, 301, 304, 400, 401, 404, 418, 500, 503, 599])
def test_an_answers_status_is_passed_on(connection, world, upstream, status):
    fields = [("WWW-Authenticate", "Basic")] if status == 401 else []

    def answer(opened, request):
        if status in (204, 304):
            opened.send(f"HTTP/1.1 {status} X\r\n\r\n".encode())
        else:
            opened.answer(status, b"theirs", *fields)

    upstream.answer = answer
    told = connection.call("GET", "/any/a", world.broker.token(world.agent))
    assert told.status == status
    assert told.body == (b"" if status in (204, 304) else b"theirs")
    assert told.request_id


def test_interim_answers_do_not_end_a_request(connection, world, upstream):
    def answer(opened, request):
        opened.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        opened.answer(200, b"final")

    upstream.answer = answer
    told = connection.call("GET", "/any/a", world.broker.token(world.agent))
    assert (told.status, told.body) == (200, b"final")


def test_an_answer_without_a_length_ends_with_its_connection(connection, world, upstream):
    def answer(opened, request):
        opened.send(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")
        opened.close()

    upstream.answer = answer
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).body == b"until the end"


def test_an_http_1_0_upstream_is_understood(connection, world, upstream):
    def answer(opened, request):
        opened.send(b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold")
        opened.close()

    upstream.answer = answer
    for _ in range(3):
        assert connection.call("GET", "/any/a", world.broker.token(world.agent)).body == b"old"


def test_upstream_connections_are_kept(connection, world, upstream):
    before = len(upstream.connections)
    for _ in range(50):
        assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200
    assert len(upstream.connections) - before <= 2
    assert len(upstream.requests) == 50
