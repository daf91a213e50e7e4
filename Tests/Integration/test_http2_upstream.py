"""Upstreams that speak HTTP/2: what they may do, and that one which is hostile hurts only its own exchange or connection."""

import contextlib
import socket
import threading
import time

import hpack
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from clients import Http1
from wire import PATIENCE


class H2Connection:
    """One connection of the gateway's; it sends what it is told to, lawful or not."""

    def __init__(self, upstream: "H2Upstream", accepted: socket.socket):
        self.upstream = upstream
        self.socket = accepted
        self.socket.settimeout(PATIENCE)
        self.decoder = hpack.Decoder()
        self.encoder = hpack.Encoder()
        self.bodies: dict[int, bytes] = {}
        self.frames: list[Frame] = []
        self.sent: dict[int, int] = {}

    def send(self, *frames: Frame | bytes) -> None:
        for frame in frames:
            if isinstance(frame, DataFrame):
                self.sent[frame.stream_id] = self.sent.get(frame.stream_id, 0) + frame.flow_controlled_length
        data = b"".join(frame.serialize() if isinstance(frame, Frame) else frame for frame in frames)
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def block(self, *fields: tuple[str, str]) -> bytes:
        return self.encoder.encode([hpack.NeverIndexedHeaderTuple(name, value) for name, value in fields])

    def head(self, stream: int, *fields: tuple[str, str], end=False) -> HeadersFrame:
        flags = ["END_HEADERS", *(["END_STREAM"] if end else [])]
        return HeadersFrame(stream, self.block(*fields), flags=flags)

    def room(self, stream: int) -> int:
        """What the gateway's windows take on a stream now."""
        window, whole = 65_535, 65_535
        for frame in self.frames:
            match frame:
                case SettingsFrame() if 4 in frame.settings:
                    window += frame.settings[4] - 65_535
                case WindowUpdateFrame(stream_id=0):
                    whole += frame.window_increment
                case WindowUpdateFrame(stream_id=number) if number == stream:
                    window += frame.window_increment
        return min(window - self.sent.get(stream, 0), whole - sum(self.sent.values()))

    def answer(self, stream: int, body: bytes = b"done", *trailers: tuple[str, str]) -> None:
        last = [] if trailers else ["END_STREAM"]
        self.send(self.head(stream, (":status", "200")), DataFrame(stream, body, flags=last))
        if trailers:
            self.send(self.head(stream, *trailers, end=True))

    def run(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            assert self.read(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            self.send(SettingsFrame(0, settings=self.upstream.settings))
            while True:
                self.take()
        self.socket.close()

    def read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ValueError("the connection was closed")
            data += more
        return data

    def take(self) -> None:
        frame, length = Frame.parse_frame_header(memoryview(self.read(9)))
        frame.parse_body(memoryview(self.read(length)))
        self.frames.append(frame)
        match frame:
            case SettingsFrame() if "ACK" not in frame.flags:
                self.send(SettingsFrame(0, flags=["ACK"]))
            case HeadersFrame():
                fields = self.decoder.decode(frame.data)
                with self.upstream.changed:
                    self.upstream.heads.append(fields)
                    self.upstream.streams.append((self, frame.stream_id))
                if "END_STREAM" in frame.flags:
                    self.upstream.answer(self, frame.stream_id, dict(fields))
            case DataFrame():
                self.bodies[frame.stream_id] = self.bodies.get(frame.stream_id, b"") + frame.data
                if frame.flow_controlled_length:
                    size = frame.flow_controlled_length
                    self.send(WindowUpdateFrame(0, window_increment=size))
                    self.send(WindowUpdateFrame(frame.stream_id, window_increment=size))
                if "END_STREAM" in frame.flags:
                    self.upstream.answer(self, frame.stream_id, {})


class H2Upstream:
    """A service that speaks HTTP/2 with prior knowledge and answers by a function that a test may replace."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.changed = threading.Condition()
        self.clear()
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def target(self) -> str:
        return f"h2c://127.0.0.1:{self.listening.getsockname()[1]}"

    def clear(self) -> None:
        self.heads: list[list[tuple[str, str]]] = []
        self.streams: list[tuple[H2Connection, int]] = []
        self.settings: dict[int, int] = {}
        self.answer = lambda connection, stream, head: connection.answer(stream)

    @property
    def connections(self) -> list[H2Connection]:
        """Those that were asked something since the test began, in that order."""
        return list(dict.fromkeys(connection for connection, _ in self.streams))

    def accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self.listening.accept()
                threading.Thread(target=H2Connection(self, accepted).run, daemon=True).start()

    def close(self) -> None:
        self.listening.close()


@pytest.fixture(scope="module")
def the_service():
    service = H2Upstream()
    yield service
    service.close()


@pytest.fixture
def service(the_service) -> H2Upstream:
    the_service.clear()
    return the_service


@pytest.fixture(scope="module")
def gateway(world, the_service, launch):
    return launch(world.configuration(the_service.target))


@pytest.fixture
def token(world):
    return world.broker.token(world.agent)


def test_a_call_is_asked_as_http_2(connection, service, token):
    told = connection.call("POST", "/any/a?b=c", token, [("x-a", "b")], body=b"hello")
    assert (told.status, told.body) == (200, b"done")
    head = service.heads[0]
    assert [name for name, _ in head[:4]] == [":method", ":scheme", ":authority", ":path"]
    fields = dict(head)
    assert (fields[":method"], fields[":scheme"], fields[":path"]) == ("POST", "http", "/any/a?b=c")
    assert fields.get("content-length") == ("5" if isinstance(connection, Http1) else None)
    assert fields["x-a"] == "b"
    names = {name for name, _ in head}
    assert not names & {"host", "connection", "transfer-encoding", "authorization", "upgrade", "keep-alive"}
    opened, stream = service.streams[0]
    assert opened.bodies[stream] == b"hello"


def test_calls_share_a_connection(client, service, world, token):
    """The answers come in another order than the calls."""
    waiting = []

    def answer(connection, stream, head):
        waiting.append((connection, stream, head))
        if len(waiting) == 10:
            for opened, number, asked in reversed(waiting):
                opened.answer(number, asked[":path"].encode())

    service.answer = answer
    opened = client.http2(world.agent)
    streams = [opened.start("GET", f"/any/{number}", token) for number in range(10)]
    assert [opened.response(stream).body for stream in streams] == [f"/any/{n}".encode() for n in range(10)]
    assert len({id(connection) for connection, _, _ in waiting}) == 1


def test_trailers_pass_both_ways(client, service, world, token):
    service.answer = lambda opened, stream, _: opened.answer(stream, b"x", ("grpc-status", "0"), ("authorization", "x"))
    opened = client.http2(world.agent)
    stream = opened.start("POST", "/any/a", token, [("te", "trailers")], end=False)
    opened.send_data(stream, b"hello", end=False)
    opened.h2.send_headers(stream, [(b"x-sum", b"5"), (b"sallyport-agent", b"admin")], end_stream=True)
    opened.flush()
    # The service answers at the end of the stream, which the trailers bring.
    told = opened.response(stream)
    assert told.trailers == [("grpc-status", "0")]
    assert [("x-sum", "5")] in service.heads
    assert ("te", "trailers") in service.heads[0]


def test_a_large_answer_streams(connection, service, token):
    """Four times the window of a stream, in step with what is read."""

    def answer(opened, stream, _):
        opened.send(opened.head(stream, (":status", "200")))
        left = 1 << 20
        while left:
            size = min(left, opened.room(stream), 16_384)
            if size == 0:
                opened.take()
                continue
            left -= size
            opened.send(DataFrame(stream, bytes(size), flags=[] if left else ["END_STREAM"]))

    service.answer = answer
    told = connection.call("GET", "/any/a", token)
    assert (told.status, told.body_bytes) == (200, 1 << 20)


# Answers that break a rule

OK = (":status", "200")
MALFORMED = {
    "no status": [("x-a", "b")],
    "two statuses": [OK, OK],
    "a status that is no number": [(":status", "2x0")],
    "a status of four digits": [(":status", "2000")],
    "101": [(":status", "101")],
    "a pseudo-field of requests": [OK, (":path", "/")],
    "a pseudo-field behind a field": [("x-a", "b"), OK],
    "connection": [OK, ("connection", "close")],
    "transfer-encoding": [OK, ("transfer-encoding", "chunked")],
    "upgrade": [OK, ("upgrade", "websocket")],
    "a name in capitals": [OK, ("X-A", "b")],
    "a name with a space": [OK, ("x a", "b")],
    "a value with a line break": [OK, ("x-a", "b\r\nx-b: c")],
    "a value with a NUL": [OK, ("x-a", "b\0")],
    "two lengths": [OK, ("content-length", "4"), ("content-length", "4")],
    "a length that is no number": [OK, ("content-length", "4 ")],
    "a head that is too large": [OK, *[(f"x-{n}", "a" * 4000) for n in range(12)]],
    "too many fields": [OK, *[(f"x-{n}", "") for n in range(500)]],
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_a_bad_gateway(connection, service, token, case):
    def answer(opened, stream, _):
        block = opened.block(*MALFORMED[case])
        pieces = [block[start : start + 16_384] for start in range(0, len(block), 16_384)]
        opened.send(HeadersFrame(stream, pieces[0], flags=[] if pieces[1:] else ["END_HEADERS"]))
        for number, piece in enumerate(pieces[1:], 2):
            opened.send(ContinuationFrame(stream, piece, flags=["END_HEADERS"] if number == len(pieces) else []))
        opened.send(DataFrame(stream, b"evil", flags=["END_STREAM"]))

    service.answer = answer
    told = connection.call("GET", "/any/a", token)
    assert (told.status, b"evil" in told.body) == (502, False)
    service.answer = lambda opened, stream, _: opened.answer(stream)
    assert connection.call("GET", "/any/a", token).body == b"done"
    assert len(service.connections) == 1, "the fault of one answer does not end the connection"


CONTENTS = {
    "less than said": lambda stream: [DataFrame(stream, b"dont", flags=["END_STREAM"])],
    "more than said": lambda stream: [DataFrame(stream, b"much more", flags=["END_STREAM"])],
    "a reset": lambda stream: [DataFrame(stream, b"do"), RstStreamFrame(stream, error_code=2)],
    "a status in trailers": lambda stream: [DataFrame(stream, b"don"), b"\0\0\1\1\5" + stream.to_bytes(4, "big") + b"\x88"],
}


@pytest.mark.parametrize("case", CONTENTS)
def test_an_answer_that_fails_underway_never_looks_complete(connection, service, token, case):
    def answer(opened, stream, _):
        opened.send(opened.head(stream, OK, ("content-length", "5")), *CONTENTS[case](stream))

    service.answer = answer
    told = connection.attempt("GET", "/any/a", token)
    assert told is None or told.status == 502


# Frames that end a connection

ILLEGAL = {
    "a push": lambda stream: PushPromiseFrame(stream, promised_stream_id=2, data=b"\x88", flags=["END_HEADERS"]),
    "content on no stream": lambda _: b"\0\0\1\0\0\0\0\0\0x",
    "an answer to nothing": lambda stream: HeadersFrame(stream + 100, b"\x88", flags=["END_HEADERS"]),
    "a head that is no HPACK": lambda stream: HeadersFrame(stream, b"\xff" * 40, flags=["END_HEADERS"]),
    "SETTINGS of 5 octets": lambda _: b"\0\0\5\4\0\0\0\0\0\0\1\0\0\1",
    "a frame larger than allowed": lambda stream: b"\xff\xff\xff\0\0" + stream.to_bytes(4, "big"),
    "HTTP/1.1": lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
    "a flood of PING": lambda _: PingFrame(0, b"12345678").serialize() * 10_000,
    "a flood of SETTINGS": lambda _: SettingsFrame(0).serialize() * 5000,
    "a flood of what is unknown": lambda _: b"\0\0\0\xee\0\0\0\0\0" * 10_000,
    "a flood of empty DATA": lambda stream: DataFrame(stream, b"").serialize() * 5000,
    "interim answers for ever": lambda stream: b"".join(
        HeadersFrame(stream, b"\0\7:status\x03103", flags=["END_HEADERS"]).serialize() for _ in range(5000)
    ),
}


@pytest.mark.parametrize("case", ILLEGAL)
def test_an_illegal_upstream_ends_its_own_connection_only(connection, client, gateway, service, world, token, case):
    before = gateway.memory()
    service.answer = lambda opened, stream, _: opened.send(ILLEGAL[case](stream))
    told = connection.call("GET", "/any/a", token)
    assert (told.status, b"evil" in told.body) == (502, False)
    service.answer = lambda opened, stream, _: opened.answer(stream)
    assert connection.call("GET", "/any/a", token).body == b"done"
    assert gateway.peak_memory() - before < 32 << 20


# Ends


def test_a_call_that_was_refused_unseen_is_made_again(connection, service, token):
    """REFUSED_STREAM: nothing was done with it (RFC 9113 §8.7)."""
    refused = []

    def answer(opened, stream, _):
        if not refused:
            refused.append(stream)
            return opened.send(RstStreamFrame(stream, error_code=7))
        opened.answer(stream)

    service.answer = answer
    assert connection.call("GET", "/any/a", token).status == 200
    assert len(service.heads) == 2


def test_goaway_moves_calls_to_another_connection(connection, service, token):
    assert connection.call("GET", "/any/a", token).status == 200
    first = service.connections[-1]

    def answer(opened, stream, _):
        if opened is first:
            return opened.send(GoAwayFrame(0, last_stream_id=stream - 2, error_code=0))
        opened.answer(stream)

    service.answer = answer
    told = connection.call("GET", "/any/b", token)
    assert told.status == 200
    assert connection.call("GET", "/any/c", token).status == 200
    assert len(service.connections) == 2


def test_an_early_answer_ends_the_request(client, service, world, token):
    """The service answers before the content came, and takes no more of it (RFC 9113 §8.1)."""

    def watch():
        while not service.streams:
            time.sleep(0.01)
        opened, number = service.streams[0]
        opened.send(opened.head(number, (":status", "413"), end=True), RstStreamFrame(number, error_code=0))

    opened = client.http2(world.agent)
    threading.Thread(target=watch, daemon=True).start()
    stream = opened.start("POST", "/any/a", token, end=False)
    assert opened.response(stream).status == 413
