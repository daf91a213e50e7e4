"""What streams arrives as it is sent: events, long polls, trailers, early answers and those that a client waits for."""

import contextlib

import pytest

from clients import StreamReset
from upstreams_http2 import Http2Upstream
from wire import Closed
from world import route

EVENTS = 20
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def the_http2_upstream():
    upstream = Http2Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def http2_upstream(the_http2_upstream) -> Http2Upstream:
    the_http2_upstream.clear()
    return the_http2_upstream


@pytest.fixture(scope="module")
def gateway(world, the_upstream, the_http2_upstream, launch):
    upstreams = [
        {"name": "service", "targets": [the_upstream.url]},
        {"name": "http2", "targets": [the_http2_upstream.url], "protocol": "h2"},
    ]
    routes = [route("any", "/any/{x...}"), {**route("http2", "/http2/{x...}"), "upstream": "http2"}]
    return launch(world.configuration(the_upstream.url, routes, upstreams=upstreams))


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


class Reading:
    """An answer that is read piece by piece, over either protocol."""

    def __init__(self, connection, target: str, token: str, fields=(), method="GET"):
        self.connection, self.bytes = connection, b""
        if hasattr(connection, "h2"):
            self.stream = connection.start(method, target, token, fields)
        else:
            self.stream = None
            connection.send(connection.head(method, target, token, fields))
            assert connection.reader.line().startswith("HTTP/1.1 200")
            self.fields = connection.reader.fields()
            message = type("Head", (), {"header": lambda _, name: dict(lower(self.fields)).get(name)})()
            self.pieces = connection.reader.pieces(message, until_close=True)

    def until(self, end: bytes) -> bytes:
        """All up to `end`, which was sent and must come without anything more being sent."""
        while end not in self.bytes:
            self.bytes += self.more()
        piece, _, self.bytes = self.bytes.partition(end)
        return piece

    def more(self) -> bytes:
        if not self.stream:
            return next(self.pieces)
        response = self.connection.responses.get(self.stream)
        if response and response.body:
            data, response.body = response.body, b""
            return data
        assert self.stream not in self.connection.ended
        self.connection.pump()
        return b""

    def is_over(self) -> bool:
        if not self.stream:
            return next(self.pieces, None) is None
        return self.connection.response(self.stream) is not None


def lower(fields):
    return [(name.lower(), value) for name, value in fields]


# Unbuffered


def events_of_http1(upstream, read):
    def answer(opened, request):
        opened.send(CHUNKED)
        for number in range(EVENTS):
            data = f"data: {number}\n\n".encode()
            opened.send(b"%x\r\n%s\r\n" % (len(data), data))
            upstream.wait(lambda number=number: len(read) > number, f"event {number} to be read")
        opened.send(b"0\r\n\r\n")

    return answer


def events_of_http2(upstream, read):
    def answer(call):
        call.head(200, ("content-type", "text/event-stream"))
        for number in range(EVENTS):
            call.data(f"data: {number}\n\n".encode())
            upstream.wait(lambda number=number: len(read) > number, f"event {number} to be read")
        call.data(b"", end=True)

    return answer


SERVICES = {"http/1.1": ("/any/events", events_of_http1), "h2": ("/http2/events", events_of_http2)}


@pytest.mark.parametrize("speaks", SERVICES)
def test_an_event_is_read_before_the_next_is_sent(connection, upstream, http2_upstream, token, speaks):
    target, events = SERVICES[speaks]
    service = http2_upstream if speaks == "h2" else upstream
    read = []
    service.answer = events(service, read)
    reading = Reading(connection, target, token, [("accept", "text/event-stream")])
    for number in range(EVENTS):
        assert reading.until(b"\n\n") == b"data: %d" % number
        service.tell(read, number)
    assert reading.is_over()


def test_events_until_the_connection_closes_are_read_as_they_come(connection, upstream, token):
    """An answer without a length (RFC 9112 §6.3)."""
    read = []

    def answer(opened, request):
        opened.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for number in range(EVENTS):
            opened.send(b"data: %d\n\n" % number)
            upstream.wait(lambda number=number: len(read) > number, f"event {number} to be read")
        opened.close()

    upstream.answer = answer
    reading = Reading(connection, "/any/events", token)
    for number in range(EVENTS):
        assert reading.until(b"\n\n") == b"data: %d" % number
        upstream.tell(read, number)
    assert reading.is_over()


