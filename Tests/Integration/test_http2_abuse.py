"""HTTP/2 clients that wear a server down: each is let go, soon and alone, and others are served as before."""

import statistics
import time

import h2.exceptions
import pytest
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

from clients import GoneAway
from wire import Closed

ENHANCE_YOUR_CALM = 0xB
BROKEN = (OSError, GoneAway, Closed, h2.exceptions.ProtocolError)


@pytest.fixture
def connection(client, world):
    return client.http2(world.agent)


@pytest.fixture
def token(world):
    return world.broker.token(world.agent)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame as bytes, lawful or not."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def wear_down(connection, make, most: int) -> int:
    """Sends what `make` makes, reading now and then, until the connection ends; says how often it could."""
    connection.flush()
    connection.socket.settimeout(5)
    sent = 0
    try:
        while sent < most:
            connection.socket.sendall(make(sent))
            sent += 1
            if sent % 20 == 0:
                drain(connection)
    except OSError:
        pass
    return sent


def drain(connection) -> None:
    """Reads what is there."""
    connection.socket.setblocking(False)
    try:
        while connection.socket.recv(1 << 16):
            pass
        raise ConnectionError("closed")
    except BlockingIOError:
        pass
    except OSError as error:
        if "did not complete" not in str(error):
            raise
    finally:
        connection.socket.settimeout(5)


def served(client, world, token) -> bool:
    return client.http2(world.agent).call("GET", "/any/a", token).status == 200


FLOODS = {
    "unknown frames": frame(0xEE, 0, 0, b"abc"),
    "PRIORITY": PriorityFrame(1, depends_on=0, stream_weight=3).serialize(),
    "PRIORITY_UPDATE": frame(0x10, 0, 0, b"\0\0\0\1u=1"),
    "GOAWAY": GoAwayFrame(0, last_stream_id=0).serialize(),
    "WINDOW_UPDATE of one byte": WindowUpdateFrame(0, window_increment=1).serialize(),
    "SETTINGS that resize the table": SettingsFrame(0, settings={1: 0}).serialize(),
    "SETTINGS that move windows": SettingsFrame(0, settings={4: 100}).serialize(),
    "RST_STREAM of a stream that is gone": RstStreamFrame(1, error_code=8).serialize(),
    "heads for a stream that is gone": HeadersFrame(1, b"\x82" * 40, flags=["END_HEADERS", "END_STREAM"]).serialize(),
    "large heads for a stream that is gone": HeadersFrame(1, b"\x82" * 16_000, flags=["END_HEADERS"]).serialize(),
    "padding": DataFrame(3, b"", flags=["PADDED"], pad_length=100).serialize(),
}


@pytest.mark.parametrize("case", FLOODS)
def test_a_flood_ends_its_connection(connection, client, gateway, world, token, upstream, case):
    before = gateway.memory()
    connection.call("GET", "/any/a", token)
    connection.start("POST", "/any/a", token, end=False)
    most = 20_000
    assert wear_down(connection, lambda _: FLOODS[case], most) < most
    assert served(client, world, token)
    assert gateway.peak_memory() - before < 32 << 20


PROVOCATIONS = {
    "a window opened by nothing": lambda stream: WindowUpdateFrame(stream, window_increment=0).serialize(),
    "a window past its end": lambda stream: frame(8, 0, stream, b"\x7f\xff\xff\xff"),
    "more content than said": lambda stream: DataFrame(stream, b"more").serialize(),
    "content behind the end": lambda stream: frame(0, 1, stream, b"a") + frame(0, 0, stream, b"a"),
    "a head behind the end": lambda stream: frame(0, 1, stream, b"a") + frame(1, 5, stream, b"\x82"),
    "trailers that do not end": lambda stream: frame(1, 4, stream, b"\0\1x\1y"),
    "a pseudo-field in trailers": lambda stream: frame(1, 5, stream, b"\0\5:path\1/"),
    "a stream that depends on itself": lambda stream: frame(2, 0, stream, stream.to_bytes(4, "big") + b"\0"),
    "a PRIORITY of four bytes": lambda stream: frame(2, 0, stream, bytes(4)),
}


@pytest.mark.parametrize("case", PROVOCATIONS)
def test_every_reset_that_is_provoked_is_counted(connection, client, world, token, upstream, case):
    """CVE-2025-8671: the call is on its way when its stream is made to fail."""
    most = 3000

    def provoke(_):
        stream = connection.h2.get_next_available_stream_id()
        head = [*connection.pseudo("POST", "/any/a"), ("authorization", f"Bearer {token}"), ("content-length", "1")]
        connection.h2.send_headers(stream, head)
        return connection.h2.data_to_send() + PROVOCATIONS[case](stream)

    assert wear_down(connection, provoke, most) < most
    assert served(client, world, token)


