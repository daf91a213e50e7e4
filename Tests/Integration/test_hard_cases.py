"""What was found by attack and by review, each as it was shown: none may come back."""

import contextlib
import copy
import signal
import socket
import ssl
import struct
import threading

import pytest

from clients import Client, tls_context
from ports import free_port
from test_tcp_listener import Database, configuration as tcp_configuration
from upstreams_http2 import Http2Upstream
from world import route

RESET = struct.pack("ii", 1, 0)


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


@pytest.fixture
def service():
    service = Http2Upstream()
    yield service
    service.close()


def before(world, urls: list[str], upstream=None, **sections):
    entry = {"name": "service", "targets": urls, **(upstream or {})}
    routes = [route("any", "/any/{x...}")]
    return world.configuration(urls[0], routes, upstreams=[entry], workers=1, **sections)


# A client that resets its connection at the end of its handshake


class Handshake:
    """A handshake by hand, up to the client's last flight, with a request behind it."""

    def __init__(self, client: Client, agent, request: bytes):
        self.socket = client.tcp()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = tls_context(client.authority_file, agent, ("http/1.1",))
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        while not self.proceeds():
            self.socket.sendall(self.outgoing.read())
            self.incoming.write(self.socket.recv(1 << 16))
        self.tls.write(request)

    def proceeds(self) -> bool:
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def end(self) -> None:
        self.socket.sendall(self.outgoing.read())
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()


def test_a_reset_at_the_end_of_a_handshake_hurts_nobody(world, upstream, launch, reach, token):
    """Neither the process nor the counts: the gateway is held still meanwhile, so that it sees all of it at once."""
    gateway = launch(before(world, [upstream.url], limits={"connections_per_client": 3}))
    client = reach(gateway)
    request = f"GET /any/a HTTP/1.1\r\nhost: localhost:{gateway.port}\r\nauthorization: Bearer {token}\r\n\r\n"
    for _ in range(5):
        handshake = Handshake(client, world.agent, request.encode())
        gateway.signal(signal.SIGSTOP)
        handshake.end()
        gateway.signal(signal.SIGCONT)
    served = [client.http1(world.agent) for _ in range(3)]
    for connection in served:
        assert connection.call("GET", "/any/b", token).status == 200
    assert gateway.stop() == 0


# Content whose end comes without a byte of its own


def test_uploads_that_fill_the_room_towards_an_http2_service_end(world, service, launch, reach, token):
    def answer(call):
        call.read_body()
        call.answer(200, str(len(call.body)).encode())

    service.answer = answer
    client = reach(launch(before(world, [service.url], {"protocol": "h2"})))
    told = []

    def upload() -> None:
        for _ in range(4):
            told.append(client.http1(world.agent).call("POST", "/any/a", token, body=b"y" * 300_000))

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(answer.status, answer.body) for answer in told] == [(200, b"300000")] * 16


# The gateway's own questions


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_the_connections_of_checks_serve_no_calls(world, upstream, service, launch, reach, token, protocol):
    """A call that takes as long as several checks, each of which may take less, is answered."""
    checks, target = [], service if protocol == "h2" else upstream

    def answer(*arguments):
        exchange, request = arguments[0], arguments[-1]
        if request.target == "/healthz":
            target.tell(checks)
            return exchange.answer(200, b"")
        seen = len(checks)
        target.wait(lambda: len(checks) > seen + 5, "more checks")
        return exchange.answer(200, b"late")

    target.answer = answer
    health = {"active": {"path": "/healthz", "interval": "200ms", "timeout": "150ms"}}
    gateway = launch(before(world, [target.url], {"protocol": protocol, "health": health}))
    target.wait(lambda: checks, "a check")
    told = reach(gateway).http1(world.agent).call("GET", "/any/a", token)
    assert (told.status, told.body) == (200, b"late")


# What was sent once


def silent_service() -> socket.socket:
    """It takes connections and what comes, and says nothing."""
    listener = socket.create_server(("127.0.0.1", free_port()))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = listener.accept()
                threading.Thread(target=swallow, args=(accepted,), daemon=True).start()

    def swallow(accepted: socket.socket) -> None:
        with accepted, contextlib.suppress(OSError):
            while accepted.recv(1 << 16):
                pass

    threading.Thread(target=accept, daemon=True).start()
    return listener


def test_a_post_to_a_service_that_says_nothing_goes_to_no_other(world, service, launch, reach, token):
    silent = silent_service()
    urls = [f"http://127.0.0.1:{silent.getsockname()[1]}", service.url]
    changes = {"protocol": "h2", "timeouts": {"connect": "300ms"}}
    connection = reach(launch(before(world, urls, changes))).http1(world.agent)
    told = {target: connection.call("POST", target, token, body=b"").status for target in ("/any/1", "/any/2")}
    assert sorted(told.values()) == [200, 504]
    assert [call.target for call in service.calls] == [target for target, status in told.items() if status == 200]
    silent.close()


# Passages


def taken_off(listener: dict, http: dict) -> None:
    listener["allow"] = ["spiffe://example.test/nobody"]


def no_passage_any_more(listener: dict, http: dict) -> None:
    for key in ("mode", "upstream", "allow"):
        del listener[key]
    listener["origins"] = http["origins"]


@pytest.mark.parametrize("change", [taken_off, no_passage_any_more])
def test_who_may_pass_no_bytes_any_more_is_cut_off(world, upstream, launch, change):
    database = Database()
    configuration = tcp_configuration(world, database, upstream)
    gateway = launch(configuration)
    port = int(configuration["listeners"][1]["address"].rpartition(":")[2])
    kept = Client(port, world.servers.file).tls(world.agent, None)
    kept.sendall(b"one")
    assert kept.recv(10) == b"one"
    gateway.reload(configuration)
    kept.sendall(b"two")
    assert kept.recv(10) == b"two"
    other = copy.deepcopy(configuration)
    change(other["listeners"][1], other["listeners"][0])
    gateway.reload(other)
    with contextlib.suppress(ConnectionError, ssl.SSLEOFError):
        assert kept.recv(10) == b""
    kept.close()
    database.close()
