"""HTTP/2: many calls on one connection, what RFC 9113 forbids, and the floods that have names."""

import signal

import h2.errors
import h2.exceptions
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from clients import GoneAway, StreamReset
from gateway import Gateway
from wire import PATIENCE, Closed


@pytest.fixture
def connection(client, world):
    return client.http2(world.agent)


@pytest.fixture
def token(world):
    return world.broker.token(world.agent)


def test_streams_are_answered_as_their_upstreams_answer(connection, token, upstream):
    """The first call is answered last."""
    order = []

    def answer(opened, request):
        if request.target == "/any/0":
            upstream.wait(lambda: len(order) == 9, "the other calls")
        opened.answer(200, request.target.encode())
        with upstream.changed:
            order.append(request.target)
            upstream.changed.notify_all()

    upstream.answer = answer
    streams = [connection.start("GET", f"/any/{number}", token) for number in range(10)]
    bodies = [connection.response(stream).body for stream in streams]
    assert bodies == [f"/any/{number}".encode() for number in range(10)]
    assert order[-1] == "/any/0"


def test_each_stream_is_judged_on_its_own(connection, world, token, upstream):
    calls = [("/any/1", token), ("/any/2", None), ("/orders/42", token), ("/orders/7", token), ("/none", token)]
    streams = [connection.start("GET", target, bearer) for target, bearer in calls * 5]
    statuses = [connection.response(stream).status for stream in streams]
    assert statuses == [200, 401, 200, 403, 404] * 5
    assert len(upstream.requests) == 10


def test_the_upstream_is_spoken_to_in_http_1_1(connection, token, upstream, gateway):
    connection.call("POST", "/any/a", token, [("content-length", "5")], b"hello")
    request = upstream.request
    assert request.start_line == "POST /any/a HTTP/1.1"
    assert request.header("host")
    assert not [name for name in request.names if name.startswith(":")]
    assert request.header("content-length") == "5"


def test_cookies_that_were_split_are_joined(connection, token, upstream):
    """RFC 9113 §8.2.3."""
    connection.call("GET", "/any/a", token, [("cookie", "a=b"), ("cookie", "c=d"), ("cookie", "e=f")])
    assert upstream.request.header("cookie") == "a=b; c=d; e=f"


def test_trailers_do_not_become_fields(connection, token, upstream):
    stream = connection.start("POST", "/any/a", token, end=False)
    connection.send_data(stream, b"hello", end=False)
    trailers = [(b"sallyport-agent", b"admin"), (b"x-trailer", b"t"), (b"content-length", b"7")]
    connection.h2.send_headers(stream, trailers, end_stream=True)
    connection.flush()
    try:
        assert connection.response(stream).status in (200, 400)
    except StreamReset:
        return
    for request in upstream.requests:
        assert request.header("sallyport-agent") != "admin"
        assert "x-trailer" not in request.names
        assert "sallyport-agent" not in [name.lower() for name, _ in request.trailers]


def test_padding_and_continuation_are_understood(connection, token, upstream):
    """A head in three frames, each padded or not, and a padded body."""
    head = connection.pseudo("POST", "/any/a")
    block = connection.h2.encoder.encode([*head, ("authorization", f"Bearer {token}"), ("x-large", "a" * 500)])
    connection.flush()
    frames = [
        HeadersFrame(1, block[:100], flags=["PADDED"], pad_length=20),
        ContinuationFrame(1, block[100:200]),
        ContinuationFrame(1, block[200:], flags=["END_HEADERS"]),
        DataFrame(1, b"hello", flags=["PADDED", "END_STREAM"], pad_length=200),
    ]
    connection.send(b"".join(frame.serialize() for frame in frames))
    while not upstream.requests or not upstream.requests[0].body_bytes:
        connection.socket.recv(1 << 16)
    assert upstream.request.body == b"hello"
    assert upstream.request.header("x-large") == "a" * 500


# Heads that are malformed (RFC 9113 §8)

HOST = "localhost:{port}"
GOOD_HEAD = [(":method", "GET"), (":scheme", "https"), (":authority", HOST), (":path", "/any/a")]


def without(name):
    return [field for field in GOOD_HEAD if field[0] != name]


