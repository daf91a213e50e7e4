"""Services that speak HTTP/2, by prior knowledge and over TLS; a broken one hurts only its own exchange."""

import contextlib
import hashlib

import h2.errors
import pytest
from h2.settings import SettingCodes
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    HeadersFrame,
    PingFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from clients import GoneAway, StreamReset
from gateway import is_sanitized
from upstreams_http2 import Http2Upstream, answer_ok
from wire import PATIENCE, Closed
from world import route

MEBIBYTE = 1 << 20
GROWTH = 32 * MEBIBYTE
LOST = (StreamReset, GoneAway, Closed, ConnectionError)

bounded = pytest.mark.skipif(is_sanitized(), reason="a sanitized process keeps what it has freed")


@pytest.fixture(scope="module", params=["h2c", "h2"])
def the_service(request, world):
    """By prior knowledge, and over TLS."""
    identity = world.servers.server("localhost") if request.param == "h2" else None
    service = Http2Upstream(identity)
    yield service
    service.close()


@pytest.fixture
def service(the_service) -> Http2Upstream:
    the_service.clear()
    return the_service


@pytest.fixture(scope="module")
def before(world, launch):
    """Launches gateways before HTTP/2 services."""

    def before(service: Http2Upstream, **sections):
        tls = {"tls": {"ca_file": str(world.servers.file)}} if service.context else {}
        entry = {"name": "service", "targets": [service.url], "protocol": "h2", **tls, **sections.pop("upstream", {})}
        return launch(world.configuration(service.url, [route("any", "/any/{x...}")], upstreams=[entry], **sections))

    return before


@pytest.fixture(scope="module")
def gateway(before, the_service):
    return before(the_service, upstream={"retries": {"budget": 100}})


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


@pytest.fixture
def another(world):
    """HTTP/2 services of a test's own."""
    services = []

    def another(**options) -> Http2Upstream:
        services.append(Http2Upstream(**options))
        return services[-1]

    yield another
    for service in services:
        service.close()


# What passes


def test_a_call_is_answered(connection, service, token, world):
    told = connection.call("GET", "/any/a?b=c", token, [("X-Note", "kept"), ("Client-Cert", "not kept")])
    assert (told.status, told.body) == (200, b"GET /any/a?b=c 0")
    call = service.call
    assert call.header(":scheme") in ("http", "https")
    assert call.header(":authority")
    assert call.header("x-note") == "kept"
    assert call.header("sallyport-agent") == world.agent.spiffe_id
    assert call.header("x-request-id") == told.request_id
    names = [name for name, _ in call.fields]
    assert not {"host", "connection", "transfer-encoding", "authorization", "client-cert"} & set(names)
    assert names == [name.lower() for name in names]


