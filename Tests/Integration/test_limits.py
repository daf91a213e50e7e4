"""Sizes, counts and times that a client may not exceed."""

import resource
import subprocess

import h2.errors
import h2.settings
import pytest

from clients import GoneAway, StreamReset
from gateway import BINARY, Gateway
from wire import Closed


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    limits = {"header_bytes": "8KiB", "header_count": 30, "body_bytes": 1000, "streams": 4, "token_bytes": "2KiB"}
    return launch(world.configuration(the_upstream.url, limits=limits))


HEADS = {
    "one large field": [("X-Large", "a" * 9000)],
    "a large name": [("X-" + "a" * 9000, "b")],
    "many fields": [(f"X-{number}", "a") for number in range(40)],
    "many fields of one name": [("X-Many", "a")] * 40,
    "fields that are large together": [(f"X-{number}", "a" * 800) for number in range(15)],
}


@pytest.mark.parametrize("case", HEADS)
def test_a_large_head_is_431(connection, world, upstream, case):
    told = connection.attempt("GET", "/any/a", world.broker.token(world.agent), HEADS[case])
    assert told and (told.status, told.code) == (431, "too-large")
    assert not upstream.requests


def test_an_endless_head_is_not_read_to_its_end(client, world, upstream):
    """It is closed upon, with 431 if that still arrives."""
    connection = client.http1(world.agent)
    connection.send("GET /any/a HTTP/1.1\r\n")
    with pytest.raises(OSError):
        while True:
            connection.send(b"X-More: " + b"a" * 1000 + b"\r\n")
    assert not upstream.requests


def test_a_long_target_is_414(connection, world, upstream):
    told = connection.attempt("GET", "/any/" + "a" * 9000, world.broker.token(world.agent))
    assert told and told.status in (414, 431)
    assert told.code == "too-large"
    assert not upstream.requests


def test_just_under_the_limits_is_fine(connection, world, upstream):
    fields = [(f"X-{number}", "a" * 200) for number in range(22)]
    assert connection.call("POST", "/any/a", world.broker.token(world.agent), fields, bytes(1000)).status == 200
    assert upstream.request.body_bytes == 1000


def test_a_large_token_is_refused(connection, world, upstream):
    told = connection.call("GET", "/orders/42", world.broker.token(world.agent, note="a" * 2000))
    assert (told.status, told.code) == (431, "too-large")
    assert not upstream.requests
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent, note="a" * 500)).status == 200


def test_a_large_body_is_413_before_it_is_sent(client, world, upstream, protocol):
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    if protocol == "h2":
        stream = connection.start("POST", "/any/a", token, [("content-length", "1001")], end=False)
        told = connection.response(stream)
    else:
        connection.send(connection.head("POST", "/any/a", token, [("Content-Length", "1001")]))
        told = connection.reader.response()
    assert (told.status, told.code) == (413, "too-large")
    assert not upstream.requests


def test_a_body_that_grows_too_large_never_looks_complete(client, world, upstream, protocol):
    ends = []

    def answer(opened, request):
        try:
            opened.read_body(request)
            ends.append("complete")
            opened.answer(200, b"complete")
        except (Closed, ConnectionError):
            ends.append("cut")
            raise

    upstream.answer = answer
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    try:
        if protocol == "h2":
            stream = connection.start("POST", "/any/a", token, end=False)
            connection.send_data(stream, bytes(1001))
            told = connection.response(stream)
        else:
            connection.send(connection.head("POST", "/any/a", token, [("Transfer-Encoding", "chunked")]))
            connection.send(b"3e8\r\n" + bytes(1000) + b"\r\n1\r\na\r\n0\r\n\r\n")
            told = connection.reader.response()
        assert (told.status, told.code) == (413, "too-large")
    except (Closed, ConnectionError, StreamReset, GoneAway):
        pass
    assert "complete" not in ends


def test_no_more_streams_than_announced(client, world, upstream):
    done = []

    def answer(opened, request):
        upstream.wait(lambda: done, "the last stream")
        opened.answer(200, b"x")

    upstream.answer = answer
    connection, token = client.http2(world.agent), world.broker.token(world.agent)
    while not connection.h2.remote_settings.max_concurrent_streams == 4:
        connection.pump()
    connection.h2.remote_settings[h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS] = 100
    connection.h2.remote_settings.acknowledge()
    streams = [connection.start("GET", f"/any/{number}", token) for number in range(5)]
    try:
        while streams[4] not in connection.ended:
            connection.pump()
        assert connection.ended[streams[4]] == h2.errors.ErrorCodes.REFUSED_STREAM
    except GoneAway:
        pass
    with upstream.changed:
        done.append(True)
        upstream.changed.notify_all()
    if not connection.gone:
        assert [connection.response(stream).status for stream in streams[:4]] == [200] * 4
    assert "/any/4" not in [request.target for request in upstream.requests]


def test_no_more_connections_than_allowed(world, upstream, launch, reach):
    """Those past the limit wait or are closed; once others have gone, new ones are served."""
    gateway = launch(world.configuration(upstream.url, limits={"connections": 8}, workers=1))
    client, token = reach(gateway), world.broker.token(world.agent)
    served = [client.http1(world.agent) for _ in range(8)]
    assert {connection.call("GET", "/any/a", token).status for connection in served} == {200}
    beyond = [client.tcp() for _ in range(8)]
    assert {connection.call("GET", "/any/a", token).status for connection in served} == {200}
    for connection in (*beyond, *served):
        connection.close()

    def serves() -> bool:
        try:
            return client.http1(world.agent).call("GET", "/any/a", token).status == 200
        except (OSError, Closed):
            return False

    gateway.wait(serves, "room for a connection")


def test_more_connections_than_descriptors_are_lowered_with_a_warning(world, upstream, tmp_path):
    gateway = Gateway(tmp_path, world.configuration(upstream.url, limits={"connections": 100_000}))
    with gateway.log.open("ab") as log:
        gateway.process = subprocess.Popen(
            [BINARY, "run", "--config", gateway.file],
            stdout=log,
            stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512)),
        )
    gateway.wait(lambda: gateway.observe("/readyz") == 200, "readiness")
    assert "connections" in gateway.said
    assert gateway.stop() == 0


# Times


def test_a_slow_head_is_not_waited_for(world, upstream, launch, reach):
    connection = reach(launch(world.configuration(upstream.url, timeouts={"head": "300ms"}))).http1(world.agent)
    connection.send("GET /any/a HTTP/1.1\r\nHost: loc")
    try:
        assert connection.reader.response().status == 408
        assert connection.is_closed()
    except Closed:
        pass
    assert not upstream.requests


def test_an_idle_connection_is_closed(world, upstream, launch, reach, protocol):
    gateway = launch(world.configuration(upstream.url, timeouts={"idle": "300ms"}))
    connection = reach(gateway).open(protocol, world.agent)
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200
    assert connection.is_closed()


def test_a_body_that_stops_coming_is_not_waited_for(world, upstream, launch, reach, protocol):
    gateway = launch(world.configuration(upstream.url, timeouts={"idle": "300ms"}))
    connection, token = reach(gateway).open(protocol, world.agent), world.broker.token(world.agent)
    if protocol == "h2":
        connection.start("POST", "/any/a", token, [("content-length", "10")], end=False)
    else:
        connection.send(connection.head("POST", "/any/a", token, [("Content-Length", "10")]))
        try:
            assert connection.reader.response().status in (408, 504)
        except Closed:
            pass
    assert connection.is_closed()