MALFORMED_HEADS = {
    "no method": without(":method"),
    "no scheme": without(":scheme"),
    "no path": without(":path"),
    "no authority": without(":authority"),
    "two methods": [*GOOD_HEAD, (":method", "GET")],
    "two paths": [*GOOD_HEAD, (":path", "/orders/42")],
    "two authorities": [*GOOD_HEAD, (":authority", HOST)],
    "two schemes": [*GOOD_HEAD, (":scheme", "https")],
    "an unknown pseudo-field": [*GOOD_HEAD, (":color", "blue")],
    "a pseudo-field of answers": [*GOOD_HEAD, (":status", "200")],
    "a pseudo-field behind a field": [*without(":path"), ("x-a", "b"), (":path", "/any/a")],
    "an empty path": [*without(":path"), (":path", "")],
    "an empty method": [*without(":method"), (":method", "")],
    "a method with a space": [*without(":method"), (":method", "GET /any/b HTTP/1.1")],
    "a method with a line break": [*without(":method"), (":method", "GET\r\n")],
    "a path with a space": [*without(":path"), (":path", "/any/a HTTP/1.1")],
    "a path with a line break": [*without(":path"), (":path", "/any/a\r\nX-A: b")],
    "an authority with a line break": [*without(":authority"), (":authority", HOST + "\r\nX-A: b")],
    "an authority with user information": [*without(":authority"), (":authority", "user@" + HOST)],
    "a host that differs": [*GOOD_HEAD, ("host", "elsewhere.test")],
    "two hosts": [*GOOD_HEAD, ("host", HOST), ("host", "elsewhere.test")],
    "scheme http": [*without(":scheme"), (":scheme", "http")],
    "a name in capitals": [*GOOD_HEAD, ("X-A", "b")],
    "a name with a colon": [*GOOD_HEAD, ("x:a", "b")],
    "a name with a space": [*GOOD_HEAD, ("x a", "b")],
    "a name with a line break": [*GOOD_HEAD, ("x-a: b\r\nx-b", "c")],
    "an empty name": [*GOOD_HEAD, ("", "b")],
    "a value with a line break": [*GOOD_HEAD, ("x-a", "b\r\ntransfer-encoding: chunked")],
    "a value with a line feed": [*GOOD_HEAD, ("x-a", "b\ntransfer-encoding: chunked")],
    "a value with a NUL": [*GOOD_HEAD, ("x-a", "b\0")],
    "connection": [*GOOD_HEAD, ("connection", "close")],
    "keep-alive": [*GOOD_HEAD, ("keep-alive", "timeout=5")],
    "proxy-connection": [*GOOD_HEAD, ("proxy-connection", "close")],
    "transfer-encoding": [*GOOD_HEAD, ("transfer-encoding", "chunked")],
    "upgrade": [*GOOD_HEAD, ("upgrade", "h2c")],
    "te other than trailers": [*GOOD_HEAD, ("te", "gzip")],
    "a length that is no number": [*GOOD_HEAD, ("content-length", "x")],
    "a length without a body": [*GOOD_HEAD, ("content-length", "5")],
    "two lengths": [*GOOD_HEAD, ("content-length", "0"), ("content-length", "5")],
}


@pytest.mark.parametrize("case", MALFORMED_HEADS)
def test_a_malformed_head_is_refused(connection, token, gateway, upstream, case):
    head = [(name, value.format(port=gateway.port)) for name, value in MALFORMED_HEADS[case]]
    stream = connection.start_exactly([*head, ("authorization", f"Bearer {token}")])
    try:
        assert connection.response(stream).status in (400, 421)
    except (StreamReset, GoneAway, Closed):
        pass
    assert not upstream.received


@pytest.mark.parametrize(("said", "sent"), [(5, 4), (5, 6), (0, 1)])
def test_a_body_of_another_length_than_said_never_looks_complete(connection, token, upstream, said, sent):
    ends = []

    def answer(opened, request):
        try:
            opened.read_body(request)
            ends.append(request.body_bytes)
        finally:
            opened.close()

    upstream.answer = answer
    stream = connection.start("POST", "/any/a", token, [("content-length", str(said))], end=False)
    connection.send(DataFrame(stream, bytes(sent), flags=["END_STREAM"]).serialize())
    try:
        assert connection.response(stream).status in (400, 502)
    except (StreamReset, GoneAway, Closed):
        pass
    assert ends in ([], [said]) if said == 0 else not ends


# Frames that RFC 9113 forbids

