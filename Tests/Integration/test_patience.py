"""Clients that are slow, or ask for more than they take: each is let go in time, and hinders nobody meanwhile."""

import contextlib

import pytest
from hyperframe.frame import HeadersFrame

from clients import GoneAway
from gateway import is_sanitized
from wire import Closed


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    """Patience of half a second, where it is 75 otherwise."""
    times = {"idle": "500ms", "head": "500ms", "handshake": "500ms"}
    return launch(world.configuration(the_upstream.url, timeouts=times, workers=1))


@pytest.fixture
def endless(upstream):
    """Makes the upstream answer without end; gives the list of answers that were cut off."""
    gone = []

    def answer(opened, request):
        try:
            opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                opened.send(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
        except OSError:
            with upstream.changed:
                gone.append(request)
                upstream.changed.notify_all()
            raise

    upstream.answer = answer
    return gone


def start(connection, target, token) -> int | None:
    if hasattr(connection, "start"):
        return connection.start("GET", target, token)
    connection.send(connection.head("GET", target, token))
    return None


def test_a_client_that_takes_no_answer_is_let_go(client, world, upstream, endless, protocol):
    connection = client.open(protocol, world.agent)
    start(connection, "/any/a", world.broker.token(world.agent))
    upstream.wait(lambda: endless, "the upstream to be let go")


def test_pings_are_no_progress(client, world, upstream, endless):
    """A client that keeps its connection alive with PING, and opens no window for its answer, is let go too."""
    connection = client.http2(world.agent)
    connection.acknowledges = False
    start(connection, "/any/a", world.broker.token(world.agent))
    connection.socket.settimeout(0.1)
    while not endless:
        with contextlib.suppress(TimeoutError):
            try:
                connection.h2.ping(b"12345678")
                connection.flush()
                connection.pump()
            except (Closed, ConnectionError, GoneAway):
                break
    upstream.wait(lambda: endless, "the upstream to be let go")


def test_a_head_that_comes_byte_by_byte_is_not_waited_for(client, world, upstream):
    """Each byte comes in time; the head as a whole does not."""
    connection = client.http1(world.agent)
    connection.socket.settimeout(0.05)
    with contextlib.suppress(OSError):
        for byte in connection.head("GET", "/any/a", world.broker.token(world.agent)).encode():
            connection.send(bytes([byte]))
            with contextlib.suppress(TimeoutError):
                assert not connection.socket.recv(1000).startswith(b"HTTP/1.1 200")
                break
        else:
            pytest.fail("the whole head was taken")
    assert not upstream.requests


def test_an_http2_head_without_an_end_is_not_waited_for(client, world, upstream):
    connection = client.http2(world.agent)
    block = connection.h2.encoder.encode(connection.pseudo("GET", "/any/a"))
    connection.send(HeadersFrame(1, block).serialize())
    assert connection.is_closed()


def test_an_http2_client_that_says_nothing_is_not_waited_for(client, world):
    connection = client.tls(world.agent, ["h2"])
    while connection.recv(1 << 16):
        pass


@pytest.mark.skipif(is_sanitized(), reason="a sanitized process keeps what it has freed")
def test_stalled_streams_take_bounded_memory(client, gateway, world, upstream, endless):
    connection, token = client.http2(world.agent), world.broker.token(world.agent)
    before = gateway.memory()
    for number in range(100):
        start(connection, f"/any/{number}", token)
    upstream.wait(lambda: len(endless) == 100, "all of them to be let go")
    assert gateway.peak_memory() - before < 64 << 20


@pytest.mark.skipif(is_sanitized(), reason="a sanitized process keeps what it has freed")
def test_pipelined_requests_are_not_hoarded(client, gateway, world, upstream):
    """The client sends requests and reads no answer until the gateway takes no more."""
    connection = client.http1(world.agent)
    requests = connection.head("GET", "/any/" + "a" * 1000, world.broker.token(world.agent)).encode() * 10
    before = gateway.memory()
    connection.socket.settimeout(2)
    with pytest.raises(OSError):
        for _ in range(100_000):
            connection.send(requests)
    assert gateway.peak_memory() - before < 16 << 20


def test_healthy_clients_are_served_among_slow_ones(client, world, upstream):
    """A hundred slow heads, and as many half-open handshakes, beside a client that has no reason to wait."""
    token = world.broker.token(world.agent)
    for _ in range(100):
        client.http1(world.agent).send("GET /any/a HTTP/1.1\r\nHost: ")
        client.tcp().sendall(b"\x16\x03\x01\x02")
    healthy = client.http1(world.agent)
    assert {healthy.call("GET", "/any/a", token).status for _ in range(50)} == {200}