def test_the_head_of_an_answer_does_not_wait_for_its_body(connection, upstream, token):
    seen = []

    def answer(opened, request):
        opened.send(CHUNKED)
        upstream.wait(lambda: seen, "the head to be read")
        opened.send(b"2\r\nhi\r\n0\r\n\r\n")

    upstream.answer = answer
    if hasattr(connection, "h2"):
        stream = connection.start("GET", "/any/a", token)
        while stream not in connection.responses:
            connection.pump()
        upstream.tell(seen)
        assert connection.response(stream).body == b"hi"
    else:
        reading = Reading(connection, "/any/a", token)
        upstream.tell(seen)
        assert reading.until(b"hi") == b""


def test_a_request_is_read_as_it_is_sent(connection, upstream, token):
    """The client sends its next piece only when the upstream has the one before."""
    taken = []

    def answer(opened, request):
        pieces = opened.reader.pieces(request)
        for number in range(EVENTS):
            data = b""
            while len(data) < 4:
                data += next(pieces)
            assert data == b"%04d" % number
            upstream.tell(taken, number)
        assert next(pieces, None) is None
        opened.answer(200, b"all")

    upstream.answer = answer
    if hasattr(connection, "h2"):
        stream = connection.start("POST", "/any/a", token, end=False)
    else:
        connection.send(connection.head("POST", "/any/a", token, [("Transfer-Encoding", "chunked")]))
    for number in range(EVENTS):
        if hasattr(connection, "h2"):
            connection.send_data(stream, b"%04d" % number, end=number == EVENTS - 1)
        else:
            connection.send(b"4\r\n%04d\r\n" % number)
        upstream.wait(lambda number=number: len(taken) > number, f"piece {number} to arrive")
    if hasattr(connection, "h2"):
        assert connection.response(stream).body == b"all"
    else:
        connection.send(b"0\r\n\r\n")
        assert connection.reader.response().body == b"all"


def test_long_polls_hold_up_nobody(client, protocol, world, upstream, token):
    """Fifty wait for something to happen; others are answered meanwhile, and then so are they."""
    happened = []

    def answer(opened, request):
        if "poll" in request.target:
            upstream.wait(lambda: happened, "something to happen")
        opened.answer(200, request.target.encode())

    upstream.answer = answer
    if protocol == "h2":
        connection = client.http2(world.agent)
        polls = [connection.start("GET", f"/any/poll/{number}", token) for number in range(50)]
    else:
        polls = [client.http1(world.agent) for _ in range(50)]
        for number, poll in enumerate(polls):
            poll.send(poll.head("GET", f"/any/poll/{number}", token))
    upstream.wait(lambda: len(upstream.requests) >= 50, "the polls")
    other = connection if protocol == "h2" else client.http1(world.agent)
    assert other.call("GET", "/any/other", token).body == b"/any/other"
    upstream.tell(happened)
    answers = [connection.response(poll) if protocol == "h2" else poll.reader.response() for poll in polls]
    assert [told.body for told in answers] == [f"/any/poll/{number}".encode() for number in range(50)]


# Trailers

FORBIDDEN = [
    *("Authorization", "DPoP", "Cookie", "Proxy-Authorization", "Host", "Content-Length", "Transfer-Encoding"),
    *("Content-Type", "Content-Encoding", "Content-Range", "Connection", "TE", "Trailer", "Upgrade", "Keep-Alive"),
    *("Sallyport-Agent", "Sallyport_Agent", "Client-Cert", "X-Forwarded-Client-Cert", "X-SSL-Client-Verify"),
    *("Workload-Identity-Token", "Txn-Token", "Forwarded", "X-Forwarded-For", "X-Request-Id", "Traceparent"),
]


def post_with_trailers(connection, target: str, token: str, trailers, fields=()):
    """A call with a body of five bytes and trailers; gives the response, `None` where it was refused below HTTP."""
    try:
        if hasattr(connection, "h2"):
            stream = connection.start("POST", target, token, fields, end=False)
            connection.send_data(stream, b"hello", end=False)
            octets = [(name.lower().encode(), value.encode()) for name, value in trailers]
            connection.h2.send_headers(stream, octets, end_stream=True)
            connection.flush()
            return connection.response(stream)
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
        head = connection.head("POST", target, token, [("Transfer-Encoding", "chunked"), *fields])
        connection.send(head + f"5\r\nhello\r\n0\r\n{lines}\r\n")
        return connection.reader.response()
    except (StreamReset, Closed, ConnectionError):
        return None


@pytest.fixture(params=["http/1.1", "h2"])
def service(request, upstream, http2_upstream):
    """A service by each protocol: the prefix of its route, and a function for the only request that came to it."""
    if request.param == "h2":
        return "/http2", http2_upstream, lambda: http2_upstream.call
    return "/any", upstream, lambda: upstream.request