ILLEGAL = {
    "HEADERS on a stream of the server's": lambda: HeadersFrame(2, b"\x82", flags=["END_HEADERS"]),
    "DATA on an idle stream": lambda: DataFrame(99, b"x"),
    "CONTINUATION out of nowhere": lambda: ContinuationFrame(1, b"\x82", flags=["END_HEADERS"]),
    "RST_STREAM on an idle stream": lambda: RstStreamFrame(99, error_code=0),
    "PUSH_PROMISE from a client": lambda: PushPromiseFrame(
        1, promised_stream_id=2, data=b"\x82", flags=["END_HEADERS"]
    ),
    "a head that is no HPACK": lambda: HeadersFrame(1, b"\xff" * 40, flags=["END_HEADERS", "END_STREAM"]),
}

RAW = {
    "DATA on stream 0": b"\0\0\1\0\0\0\0\0\0x",
    "SETTINGS of 5 octets": b"\0\0\5\4\0\0\0\0\0\0\1\0\0\1",
    "SETTINGS on a stream": b"\0\0\0\4\0\0\0\0\1",
    "PING of 4 octets": b"\0\0\4\6\0\0\0\0\0\0\0\0\0",
    "WINDOW_UPDATE of 0": b"\0\0\4\x08\0\0\0\0\0\0\0\0\0",
    "a window past its end": b"\0\0\4\x08\0\0\0\0\0\x7f\xff\xff\xff",
    "a frame larger than allowed": b"\xff\xff\xff\0\0\0\0\0\1",
    "RST_STREAM on stream 0": b"\0\0\4\3\0\0\0\0\0\0\0\0\0",
    "GOAWAY on a stream": b"\0\0\x08\7\0\0\0\0\1\0\0\0\0\0\0\0\0",
    "a bad frame size setting": b"\0\0\6\4\0\0\0\0\0\0\5\0\0\0\1",
    "a bad window setting": b"\0\0\6\4\0\0\0\0\0\0\4\xff\xff\xff\xff",
    "push turned on twice": b"\0\0\6\4\0\0\0\0\0\0\2\0\0\0\2",
    "HTTP/1.1": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
}


@pytest.mark.parametrize("case", RAW)
def test_an_illegal_frame_ends_the_connection(connection, client, world, token, upstream, case):
    connection.send(RAW[case])
    assert connection.is_closed()
    assert client.http2(world.agent).call("GET", "/any/a", token).status == 200


@pytest.mark.parametrize("case", ILLEGAL)
def test_an_illegal_frame_reaches_nobody(connection, client, world, token, upstream, case):
    try:
        connection.send(ILLEGAL[case]().serialize())
    except ConnectionError:
        pass
    assert connection.is_closed()
    assert not upstream.received
    assert client.http2(world.agent).call("GET", "/any/a", token).status == 200


def test_another_preface_is_refused(client, world, token):
    plain = client.tls(world.agent, ["h2"])
    plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + bytes(100))
    with_end = []
    try:
        while data := plain.recv(1 << 16):
            with_end.append(data)
    except ConnectionError:
        pass
    assert not b"".join(with_end).startswith(b"HTTP/1.1 200")


def test_unknown_frames_and_settings_are_passed_over(connection, token, upstream):
    connection.flush()
    connection.send(b"\0\0\3\xbe\xff\0\0\0\0abc" + b"\0\0\6\4\0\0\0\0\0\xfe\xfe\0\0\0\1")
    connection.send(PriorityFrame(5, depends_on=0, stream_weight=10).serialize())
    assert connection.call("GET", "/any/a", token).status == 200


def test_a_ping_is_answered(connection, token):
    connection.flush()
    connection.send(PingFrame(0, b"12345678").serialize())
    data = b""
    while b"12345678" not in data:
        data += connection.socket.recv(1 << 16)
    assert b"\0\0\x08\6\1\0\0\0\00012345678" in data


# Floods


def flood(connection, frames, client, world, token) -> None:
    """Sends until the connection is closed or all is sent; afterwards others are served as before."""
    try:
        for frame in frames:
            connection.send(frame.serialize() if isinstance(frame, Frame) else frame)
    except OSError:
        pass
    assert client.http2(world.agent).call("GET", "/any/a", token).status == 200