def test_a_body_goes_both_ways(connection, protocol, service, token):
    body = bytes(range(256)) * (3 * MEBIBYTE // 256)

    def answer(call):
        call.read_body()
        call.answer(200, bytes(call.body), ("content-length", str(len(call.body))))

    service.answer = answer
    fields = [("content-length", str(len(body)))] if protocol == "h2" else []
    told = connection.call("POST", "/any/a", token, fields, body)
    assert (told.status, told.body_bytes) == (200, len(body))
    assert service.call.header("content-length") == str(len(body))
    assert service.call.body_sha256 == hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH"])
def test_a_call_without_a_body_ends_with_its_head(connection, service, token, method):
    service.answer = lambda call: (call.read_body(), call.head(204, end=True))
    assert connection.call(method, "/any/a", token).status == 204
    assert (service.call.method, bytes(service.call.body)) == (method, b"")


def test_a_head_answer_may_have_a_length_without_a_body(connection, service, token):
    service.answer = lambda call: call.head(200, ("content-length", "1000"), end=True)
    told = connection.call("HEAD", "/any/a", token)
    assert (told.status, told.header("content-length")) == (200, "1000")
    service.answer = answer_ok
    assert connection.call("GET", "/any/a", token).status == 200


def test_many_calls_share_a_connection(client, world, gateway, service, token):
    connection = client.http2(world.agent)
    streams = [connection.start("GET", f"/any/{number}", token) for number in range(50)]
    bodies = [connection.response(stream).body for stream in streams]
    assert bodies == [f"GET /any/{number} 0".encode() for number in range(50)]
    assert len({call.connection for call in service.calls}) < 5


def test_cookies_of_the_client_arrive_as_they_were(connection, service, token):
    connection.call("GET", "/any/a", token, [("Cookie", "a=b; c=d")])
    assert "; ".join(service.call.all("cookie")) == "a=b; c=d"


def test_an_answer_is_as_it_was(connection, service, token):
    fields = [("set-cookie", "a=b"), ("set-cookie", "c=d"), ("x-empty", ""), ("server", "test")]
    service.answer = lambda call: (call.read_body(), call.answer(418, b"teapot", *fields))
    told = connection.call("GET", "/any/a", token)
    assert (told.status, told.body) == (418, b"teapot")
    assert told.all("set-cookie") == ["a=b", "c=d"]
    assert told.header("x-empty") == ""


# More than it takes at once


def test_no_more_streams_are_opened_than_the_service_takes(before, reach, world, another, token):
    """The rest waits, or goes by another connection; each is answered."""
    service = another(settings={SettingCodes.MAX_CONCURRENT_STREAMS: 3})
    gateway = before(service)
    most = [0]

    def answer(call):
        with service.changed:
            most[0] = max(most[0], call.connection.open_calls)
        if len(service.calls) in (2, 3):
            service.wait(lambda: len(service.calls) > 3, "others")
        answer_ok(call)

    service.answer = answer
    connection = reach(gateway).http2(world.agent)
    assert connection.call("GET", "/any/first", token).status == 200  # its settings are known by now
    streams = [connection.start("GET", f"/any/{number}", token) for number in range(60)]
    assert [connection.response(stream).status for stream in streams] == [200] * 60
    assert 1 <= most[0] <= 3


def test_streams_beyond_the_services_limit_are_answered_once_others_end(before, reach, world, another, token):
    service = another(settings={SettingCodes.MAX_CONCURRENT_STREAMS: 1})
    gateway = before(service, workers=1)
    proceed = []

    def answer(call):
        service.wait(lambda: proceed or call.target == "/any/first", "the test")
        answer_ok(call)

    service.answer = answer
    connection = reach(gateway).http2(world.agent)
    assert connection.call("GET", "/any/first", token).status == 200
    streams = [connection.start("GET", f"/any/{number}", token) for number in range(10)]
    service.wait(lambda: len(service.calls) > 1, "the second call")
    service.tell(proceed)
    assert {connection.response(stream).status for stream in streams} == {200}
    assert len(service.calls) == 11


# Flow control


@bounded
def test_a_service_that_reads_nothing_holds_the_client_up(client, gateway, world, service, token):
    """What it did not give a window for is not taken from the client; then all of it arrives."""
    service.acknowledges = False
    proceed = []

    def answer(call):
        service.wait(lambda: proceed, "the client to be held up")
        answer_ok(call)

    service.answer = answer
    before = gateway.memory()
    connection = client.http2(world.agent)
    stream = connection.start("POST", "/any/a", token, end=False)
    sent = 0
    connection.socket.settimeout(2)
    with contextlib.suppress(TimeoutError):
        while sent < 64 * MEBIBYTE:
            room = min(connection.h2.local_flow_control_window(stream), connection.h2.max_outbound_frame_size)
            if room:
                connection.send_data(stream, bytes(room), end=False)
                sent += room
            else:
                connection.pump()
    assert 65535 <= sent < 64 * MEBIBYTE
    assert gateway.peak_memory() - before < GROWTH
    connection.socket.settimeout(PATIENCE)
    held = service.call
    assert 0 < len(held.body) <= 65535
    open_windows(service, held)
    connection.send_data(stream, b"")
    service.tell(proceed)
    assert connection.response(stream).body == f"POST /any/a {sent}".encode()


def open_windows(service, call) -> None:
    """Gives the windows back that were kept, and does so from now on."""
    service.acknowledges = True
    with call.connection.lock:
        for other in call.connection.calls.values():
            if other.body and not other.is_whole:
                call.connection.h2.acknowledge_received_data(len(other.body), other.stream)
        call.connection.flush()


@bounded
def test_a_client_that_reads_nothing_holds_the_service_up(client, gateway, world, service, token):
    """Another stream of both connections goes on meanwhile."""
    total, sent = 64 * MEBIBYTE, []

    def answer(call):
        if call.target != "/any/large":
            return answer_ok(call)
        call.head(200)
        for _ in range(total >> 16):
            call.data(bytes(1 << 16))
            sent.append(1 << 16)
        call.data(b"", end=True)

    service.answer = answer
    before = gateway.memory()
    connection = client.http2(world.agent)
    connection.acknowledges = False
    large = connection.start("GET", "/any/large", token)
    while connection.unacknowledged < 65535:
        connection.pump()
    assert client.http2(world.agent).call("GET", "/any/small", token).status == 200
    assert sum(sent) < total
    assert gateway.peak_memory() - before < GROWTH
    connection.acknowledges = True
    connection.h2.acknowledge_received_data(connection.unacknowledged, large)
    connection.flush()
    assert connection.response(large).body_bytes == total


@pytest.mark.parametrize("size", [1, 100])
def test_small_windows_of_the_service_are_kept(before, reach, world, another, token, size):
    """It takes a few bytes at a time; the whole arrives, and no window is overrun."""
    service = another(settings={SettingCodes.INITIAL_WINDOW_SIZE: size})
    gateway = before(service)
    connection = reach(gateway).http2(world.agent)
    assert connection.call("GET", "/any/first", token).status == 200  # its settings are known by now
    assert connection.call("POST", "/any/a", token, body=bytes(50 * size)).body == f"POST /any/a {50 * size}".encode()
    assert all(connection.is_open for connection in service.connections)


# Refused, and retried where that is safe


def refuse_first(service, reset) -> None:
    """The first call is refused; those after it are answered."""

    def answer(call):
        if len(service.calls) == 1:
            reset(call)
        else:
            answer_ok(call)

    service.answer = answer


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_a_refused_stream_is_sent_again(connection, service, token, method):
    """RFC 9113 §8.7: nothing of it was processed."""
    refuse_first(service, lambda call: call.reset(h2.errors.ErrorCodes.REFUSED_STREAM))
    assert connection.call(method, "/any/a", token).status == 200
    assert len(service.calls) == 2
    assert service.calls[0].header("x-request-id") == service.calls[1].header("x-request-id")


def test_a_refused_stream_whose_body_was_sent_is_not_sent_again(connection, service, token):
    """The body has gone; a call with one may only be 502."""

    def answer(call):
        if len(service.calls) > 1:
            return answer_ok(call)
        call.read_body()
        call.reset(h2.errors.ErrorCodes.REFUSED_STREAM)

    service.answer = answer
    told = connection.call("POST", "/any/a", token, body=bytes(1000))
    assert (told.status, told.code) == (502, "upstream-failed")
    assert len(service.calls) == 1


@pytest.mark.parametrize("code", ["INTERNAL_ERROR", "CANCEL", "PROTOCOL_ERROR", "ENHANCE_YOUR_CALM"])
def test_a_reset_before_the_answer_is_502_to_a_post(connection, service, token, code):
    service.answer = lambda call: call.reset(h2.errors.ErrorCodes[code])
    told = connection.call("POST", "/any/a", token, body=b"hello")
    assert (told.status, told.code) == (502, "upstream-failed")
    assert len(service.calls) == 1
    service.answer = answer_ok
    assert connection.call("POST", "/any/a", token, body=b"hello").status == 200


def test_a_service_that_refuses_all_is_not_asked_without_end(connection, service, token):
    service.answer = lambda call: call.reset(h2.errors.ErrorCodes.REFUSED_STREAM)
    told = connection.call("GET", "/any/a", token)
    assert told.status in (502, 503)
    assert len(service.calls) <= 3


# GOAWAY


def test_what_is_open_at_a_goaway_is_finished(client, world, service, token):
    """Streams up to its number are answered; what comes after goes by a new connection."""
    proceed = []

    def answer(call):
        if call.target == "/any/open":
            service.wait(lambda: proceed, "the test")
        answer_ok(call)

    service.answer = answer
    connection = client.http2(world.agent)
    stream = connection.start("GET", "/any/open", token)
    service.wait(lambda: service.calls, "the call")
    gone = service.calls[0].connection
    pings = gone.pings
    gone.goaway(service.calls[0].stream)
    gone.send(PingFrame(0, b"12345678").serialize())
    # Another worker would know nothing of it: the same connection calls on, until it goes elsewhere.
    while True:
        assert connection.call("GET", "/any/later", token).status == 200
        if service.calls[-1].connection is not gone:
            break
    service.tell(proceed)
    assert connection.response(stream).body == b"GET /any/open 0"
    service.wait(lambda: not gone.is_open, "the old connection to be closed")
    assert gone.pings == pings


def test_what_a_goaway_did_not_process_is_sent_again(connection, service, token):
    """Its last stream is below the call's."""
    refuse_first(service, lambda call: call.connection.goaway(0))
    told = connection.call("GET", "/any/a", token)
    assert (told.status, told.body) == (200, b"GET /any/a 0")
    assert len(service.calls) == 2
    assert service.calls[0].connection is not service.calls[1].connection


def test_a_goaway_and_an_end_at_once_are_502_to_a_post(connection, service, token):
    """Its last stream is the call's, so it may have been processed."""

    def answer(call):
        call.read_body()
        call.connection.goaway(call.stream)
        call.connection.close()

    service.answer = answer
    told = connection.call("POST", "/any/a", token, body=b"hello")
    assert (told.status, told.code) == (502, "upstream-failed")
    assert len(service.calls) == 1


# Answers that are cut


def begin(call) -> None:
    call.head(200, ("content-length", "1000"))
    call.data(bytes(10))


CUTS = {
    "a reset": lambda call: (begin(call), call.reset()),
    "a closed connection": lambda call: (begin(call), call.connection.close()),
    "an end before its length": lambda call: (begin(call), call.data(bytes(10), end=True)),
    "more than its length": lambda call: (begin(call), call.data(bytes(1000), end=True)),
    "a reset without a length": lambda call: (call.head(200), call.data(bytes(10)), call.reset()),
    "GOAWAY with an error": lambda call: (begin(call), call.connection.goaway(0, 2), call.connection.close()),
}


@pytest.mark.parametrize("case", CUTS)
def test_a_cut_answer_never_looks_complete(client, protocol, world, service, token, case):
    service.answer = CUTS[case]
    connection = client.open(protocol, world.agent)
    with contextlib.suppress(*LOST):
        assert connection.call("GET", "/any/a", token).status == 502  # where the head had not been passed on
    service.clear()
    assert client.open(protocol, world.agent).call("GET", "/any/a", token).status == 200


# Answers that are malformed (RFC 9113 §8)

MALFORMED = {
    "no status": [("x-a", "b")],
    "two statuses": [(":status", "200"), (":status", "404")],
    "a status of two digits": [(":status", "20")],
    "a status that is no number": [(":status", "2x0")],
    "a status of 0": [(":status", "000")],
    "an unknown pseudo-field": [(":status", "200"), (":color", "blue")],
    "a pseudo-field of requests": [(":status", "200"), (":path", "/")],
    "a pseudo-field behind a field": [("x-a", "b"), (":status", "200")],
    "a name in capitals": [(":status", "200"), ("X-A", "b")],
    "a name with a space": [(":status", "200"), ("x a", "b")],
    "an empty name": [(":status", "200"), ("", "b")],
    "a value with a line break": [(":status", "200"), ("x-a", "b\r\nset-cookie: c=d")],
    "a value with a NUL": [(":status", "200"), ("x-a", "b\0c")],
    "connection": [(":status", "200"), ("connection", "close")],
    "transfer-encoding": [(":status", "200"), ("transfer-encoding", "chunked")],
    "keep-alive": [(":status", "200"), ("keep-alive", "timeout=5")],
    "two lengths": [(":status", "200"), ("content-length", "0"), ("content-length", "5")],
    "a length that is no number": [(":status", "200"), ("content-length", "x")],
    "a length without a body": [(":status", "200"), ("content-length", "5")],
    "101": [(":status", "101")],
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_answer_is_502(connection, service, token, case):
    # h2 itself lets no informational answer end.
    service.answer = lambda call: call.fields_out(MALFORMED[case], end=case != "101")
    told = connection.call("POST", "/any/a", token, body=b"")
    assert (told.status, told.code) == (502, "upstream-failed")
    assert not told.all("set-cookie")
    service.clear()
    assert connection.call("GET", "/any/a", token).status == 200


# Frames that RFC 9113 forbids to a service

ILLEGAL = {
    "PUSH_PROMISE": lambda call: PushPromiseFrame(
        call.stream, promised_stream_id=2, data=call.encode((":method", "GET"), (":path", "/")), flags=["END_HEADERS"]
    ),
    "HEADERS on an idle stream": lambda call: HeadersFrame(
        2, call.encode((":status", "200")), flags=["END_HEADERS", "END_STREAM"]
    ),
    "DATA before HEADERS": lambda call: DataFrame(call.stream, b"hello"),
    "DATA on an idle stream": lambda call: DataFrame(call.stream + 1000, b"x"),
    "DATA on stream 0": lambda call: b"\0\0\1\0\0\0\0\0\0x",
    "CONTINUATION out of nowhere": lambda call: ContinuationFrame(call.stream, b"\x88", flags=["END_HEADERS"]),
    "SETTINGS of 5 octets": lambda call: b"\0\0\5\4\0\0\0\0\0\0\1\0\0\1",
    "push turned on by a server": lambda call: SettingsFrame(0, settings={2: 1}),
    "a window past its end": lambda call: WindowUpdateFrame(0, window_increment=(1 << 31) - 1).serialize() * 2,
    "WINDOW_UPDATE of 0": lambda call: b"\0\0\4\x08\0\0\0\0\0\0\0\0\0",
    "RST_STREAM on an idle stream": lambda call: RstStreamFrame(call.stream + 1000, error_code=0),
    "a frame larger than allowed": lambda call: b"\xff\xff\xff\0\0" + call.stream.to_bytes(4),
    "a head that is no HPACK": lambda call: HeadersFrame(call.stream, b"\xff" * 40, flags=["END_HEADERS"]),
    "HTTP/1.1": lambda call: b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("case", ILLEGAL)
def test_an_illegal_frame_ends_only_its_connection(connection, client, world, service, token, case):
    service.answer = lambda call: call.frame(ILLEGAL[case](call))
    told = connection.call("POST", "/any/a", token, body=b"")
    assert (told.status, told.code) == (502, "upstream-failed")
    spoilt = service.calls[0].connection
    service.clear()
    assert connection.call("POST", "/any/a", token, body=b"").status == 200
    assert service.call.connection is not spoilt or case in ("DATA before HEADERS", "PUSH_PROMISE")


def endless_continuation(call):
    call.frame(HeadersFrame(call.stream, call.encode((":status", "200"))))
    more = ContinuationFrame(call.stream, call.encode(("x-more", "a" * 1000))).serialize()
    while call.connection.is_open:
        call.frame(more * 100)


def endless_interim(call):
    block = [(":status", "103"), ("link", "a" * 1000)]
    while not call.is_over:
        call.fields_out(block)


def pings(call):
    while call.connection.is_open:
        call.frame(PingFrame(0, b"12345678").serialize() * 1000)


def settings(call):
    while call.connection.is_open:
        call.frame(SettingsFrame(0, settings={3: 100}).serialize() * 1000)


def empty_data(call):
    call.head(200)
    while call.connection.is_open:
        call.frame(DataFrame(call.stream, b"").serialize() * 1000)


def large_head(call):
    call.head(200, *((f"x-{number}", "a" * 1000) for number in range(100)), end=True)


def compressed_bomb(call):
    block = call.encode((":status", "200"), ("x-bomb", "a" * 3900))
    reference = call.encode(("x-bomb", "a" * 3900))
    call.frame(HeadersFrame(call.stream, block + reference * 10_000, flags=["END_HEADERS", "END_STREAM"]))


@pytest.mark.parametrize(
    "flood", [endless_continuation, endless_interim, pings, settings, empty_data, large_head, compressed_bomb]
)
def test_a_flood_of_the_service_is_bounded(client, gateway, world, service, token, flood):
    before = gateway.memory()
    service.answer = flood
    connection = client.http2(world.agent)
    connection.socket.settimeout(3 * PATIENCE)
    with contextlib.suppress(*LOST):
        told = connection.call("POST", "/any/a", token, body=b"")
        assert told.status == 502
    service.clear()
    assert client.http2(world.agent).call("GET", "/any/a", token).status == 200
    assert is_sanitized() or gateway.peak_memory() - before < GROWTH


def test_a_service_that_speaks_http_1_1_is_502(world, upstream, launch, reach, token):
    """Prior knowledge that is wrong."""
    upstream.answer = lambda opened, request: (opened.answer(400, b""), opened.close())
    entry = {"name": "service", "targets": [upstream.url], "protocol": "h2"}
    gateway = launch(world.configuration(upstream.url, upstreams=[entry]))
    told = reach(gateway).http2(world.agent).call("GET", "/any/a", token)
    assert (told.status, told.code) == (502, "upstream-failed")


def test_a_service_that_does_not_negotiate_h2_is_502(world, launch, reach, token, another):
    """ALPN must say `h2`."""
    for protocols, status in ((["h2"], 200), (["http/1.1"], 502)):
        service = another(identity=world.servers.server("localhost"), protocols=protocols)
        tls = {"ca_file": str(world.servers.file)}
        entry = {"name": "service", "targets": [service.url], "protocol": "h2", "tls": tls}
        gateway = launch(world.configuration(service.url, upstreams=[entry]))
        assert reach(gateway).http2(world.agent).call("GET", "/any/a", token).status == status


def test_a_reset_by_the_client_reaches_the_service_alone(client, world, service, token):
    """Others on the same connection to the service go on."""
    proceed = []

    def answer(call):
        if call.target == "/any/other":
            service.wait(lambda: proceed, "the reset")
            return answer_ok(call)
        call.head(200)
        service.wait(lambda: call.is_over, "the reset")

    service.answer = answer
    connection = client.http2(world.agent)
    stream = connection.start("GET", "/any/endless", token)
    other = connection.start("GET", "/any/other", token)
    while stream not in connection.responses:
        connection.pump()
    service.wait(lambda: len(service.calls) == 2, "both calls")
    connection.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
    connection.flush()
    reset = next(call for call in service.calls if call.target == "/any/endless")
    service.wait(lambda: reset.reset_code is not None, "the reset")
    service.tell(proceed)
    assert connection.response(other).status == 200