def test_trailers_of_a_request_pass(connection, service, token):
    prefix, upstream, request = service
    trailers = [("X-Checksum", "abc"), ("Server-Timing", "db;dur=53"), ("X-Checksum", "def")]
    assert post_with_trailers(connection, f"{prefix}/a", token, trailers).status == 200
    assert lower(request().trailers) == lower(trailers)
    assert bytes(request().body) == b"hello"
    assert not {"x-checksum", "server-timing"} & {name.lower() for name, _ in request().fields}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_what_may_not_be_a_trailer_never_reaches_the_upstream(client, protocol, world, service, token, name):
    """The call is refused, or the field is dropped and another in its company passes."""
    prefix, upstream, request = service
    connection = client.open(protocol, world.agent)
    trailers = [(name, "7"), ("X-Kept", "from-the-client")]
    told = post_with_trailers(connection, f"{prefix}/a", token, trailers)
    assert told is None or told.status in (200, 400, 502)
    if told and told.status == 200:
        assert lower(request().trailers) == [("x-kept", "from-the-client")]
        assert name == "Content-Length" or "7" not in request().all(name.lower())


def upstream_answers(upstream, trailers, declared=False) -> None:
    """Makes either kind of upstream answer `hello` with trailers."""

    def answer_http1(opened, request):
        opened.read_body(request)
        lines = "".join(f"{name}: {value}\r\n" for name, value in trailers)
        trailer = f"Trailer: {', '.join(name for name, _ in trailers)}\r\n" if declared else ""
        head = f"HTTP/1.1 200 OK\r\n{trailer}Transfer-Encoding: chunked\r\n\r\n"
        opened.send(f"{head}5\r\nhello\r\n0\r\n{lines}\r\n".encode())

    def answer_http2(call):
        call.read_body()
        call.answer(200, b"hello", trailers=lower(trailers))

    upstream.answer = answer_http2 if isinstance(upstream, Http2Upstream) else answer_http1


def test_trailers_of_an_answer_pass_to_who_takes_them(connection, protocol, service, token):
    prefix, upstream, _ = service
    trailers = [("X-Checksum", "abc"), ("Server-Timing", "db;dur=53")]
    upstream_answers(upstream, trailers)
    fields = [("TE", "trailers"), *([("Connection", "TE")] if protocol == "http/1.1" else [])]
    told = connection.call("GET", f"{prefix}/a", token, fields)
    assert (told.status, told.body) == (200, b"hello")
    assert lower(told.trailers) == lower(trailers)
    assert not {"x-checksum", "server-timing"} & set(told.names)


def test_an_http1_client_that_does_not_take_trailers_gets_none(client, world, service, token):
    prefix, upstream, _ = service
    upstream_answers(upstream, [("X-Checksum", "abc")], declared=True)
    connection = client.http1(world.agent)
    for _ in range(2):
        told = connection.call("GET", f"{prefix}/a", token)
        assert (told.status, told.body, told.trailers) == (200, b"hello", [])
        assert "x-checksum" not in told.names


def test_an_http1_0_client_gets_neither_chunks_nor_trailers(client, world, service, token):
    prefix, upstream, _ = service
    upstream_answers(upstream, [("X-Checksum", "abc")])
    connection = client.http1(world.agent)
    head = connection.head("GET", f"{prefix}/a", token, [("TE", "trailers"), ("Connection", "TE")])
    connection.send(head.replace("HTTP/1.1", "HTTP/1.0"))
    told = connection.reader.response()
    assert told.status in (400, 505) or (told.body, told.trailers) == (b"hello", [])


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Connection", "Set-Cookie", "X-Request-Id"])
def test_what_may_not_be_a_trailer_of_an_answer_does_not_pass(client, protocol, world, service, token, name):
    prefix, upstream, _ = service
    upstream_answers(upstream, [(name, "7"), ("X-Kept", "a")])
    fields = [("TE", "trailers"), *([("Connection", "TE")] if protocol == "http/1.1" else [])]
    told = client.open(protocol, world.agent).attempt("GET", f"{prefix}/a", token, fields)
    if told and told.status == 200:
        assert lower(told.trailers) == [("x-kept", "a")]


