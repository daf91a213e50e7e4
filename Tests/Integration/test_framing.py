"""HTTP/1.1 framing: whatever could be cut in two ways is refused, and its second half never reaches the upstream."""

import pytest

from wire import Closed


@pytest.fixture
def sender(client, world):
    """Sends one head on a connection of its own and gives that connection."""
    token = world.broker.token(world.agent)

    def send(lines: str, after: str | bytes = b"", start="POST /any/a HTTP/1.1", host=True, closing="\r\n\r\n"):
        connection = client.http1(world.agent)
        head = f"{start}\r\nAuthorization: Bearer {token}\r\n"
        head += f"Host: {connection.authority}\r\n" if host else ""
        after = after.encode("latin-1") if isinstance(after, str) else after
        connection.send((head + lines).encode("latin-1") + closing.encode() + after)
        return connection

    return send


# A whole request that would be seen if the head before it were cut elsewhere. `/smuggled` has no route: so if it is
# ever answered, 404 follows 400; and if it is ever forwarded, the upstream has it in what it received.
SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"

AMBIGUOUS = {
    "length and chunks": "Content-Length: 6\r\nTransfer-Encoding: chunked",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 6",
    "two lengths": "Content-Length: 5\r\nContent-Length: 6",
    "two lengths in one field": "Content-Length: 5, 6",
    "two lengths, one empty": "Content-Length: 5\r\nContent-Length:",
    "a length with a sign": "Content-Length: +5",
    "a negative length": "Content-Length: -5",
    "a length in hex": "Content-Length: 0x5",
    "a length with a space inside": "Content-Length: 5 5",
    "a length with a decimal point": "Content-Length: 5.0",
    "a length with an underscore": "Content-Length: 5_0",
    "an empty length": "Content-Length:",
    "a length in other digits": "Content-Length: \xb2",
    "a length past 64 bits": "Content-Length: 18446744073709551621",
    "a length past 63 bits": "Content-Length: 9223372036854775813",
    "a long length": "Content-Length: " + "9" * 400,
    "a length with a NUL": "Content-Length: 5\0",
    "chunked twice": "Transfer-Encoding: chunked, chunked",
    "chunked in two fields": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "chunked and then something": "Transfer-Encoding: chunked, identity",
    "something and then chunked": "Transfer-Encoding: gzip, chunked",
    "identity": "Transfer-Encoding: identity",
    "an unknown coding": "Transfer-Encoding: xchunked",
    "chunked with a vertical tab": "Transfer-Encoding: \x0bchunked",
    "chunked with a NUL": "Transfer-Encoding: chunked\0",
    "chunked in quotes": 'Transfer-Encoding: "chunked"',
    "chunked with a parameter": "Transfer-Encoding: chunked;a=b",
    "chunked behind a comma": "Transfer-Encoding: ,chunked",
    "an empty coding": "Transfer-Encoding:",
    "space before the colon of a length": "Content-Length : 5",
    "space before the colon of chunks": "Transfer-Encoding : chunked",
    "tab before the colon": "Transfer-Encoding\t: chunked",
    "a folded line": "X-Color: blue\r\n green",
    "a folded line that hides chunks": "X-Color: blue\r\n\tTransfer-Encoding: chunked",
    "a folded coding": "Transfer-Encoding:\r\n chunked",
    "a name with a space": "X Color: blue",
    "a name with a NUL": "X\0Color: blue",
    "a name beyond ASCII": "X-C\xf6lor: blue",
    "a name in quotes": '"X-Color": blue',
    "an empty name": ": blue",
    "no colon": "X-Color blue",
    "a NUL in a value": "X-Color: bl\0ue",
    "a bare CR in a value": "X-Color: bl\rue",
    "a bare CR that hides a field": "X-Color: blue\rTransfer-Encoding: chunked",
    "a bare LF between fields": "X-Color: blue\nX-Other: green",
    "a bare LF that hides chunks": "X-Color: blue\nTransfer-Encoding: chunked",
    "a control character in a value": "X-Color: bl\x01ue",
    "a DEL in a value": "X-Color: bl\x7fue",
    "two hosts": "Host: elsewhere.test",
    "two hosts that agree": "Host: localhost",
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_an_ambiguous_head_is_refused(sender, upstream, case):
    connection = sender(AMBIGUOUS[case], "0\r\n\r\n" + SMUGGLED)
    told = connection.reader.response()
    assert (told.status, told.code) == (400, "malformed-request")
    assert told.request_id
    assert connection.is_closed()
    assert not upstream.received


START_LINES = {
    "no version": "GET /any/a",
    "HTTP/0.9": "GET /any/a HTTP/0.9",
    "HTTP/1.2 of lower case": "GET /any/a http/1.1",
    "HTTP/2.0": "GET /any/a HTTP/2.0",
    "HTTP/1.10": "GET /any/a HTTP/1.10",
    "HTTP/11": "GET /any/a HTTP/11",
    "HTTP/1.1 with a space behind": "GET /any/a HTTP/1.1 ",
    "two spaces": "GET  /any/a HTTP/1.1",
    "two spaces before the version": "GET /any/a  HTTP/1.1",
    "a tab": "GET\t/any/a HTTP/1.1",
    "a space in front": " GET /any/a HTTP/1.1",
    "a method of other characters": "G(T /any/a HTTP/1.1",
    "no method": " /any/a HTTP/1.1",
    "no target": "GET HTTP/1.1",
    "a NUL": "GET /any/a\0 HTTP/1.1",
    "a bare CR": "GET /any/a\r HTTP/1.1",
    "HTTP/2's preface": "PRI * HTTP/2.0",
}


@pytest.mark.parametrize("case", START_LINES)
def test_a_malformed_request_line_is_refused(sender, upstream, case):
    connection = sender("X-Color: blue", SMUGGLED, START_LINES[case])
    told = connection.reader.response()
    assert told.status in (400, 505)
    assert told.code == "malformed-request"
    assert connection.is_closed()
    assert not upstream.received


@pytest.mark.parametrize(
    "host", ["", "Host:\r\n", "Host: local host\r\n", "Host: a/b\r\n", "Host: a@b\r\n", "Host: [::1\r\n"]
)
def test_a_host_is_needed_and_well_formed(sender, upstream, host):
    connection = sender(f"{host}X-Color: blue", start="GET /any/a HTTP/1.1", host=False)
    told = connection.reader.response()
    assert told.status in (400, 421)
    assert not upstream.received


def test_a_bare_line_feed_ends_no_head(sender, upstream):
    connection = sender("X-Color: blue", SMUGGLED, start="GET /any/a HTTP/1.1", closing="\n\n")
    assert connection.reader.response().code == "malformed-request"
    assert connection.is_closed()
    assert not upstream.received


def test_chunks_need_http_1_1(sender, upstream):
    """RFC 9112 §6.1: a Transfer-Encoding in HTTP/1.0 is faulty framing."""
    connection = sender("Transfer-Encoding: chunked", "0\r\n\r\n" + SMUGGLED, "POST /any/a HTTP/1.0")
    assert connection.reader.response().status in (400, 505)
    assert connection.is_closed()
    assert not upstream.received


BAD_CHUNKS = {
    "a sign": "+5\r\nhello\r\n0\r\n\r\n",
    "a minus": "-5\r\nhello\r\n0\r\n\r\n",
    "0x": "0x5\r\nhello\r\n0\r\n\r\n",
    "a space in front": " 5\r\nhello\r\n0\r\n\r\n",
    "an underscore": "0_5\r\nhello\r\n0\r\n\r\n",
    "no size": "\r\nhello\r\n0\r\n\r\n",
    "not hex": "g\r\nhello\r\n0\r\n\r\n",
    "past 64 bits": "10000000000000005\r\nhello\r\n0\r\n\r\n",
    "very many zeros": "0" * 5000 + "5\r\nhello\r\n0\r\n\r\n",
    "a bare LF behind the size": "5\nhello\r\n0\r\n\r\n",
    "a bare CR behind the size": "5\rhello\r\n0\r\n\r\n",
    "a bare LF behind the data": "5\r\nhello\n0\r\n\r\n",
    "data longer than its size": "5\r\nhelloo\r\n0\r\n\r\n",
    "data shorter than its size": "5\r\nhell\r\n0\r\n\r\n",
    "nothing behind the data": "5\r\nhello0\r\n\r\n",
    "a bare LF in an extension": "5;a\nb\r\nhello\r\n0\r\n\r\n",
    "a bare CR in an extension": "5;a\rb\r\nhello\r\n0\r\n\r\n",
    "a NUL in an extension": "5;\0\r\nhello\r\n0\r\n\r\n",
    "a very long extension": "5;" + "a" * 70000 + "\r\nhello\r\n0\r\n\r\n",
    "a bare LF at the end": "5\r\nhello\r\n0\n\n",
    "a trailer without a colon": "5\r\nhello\r\n0\r\nX-Color\r\n\r\n",
    "a folded trailer": "5\r\nhello\r\n0\r\nX-Color: a\r\n b\r\n\r\n",
}


@pytest.mark.parametrize("case", BAD_CHUNKS)
def test_a_malformed_chunk_ends_the_connection(sender, upstream, case):
    """The head may be on its way already; the bytes behind the fault are not, and are not taken for a request."""
    connection = sender("Transfer-Encoding: chunked", BAD_CHUNKS[case] + SMUGGLED)
    try:
        assert connection.reader.response().status in (400, 502)
        assert connection.is_closed()
    except (Closed, ConnectionError):
        pass
    assert b"/smuggled" not in upstream.received
    assert len(upstream.requests) <= 1


GOOD_CHUNKS = {
    "one": "5\r\nhello\r\n0\r\n\r\n",
    "many": "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n",
    "capitals and zeros in front": "005\r\nhello\r\n000\r\n\r\n",
    "an extension": "5;a=b\r\nhello\r\n0;c\r\n\r\n",
    "a quoted extension": '5;a="b c"\r\nhello\r\n0\r\n\r\n',
    "a trailer": "5\r\nhello\r\n0\r\nX-Checksum: 1\r\n\r\n",
}


@pytest.mark.parametrize("case", GOOD_CHUNKS)
def test_well_formed_chunks_are_understood(sender, upstream, case):
    connection = sender("Transfer-Encoding: chunked", GOOD_CHUNKS[case])
    assert connection.reader.response().status == 200
    assert (upstream.request.body_bytes, upstream.request.body) == (5, b"hello")
    assert connection.call("GET", "/none").code == "no-route"


@pytest.mark.parametrize("name", ["Content-Length", "Transfer-Encoding", "Host", "Authorization", "Sallyport-Agent"])
def test_a_trailer_is_never_taken_for_a_field(sender, upstream, name):
    connection = sender("Transfer-Encoding: chunked", f"5\r\nhello\r\n0\r\n{name}: 7\r\n\r\n")
    told = connection.reader.response()
    assert told.status in (200, 400)
    for request in upstream.requests:
        assert "7" not in request.all(name)
        assert name.lower() not in [trailer.lower() for trailer, _ in request.trailers]


TRAILERS = "5\r\nhello\r\n0\r\nX-Checksum: 1\r\nX-More: \r\n\r\n"


def test_trailers_reach_the_upstream_behind_the_content(sender, upstream):
    connection = sender("Transfer-Encoding: chunked", TRAILERS)
    assert connection.reader.response().status == 200
    assert [(name.lower(), value) for name, value in upstream.request.trailers] == [("x-checksum", "1"), ("x-more", "")]
    assert "x-checksum" not in upstream.request.names


def test_trailers_cannot_become_fields_of_another_request(sender, world, upstream):
    """There are servers that read them as fields of the next request: so there is none on that connection."""
    connection = sender("Transfer-Encoding: chunked", TRAILERS)
    assert connection.reader.response().status == 200
    assert connection.call("GET", "/any/b", world.broker.token(world.agent)).status == 200
    streams = [opened.received for opened in upstream.connections if opened.received]
    assert [stream.count(b" HTTP/1.1\r\n") for stream in streams if b"x-checksum: 1" in stream] == [1]


@pytest.mark.parametrize("wanted", [True, False])
def test_trailers_of_an_answer_go_to_who_takes_them(client, world, upstream, wanted):
    def answer(opened, request):
        opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n")

    upstream.answer = answer
    fields = [("TE", "trailers"), ("Connection", "te")] if wanted else []
    connection = client.http1(world.agent)
    for _ in range(2):
        told = connection.call("GET", "/any/a", world.broker.token(world.agent), fields)
        assert (told.status, told.body) == (200, b"hi")
        assert [(name.lower(), value) for name, value in told.trailers] == ([("x-sum", "1")] if wanted else [])
        assert "x-sum" not in told.names


def test_a_body_is_framed_anew(sender, upstream):
    """Chunks in, chunks out, and nothing of how they were cut or commented."""
    connection = sender("transfer-encoding: Chunked", "5;note=secret\r\nhello\r\n0\r\n\r\n")
    assert connection.reader.response().status == 200
    assert upstream.request.header("content-length") is None
    assert upstream.request.header("transfer-encoding") == "chunked"
    assert b"note=secret" not in upstream.received


def test_pipelined_requests_are_answered_in_order(client, world, upstream):
    connection, token = client.http1(world.agent), world.broker.token(world.agent)
    heads = [connection.head("GET", f"/any/{number}", token) for number in range(20)]
    connection.send("".join(heads))
    answers = [connection.reader.response() for _ in heads]
    assert [answer.json["target"] for answer in answers] == [f"/any/{number}" for number in range(20)]


def test_a_request_behind_a_body_is_the_next_one(client, world, upstream):
    connection, token = client.http1(world.agent), world.broker.token(world.agent)
    body = SMUGGLED.encode()
    first = connection.head("POST", "/any/first", token, [("Content-Length", str(len(body)))]).encode() + body
    connection.send(first + connection.head("GET", "/any/second", token).encode())
    answers = [connection.reader.response() for _ in range(2)]
    assert [answer.json["target"] for answer in answers] == ["/any/first", "/any/second"]
    assert upstream.requests[0].body == body


def test_a_refused_request_in_the_middle_does_not_shift_the_others(client, world, upstream):
    """A body that nobody wants is still passed over, or the connection is closed: it is never read as a request."""
    connection, token = client.http1(world.agent), world.broker.token(world.agent)
    body = connection.head("GET", "/any/smuggled", token).encode()
    refused = connection.head("POST", "/any/refused", "garbage", [("Content-Length", str(len(body)))]).encode() + body
    connection.send(refused + connection.head("GET", "/any/last", token).encode())
    assert connection.reader.response().code == "invalid-token"
    try:
        assert connection.reader.response().json["target"] == "/any/last"
    except (Closed, ConnectionError):
        pass
    assert b"/any/smuggled" not in upstream.received


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_connection_close_is_kept(client, world, upstream, version):
    connection = client.http1(world.agent)
    head = connection.head("GET", "/any/a", world.broker.token(world.agent), [("Connection", "close")])
    connection.send(head.replace("HTTP/1.1", f"HTTP/{version}"))
    told = connection.reader.response()
    assert told.status == 200 or version == "1.0" and told.status in (400, 505)
    assert connection.is_closed()


def test_100_continue_is_sent_before_the_body(client, world, upstream):
    connection = client.http1(world.agent)
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    connection.send(connection.head("POST", "/any/a", world.broker.token(world.agent), fields))
    assert connection.reader.response(interim=True).status == 100
    connection.send(b"hello")
    assert connection.reader.response().json["body_bytes"] == 5


def test_a_refused_request_is_not_told_to_continue(client, world, upstream):
    connection = client.http1(world.agent)
    fields = [("Expect", "100-continue"), ("Content-Length", "5")]
    connection.send(connection.head("POST", "/any/a", "garbage", fields))
    assert connection.reader.response(interim=True).status == 401
    assert not upstream.received


def test_a_head_in_many_pieces_is_one_head(client, world, upstream):
    connection = client.http1(world.agent)
    for byte in connection.head("GET", "/any/a", world.broker.token(world.agent)).encode():
        connection.send(bytes([byte]))
    assert connection.reader.response().status == 200


def test_an_unfinished_head_reaches_nobody(client, world, upstream):
    connection = client.http1(world.agent)
    connection.send(connection.head("GET", "/any/a", world.broker.token(world.agent))[:-2])
    connection.socket.unwrap()
    assert not upstream.received


def test_a_request_behind_the_wish_for_another_protocol_is_a_request(client, world, upstream):
    """Where nothing is changed, nothing is passed on unread."""
    connection, token = client.http1(world.agent), world.broker.token(world.agent)
    wish = [("Connection", "upgrade, http2-settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")]
    first, second = connection.head("GET", "/any/first", token, wish), connection.head("GET", "/any/second", token)
    connection.send(first + second)
    assert [connection.reader.response().json["target"] for _ in range(2)] == ["/any/first", "/any/second"]
    for request in upstream.requests:
        assert not {"upgrade", "http2-settings"}.intersection(request.names)


# What upstreams say is not believed either

BAD_ANSWERS = {
    "length and chunks": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "no head": b"hello\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "a folded line": b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nX-A : b\r\nContent-Length: 0\r\n\r\n",
    "a NUL": b"HTTP/1.1 200 OK\r\nX-A: b\0\r\nContent-Length: 0\r\n\r\n",
    "a protocol that nobody asked for": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100_000,
    "an endless line": b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 1_000_000,
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
def test_a_malformed_answer_is_502(connection, world, upstream, case):
    def answer(opened, request):
        opened.send(BAD_ANSWERS[case])
        opened.close()

    upstream.answer = answer
    told = connection.call("GET", "/any/a", world.broker.token(world.agent))
    assert (told.status, told.code) == (502, "upstream-failed")
    upstream.clear()
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200


def test_what_follows_an_answer_is_nobodys(connection, world, upstream):
    """An upstream that sends two answers to one request does not answer the next client's request."""

    def answer(opened, request):
        good, bad = b"mine", b"poisoned"
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"
        opened.send(head % (len(good), good) + head % (len(bad), bad))

    upstream.answer = answer
    bodies = {connection.call("GET", "/any/a", world.broker.token(world.agent)).body for _ in range(10)}
    assert bodies == {b"mine"}