def test_rapid_reset_is_bounded(connection, client, gateway, world, token, upstream):
    """CVE-2023-44487: streams opened and reset at once; the connection ends long before they do."""
    before = gateway.memory()
    sent = 0
    try:
        for _ in range(20_000):
            stream = connection.start("GET", "/any/flood", token)
            connection.h2.reset_stream(stream, 8)
            connection.flush()
            sent += 1
    except (OSError, h2.exceptions.ProtocolError):
        pass
    assert sent < 20_000
    assert client.http2(world.agent).call("GET", "/any/a", token).status == 200
    assert gateway.peak_memory() - before < 32 << 20


def test_endless_continuation_is_bounded(connection, client, gateway, world, token, upstream):
    """CVE-2024-27316."""
    before = gateway.memory()
    head = HeadersFrame(1, connection.h2.encoder.encode(connection.pseudo("GET", "/any/a")))
    more = ContinuationFrame(1, connection.h2.encoder.encode([("x-more", "a" * 1000)]))
    flood(connection, [head, *[more] * 20_000], client, world, token)
    assert connection.is_closed()
    assert gateway.peak_memory() - before < 32 << 20


@pytest.mark.parametrize("frame", [PingFrame(0, b"12345678"), SettingsFrame(0), b"\0\0\0\0\0\0\0\0\1"])
def test_floods_of_small_frames_are_bounded(connection, client, gateway, world, token, upstream, frame):
    """The client never reads what it is answered."""
    before = gateway.memory()
    connection.start("POST", "/any/a", token, end=False)
    connection.socket.settimeout(2)
    flood(connection, [frame] * 50_000, client, world, token)
    assert gateway.peak_memory() - before < 32 << 20


def test_resets_that_the_server_is_made_to_send_are_bounded(connection, client, gateway, world, token, upstream):
    """CVE-2025-8671 (MadeYouReset): each stream is made to fail after its call went out."""
    sent = 0
    try:
        for _ in range(20_000):
            stream = connection.start("POST", "/any/flood", token, end=False)
            connection.send(WindowUpdateFrame(stream, window_increment=(1 << 31) - 1).serialize())
            sent += 1
            connection.socket.setblocking(False)
            try:
                connection.pump()
            except BlockingIOError:
                pass
            connection.socket.settimeout(PATIENCE)
    except (OSError, GoneAway, Closed, h2.exceptions.ProtocolError):
        pass
    assert sent < 20_000
    assert client.http2(world.agent).call("GET", "/any/a", token).status == 200


def test_header_compression_is_no_amplifier(connection, client, gateway, world, token, upstream):
    """A small block that names one large entry of the table thousands of times."""
    before = gateway.memory()
    encoder = connection.h2.encoder
    block = encoder.encode([*connection.pseudo("GET", "/any/bomb"), ("x-bomb", "a" * 3900)])
    reference = encoder.encode([("x-bomb", "a" * 3900)])
    connection.flush()
    connection.send(HeadersFrame(1, block + reference * 10_000, flags=["END_HEADERS", "END_STREAM"]).serialize())
    try:
        while True:
            connection.pump()
    except (GoneAway, Closed, OSError, h2.exceptions.ProtocolError):  # h2 does not know of stream 1
        pass
    assert b"/any/bomb" not in upstream.received
    assert gateway.peak_memory() - before < 32 << 20


def test_a_client_that_goes_is_let_go(connection, client, world, token, upstream):
    """GOAWAY from the client: what is open is finished."""
    stream = connection.start("GET", "/any/a", token)
    connection.send(GoAwayFrame(0, last_stream_id=0, error_code=0).serialize())
    assert connection.response(stream).status == 200


# Draining


def test_a_drain_says_goaway_and_finishes_what_is_open(world, upstream, reach, tmp_path):
    gateway = Gateway(tmp_path, world.configuration(upstream.url)).start()
    proceed = []

    def answer(opened, request):
        upstream.wait(lambda: proceed, "the drain")
        opened.answer(200, b"finished")

    upstream.answer = answer
    connection = reach(gateway).http2(world.agent)
    stream = connection.start("GET", "/any/a", world.broker.token(world.agent))
    upstream.wait(lambda: upstream.requests, "the call")
    gateway.signal(signal.SIGTERM)
    while not connection.gone:
        connection.pump()
    assert connection.gone.code == h2.errors.ErrorCodes.NO_ERROR
    with upstream.changed:
        proceed.append(True)
        upstream.changed.notify_all()
    assert connection.response(stream).body == b"finished"
    assert connection.is_closed()
    assert gateway.process.wait(PATIENCE) == 0