@pytest.mark.parametrize("count", [1000, 100_000])
def test_trailers_are_limited_as_heads_are(client, protocol, world, service, token, count):
    prefix, upstream, _ = service
    trailers = [(f"X-{number}", "a" * 90) for number in range(count // 100)]
    with contextlib.suppress(ConnectionError):
        told = post_with_trailers(client.open(protocol, world.agent), f"{prefix}/a", token, trailers)
        assert told is None or (told.status == 200) == (count == 1000)
    if count == 1000:
        upstream_answers(upstream, trailers)
        assert client.open(protocol, world.agent).call("GET", f"{prefix}/b", token).status == 200


# Early answers


def test_an_early_answer_is_read_while_the_client_goes_on_sending(connection, protocol, upstream, token):
    """The upstream answers whole before the request is; neither side's rest is taken for anything else."""
    answered = []

    def answer(opened, request):
        if request.method == "GET":
            return opened.answer(200, b"next")
        opened.answer(403, b"enough")
        upstream.tell(answered)
        with contextlib.suppress(Closed, ConnectionError):
            opened.read_body(request)

    upstream.answer = answer
    if protocol == "h2":
        stream = connection.start("POST", "/any/a", token, end=False)
        connection.send_data(stream, bytes(1000), end=False)
        told = connection.response(stream)
        assert connection.call("GET", "/any/b", token).body == b"next"
    else:
        connection.send(connection.head("POST", "/any/a", token, [("Content-Length", "3000")]).encode() + bytes(1000))
        told = connection.reader.response()
        with contextlib.suppress(Closed, ConnectionError):
            connection.send(bytes(2000))
            assert connection.call("GET", "/any/b", token).body == b"next"
    assert (told.status, told.body) == (403, b"enough")


def test_an_early_answer_of_an_http2_upstream_is_passed_on(connection, protocol, http2_upstream, token):
    """A whole answer, then RST_STREAM with NO_ERROR (RFC 9113 §8.1)."""

    def answer(call):
        call.answer(403, b"enough")
        call.reset(0)

    http2_upstream.answer = answer
    if protocol == "h2":
        stream = connection.start("POST", "/http2/a", token, end=False)
        connection.send_data(stream, bytes(1000), end=False)
        told = connection.response(stream)
    else:
        head = connection.head("POST", "/http2/a", token, [("Content-Length", "3000")])
        connection.send(head.encode() + bytes(1000))
        told = connection.reader.response()
    assert (told.status, told.body) == (403, b"enough")


# 100-continue


def test_a_client_that_waits_is_told_to_continue(connection, protocol, service, token):
    """Whatever the upstream speaks, and once it is known to be allowed."""
    prefix, upstream, request = service
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    if protocol == "h2":
        stream = connection.start("POST", f"{prefix}/a", token, fields, end=False)
        connection.send_data(stream, b"hello")
        told = connection.response(stream)
    else:
        connection.send(connection.head("POST", f"{prefix}/a", token, fields))
        assert connection.reader.response(interim=True).status == 100
        connection.send(b"hello")
        told = connection.reader.response()
    assert told.status == 200
    assert bytes(request().body) == b"hello"


@pytest.mark.parametrize("expectation", ["something", "100-continue, something"])
def test_another_expectation_is_not_met(connection, upstream, token, expectation):
    told = connection.attempt("POST", "/any/a", token, [("Expect", expectation)], b"hello")
    assert told is None or told.status in (200, 400, 417)


def test_interim_answers_of_the_upstream_do_not_disturb(connection, service, token):
    """103 and 100 before the answer; the answer itself is whole."""
    prefix, upstream, _ = service

    def answer_http1(opened, request):
        opened.read_body(request)
        opened.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
        opened.answer(200, b"final")

    def answer_http2(call):
        call.read_body()
        call.head(103, ("link", "</a>"))
        call.head(100)
        call.answer(200, b"final")

    upstream.answer = answer_http2 if isinstance(upstream, Http2Upstream) else answer_http1
    for _ in range(2):
        told = connection.call("POST", f"{prefix}/a", token, body=b"hello")
        assert (told.status, told.body) == (200, b"final")


def test_a_call_that_ends_in_the_middle_of_its_answer_frees_the_upstream(connection, service, token):
    """A client that closes an event stream is noticed, though nothing is sent to it."""
    prefix, upstream, _ = service
    gone = []

    def answer_http1(opened, request):
        opened.send(CHUNKED + b"2\r\nhi\r\n")
        assert opened.reader.at_end()
        upstream.tell(gone)

    def answer_http2(call):
        call.head(200)
        call.data(b"hi")
        upstream.wait(lambda: call.is_over, "the reset")
        upstream.tell(gone)

    upstream.answer = answer_http2 if isinstance(upstream, Http2Upstream) else answer_http1
    assert Reading(connection, f"{prefix}/a", token).until(b"hi") == b""
    connection.close()
    upstream.wait(lambda: gone, "the upstream to be let go")