def test_windows_opened_byte_by_byte_end_the_connection(connection, client, world, token, upstream):
    """CVE-2019-9511: a large answer, taken in slivers."""
    upstream.answer = lambda opened, request: opened.answer(200, bytes(1 << 20))
    connection.flush()
    connection.send(SettingsFrame(0, settings={4: 1}).serialize())
    stream = connection.start("GET", "/any/a", token)
    most = 5000
    assert wear_down(connection, lambda _: WindowUpdateFrame(stream, window_increment=1).serialize(), most) < most
    upstream.clear()
    assert served(client, world, token)


def test_a_small_window_is_a_window(connection, client, token, upstream):
    """The positive twin: windows of a kilobyte are slow, and lawful."""
    upstream.answer = lambda opened, request: opened.answer(200, bytes(200_000))
    connection.h2.update_settings({4: 1024})
    connection.flush()
    response = connection.call("GET", "/any/a", token)
    assert (response.status, response.body_bytes) == (200, 200_000)


def test_header_bombs_end_their_connection(connection, client, gateway, world, token, upstream):
    """Blocks of a few kilobytes that stand for megabytes, one after the other."""
    before = gateway.memory()
    encoder = connection.h2.encoder
    first = encoder.encode([*connection.pseudo("GET", "/any/bomb"), ("x-bomb", "a" * 3900)])
    again = encoder.encode([("x-bomb", "a" * 3900)])

    def bomb(number):
        head = first if number == 0 else encoder.encode(connection.pseudo("GET", "/any/bomb"))
        return HeadersFrame(2 * number + 1, head + again * 8000, flags=["END_HEADERS", "END_STREAM"]).serialize()

    assert wear_down(connection, bomb, 2000) < 1000
    assert b"/any/bomb" not in upstream.received
    assert served(client, world, token)
    assert gateway.peak_memory() - before < 32 << 20


def test_a_block_in_countless_frames_for_a_stream_that_is_gone(connection, client, world, token, upstream):
    connection.call("GET", "/any/a", token)
    connection.flush()
    connection.send(HeadersFrame(1, b"\x82").serialize())
    assert wear_down(connection, lambda _: ContinuationFrame(1, b"\x82").serialize(), 1000) < 1000
    assert served(client, world, token)


def test_the_connection_says_why_it_ends(connection, token):
    connection.call("GET", "/any/a", token)
    connection.send(frame(0xEE, 0, 0) * 1500)
    assert connection.is_closed()
    assert connection.gone.code == ENHANCE_YOUR_CALM


def test_a_client_that_cancels_half_of_its_calls_is_served_for_long(connection, token, upstream):
    """Far more resets than any burst, each beside a call that is completed."""
    for _ in range(1500):
        stream = connection.start("GET", "/any/cancelled", token)
        connection.h2.reset_stream(stream, 8)
        assert connection.call("GET", "/any/a", token).status == 200
    assert connection.gone is None


def test_a_stalled_upload_leaves_room_for_others(connection, token, upstream):
    """The window of the connection is above that of a stream."""
    held = []

    def answer(opened, request):
        if request.target == "/any/stalled":
            upstream.wait(lambda: held, "the others")
        opened.read_body(request)
        opened.answer(200, b"done")

    upstream.answer = answer
    stalled = connection.start("POST", "/any/stalled", token, end=False)
    # As much as the windows take; the upstream reads none of it.
    while room := connection.h2.local_flow_control_window(stalled):
        connection.h2.send_data(stalled, bytes(min(room, 16_384)))
        connection.flush()
        if room < 16_384:
            break
    for number in range(5):
        assert connection.call("POST", f"/any/{number}", token, body=bytes(50_000)).status == 200
    with upstream.changed:
        held.append(True)
        upstream.changed.notify_all()
    connection.h2.end_stream(stalled) if connection.h2.local_flow_control_window(stalled) >= 0 else None
    connection.flush()
    assert connection.response(stalled).body == b"done"


def test_a_healthy_client_hardly_notices_ten_thousand_rapid_resets(client, world, token, upstream):
    """Attackers come again and again, each with as many resets as its connection bears."""
    healthy = client.http2(world.agent)

    def median(calls: int) -> float:
        times = []
        for _ in range(calls):
            start = time.perf_counter()
            assert healthy.call("GET", "/any/a", token).status == 200
            times.append(time.perf_counter() - start)
        return statistics.median(times)

    quiet = median(50)
    resets = 0
    under_attack = []
    while resets < 10_000:
        attacker = client.http2(world.other)
        stolen = world.broker.token(world.other)
        try:
            for _ in range(400):
                stream = attacker.h2.get_next_available_stream_id()
                head = [*attacker.pseudo("GET", "/any/flood"), ("authorization", f"Bearer {stolen}")]
                attacker.h2.send_headers(stream, head, end_stream=True)
                attacker.h2.reset_stream(stream, 8)
                resets += 1
            attacker.flush()
            attacker.is_closed()
        except BROKEN:
            pass
        attacker.close()
        under_attack.append(median(3))
    assert statistics.median(under_attack) < 5 * quiet + 0.02
