"""WebSockets, over HTTP/1.1 (RFC 6455) and HTTP/2 (RFC 8441): only where a route lists them, and judged like any call."""

import contextlib
import json
import threading

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage, InvalidStatus
from websockets.sync.server import serve
from websockets.utils import accept_key

from clients import GoneAway, StreamReset
from ports import free_port
from proofs import Holder, await_proofs
from sockets import Http2WebSocket, websocket
from wire import PATIENCE, Closed
from world import route

MEBIBYTE = 1 << 20
SUBPROTOCOLS = ["chat.v2", "chat.v1"]  # what the service likes best comes first
LOST = (ConnectionClosed, EOFError, StreamReset, GoneAway, Closed, ConnectionError)


class Service:
    """A WebSocket server by `websockets`; what it does depends on the first segment behind `/ws/`."""

    def __init__(self):
        self.port = free_port()
        self.changed = threading.Condition()
        self.closed: list[tuple[int | None, str | None]] = []
        self.server = serve(
            *(self.handle, "127.0.0.1", self.port),
            select_subprotocol=lambda _, offered: next((name for name in SUBPROTOCOLS if name in offered), None),
            max_size=None,
            close_timeout=PATIENCE,
        )
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def handle(self, socket) -> None:
        does = socket.request.path.split("/")[2].partition("?")[0]
        with contextlib.suppress(ConnectionClosed):
            getattr(self, does)(socket)
        with self.changed:
            self.closed.append((socket.protocol.close_code, socket.protocol.close_reason))
            self.changed.notify_all()

    def echo(self, socket) -> None:
        for message in socket:
            socket.send(message)

    def fields(self, socket) -> None:
        socket.send(json.dumps(list(socket.request.headers.raw_items())))

    def fragments(self, socket) -> None:
        """Answers each message in pieces of one character."""
        for message in socket:
            socket.send(iter(message))

    def leave(self, socket) -> None:
        socket.close(int(socket.recv()), "by the server")

    def pings(self, socket) -> None:
        assert socket.ping(b"of the server").wait(PATIENCE)
        socket.send("ponged")

    def vanish(self, socket) -> None:
        socket.recv()
        socket.socket.shutdown(2)

    def wait(self, condition, what: str) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), f"waited in vain for {what}"


@pytest.fixture(scope="module")
def the_service():
    service = Service()
    yield service
    service.server.shutdown()


@pytest.fixture
def service(the_service) -> Service:
    the_service.closed.clear()
    return the_service


@pytest.fixture(scope="module")
def gateway(world, the_service, the_upstream, launch):
    upstreams = [
        {"name": "service", "targets": [the_service.url]},
        {"name": "raw", "targets": [the_upstream.url]},
    ]
    sockets = {"upgrades": ["websocket"]}
    routes = [
        {**route("sockets", "/ws/{does}", ["GET"]), **sockets},
        {**route("scoped", "/orders/{order}", ["GET"], scope="read:orders:{order}"), **sockets, "upstream": "raw"},
        {**route("bound", "/bound/{x}", possession=["dpop"]), **sockets, "upstream": "raw"},
        {**route("raw", "/raw/{x}"), **sockets, "upstream": "raw"},
        {**route("plain", "/plain/{x}"), "upstream": "raw"},
    ]
    return launch(world.configuration(the_service.url, routes, upstreams=upstreams))


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


@pytest.fixture
def opened(client, protocol, world, token):
    """Opens WebSockets as the agent, over each protocol."""

    def opened(target: str, subprotocols=None, **options):
        if protocol == "h2":
            connection = client.http2(world.agent)
            return Http2WebSocket(connection, target, token, subprotocols=subprotocols or (), **options).accepted()
        return websocket(client, world.agent, target, token, subprotocols=subprotocols, **options)

    return opened


@pytest.fixture
def refused(client, protocol, world, token):
    """Asks for a WebSocket that must be refused, over each protocol; gives the status and the body."""

    def refused(target: str, token=token, fields=()) -> tuple[int, bytes]:
        if protocol == "h2":
            told = Http2WebSocket(client.http2(world.agent), target, token, fields).refused()
            return told.status, told.body
        with pytest.raises(InvalidStatus) as refusal:
            websocket(client, world.agent, target, token, fields)
        return refusal.value.response.status_code, refusal.value.response.body

    return refused


def problem(body: bytes) -> str:
    return json.loads(body)["type"].removeprefix("urn:sallyport:")


# What passes


def test_messages_pass_both_ways(opened, service):
    socket = opened("/ws/echo")
    for message in ["hello", b"\0\xff", "", "Ümlaut", b""]:
        socket.send(message)
        assert socket.recv() == message
    socket.close()


@pytest.mark.parametrize("size", [125, 126, 65535, 65536, 4 * MEBIBYTE + 1])
def test_messages_of_any_size_pass_both_ways(opened, service, size):
    socket = opened("/ws/echo")
    message = (bytes(range(251)) * (size // 251 + 1))[:size]
    socket.send(message)
    assert socket.recv() == message
    socket.close()


def test_fragments_stay_one_message(opened, service):
    socket = opened("/ws/fragments")
    socket.send([*"some", *"fragments"])
    assert socket.recv() == "somefragments"
    socket.close()


def test_pings_are_answered_from_end_to_end(opened, service, protocol):
    socket = opened("/ws/echo")
    if protocol == "h2":
        socket.ping(b"of the client")
        assert socket.pong() == b"of the client"
    else:
        assert socket.ping(b"of the client").wait(PATIENCE)
    socket.close()
    socket = opened("/ws/pings")
    assert socket.recv() == "ponged"


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["chat.v1", "chat.v2"], "chat.v2"), (["chat.v1"], "chat.v1"), (None, None)]
)
def test_a_subprotocol_is_agreed_upon(opened, service, offered, chosen):
    socket = opened("/ws/echo", subprotocols=offered)
    assert socket.subprotocol == chosen
    socket.close()


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_a_close_of_the_client_reaches_the_server(opened, service, code):
    opened("/ws/echo").close(code, "by the client")
    service.wait(lambda: (code, "by the client") in service.closed, "the end")


@pytest.mark.parametrize("code", [1000, 1011, 4000])
def test_a_close_of_the_server_reaches_the_client(opened, service, code):
    socket = opened("/ws/leave")
    socket.send(str(code))
    with pytest.raises((ConnectionClosed, EOFError)):
        socket.recv()
    assert socket.close_code == code


def test_many_sockets_are_open_at_once(opened, service):
    sockets = [opened("/ws/echo") for _ in range(20)]
    for number, socket in enumerate(sockets):
        socket.send(str(number))
    assert [socket.recv() for socket in sockets] == [str(number) for number in range(20)]
    for socket in sockets:
        socket.close()


def test_sockets_and_calls_share_an_http2_connection(client, world, token, service, upstream):
    connection = client.http2(world.agent)
    sockets = [Http2WebSocket(connection, "/ws/echo", token).accepted() for _ in range(5)]
    for number, socket in enumerate(sockets):
        socket.send(str(number))
        assert connection.call("GET", "/plain/a", token).status == 200
    assert [socket.recv() for socket in sockets] == [str(number) for number in range(5)]
    sockets[0].reset()
    sockets[1].send("still")
    assert sockets[1].recv() == "still"


def test_the_server_is_told_who_calls_and_never_with_what(opened, world, service):
    fields = [("Sallyport-Agent", "admin"), ("Client-Cert", "admin"), ("Origin", "https://app.example.test")]
    told = json.loads(opened("/ws/fields", fields=fields).recv())
    received = {name.lower(): value for name, value in told}
    assert len(received) == len(told)
    assert received["sallyport-agent"] == world.agent.spiffe_id
    assert received["origin"] == "https://app.example.test"
    assert (received["connection"].lower(), received["upgrade"]) == ("upgrade", "websocket")
    assert not {"authorization", "client-cert", ":protocol", "protocol"} & received.keys()


def test_a_socket_is_on_record(opened, gateway, service):
    socket = opened("/ws/echo")
    request_id = getattr(socket, "request_id", None) or socket.response.headers["X-Request-Id"]
    socket.send("x" * 1000)
    assert len(socket.recv()) == 1000
    allowed = gateway.record(request_id, "request.allowed")
    assert (allowed["route"], allowed["path"]) == ("sockets", "/ws/echo")
    assert not gateway.records_of(request_id, "request.completed")
    socket.close()
    completed = gateway.record(request_id, "request.completed")
    assert completed["status"] in (101, 200)


# What does not pass


def test_a_route_that_does_not_list_it_refuses_it(refused, gateway, upstream):
    status, body = refused("/plain/a")
    assert (status, problem(body)) == (403, "policy")
    request_id = json.loads(body)["instance"]
    assert gateway.record(request_id, "request.denied")["reason"] == "policy.upgrade"
    assert not upstream.received


@pytest.mark.parametrize(
    ("target", "bearer", "status", "code"),
    [
        ("/ws/echo", None, 401, "credentials-missing"),
        ("/ws/echo", "garbage", 401, "invalid-token"),
        ("/orders/7", "good", 403, "insufficient-scope"),
        ("/none", "good", 404, "no-route"),
    ],
)
def test_a_handshake_is_judged_like_any_call(refused, token, upstream, service, target, bearer, status, code):
    told, body = refused(target, token if bearer == "good" else bearer)
    assert (told, problem(body)) == (status, code)
    assert not upstream.received


@pytest.mark.parametrize("value", ["h2c", "websocket2", "TLS/1.0", "foo, bar"])
def test_another_upgrade_is_passed_over(client, world, token, upstream, value):
    """RFC 9110 §7.8: what is not understood is ignored, and it stays here."""
    fields = [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", value), ("HTTP2-Settings", "AAMAAABkAAQAAP__")]
    for target in ("/plain/a", "/raw/a"):
        upstream.clear()
        connection = client.http1(world.agent)
        assert connection.call("GET", target, token, fields).status == 200
        assert not {"upgrade", "http2-settings"} & set(upstream.request.names)
        assert connection.call("GET", target, token).status == 200


NO_HANDSHAKE = {
    "no connection: upgrade": ("GET", [("Upgrade", "websocket")], None),
    "no upgrade": ("GET", [("Connection", "upgrade")], None),
    "POST": ("POST", [("Connection", "upgrade"), ("Upgrade", "websocket")], b""),
    "content": ("GET", [("Connection", "upgrade"), ("Upgrade", "websocket")], b"hello"),
}


@pytest.mark.parametrize("case", NO_HANDSHAKE)
def test_what_is_no_handshake_is_not_upgraded(client, world, token, upstream, case):
    method, fields, body = NO_HANDSHAKE[case]
    told = client.http1(world.agent).attempt(method, "/raw/a", token, [*fields, *KEY], body)
    assert told and told.status in (200, 400, 403)
    for request in upstream.requests:
        assert "upgrade" not in request.names


@pytest.mark.parametrize("name", ["other", "websocket2", "connect-udp"])
def test_another_protocol_over_http2_is_refused(client, world, token, upstream, name):
    connection = client.http2(world.agent)
    with contextlib.suppress(StreamReset):
        told = Http2WebSocket(connection, "/raw/a", token, protocol=name).refused()
        assert told.status >= 400
    assert not upstream.received
    assert connection.call("GET", "/raw/a", token).status == 200


def test_connect_is_refused(client, world, token, upstream):
    connection = client.http1(world.agent)
    told = connection.attempt("CONNECT", f"localhost:{client.port}", token)
    assert told is None or told.status in (400, 405, 501)
    over_http2 = client.http2(world.agent)
    stream = over_http2.start_exactly(
        [(":method", "CONNECT"), (":authority", over_http2.authority), ("authorization", f"Bearer {token}")], end=False
    )
    with contextlib.suppress(StreamReset, GoneAway, Closed):
        assert over_http2.response(stream).status in (400, 404, 405, 501)
    assert not upstream.received


# Bound to a key

METHODS = {"http/1.1": "GET", "h2": "CONNECT"}  # what a proof's `htm` says


@pytest.fixture
def opened_with(client, protocol, world):
    """Opens a WebSocket with these fields alone."""

    def opened_with(target: str, fields):
        if protocol == "h2":
            return Http2WebSocket(client.http2(world.agent), target, None, fields).accepted()
        return websocket(client, world.agent, target, None, fields)

    return opened_with


@pytest.fixture(scope="module")
def holder(gateway, world) -> Holder:
    holder = Holder()
    await_proofs(gateway, world, holder)
    return holder


def test_a_handshake_proves_the_key(opened_with, refused, gateway, world, upstream, holder, protocol):
    """A DPoP proof for the method of the request and this URI opens the socket once."""
    upstream.answer = accept
    bound = world.broker.token(world.agent, cnf=holder.cnf)
    proof = holder.proof(METHODS[protocol], f"{gateway.origin}/bound/a", bound)
    fields = [("Authorization", f"DPoP {bound}"), ("DPoP", proof)]
    assert opened_with("/bound/a", fields).recv() == "hello"
    assert not {"dpop", "authorization"} & set(upstream.request.names)
    status, body = refused("/bound/a", None, fields)
    assert (status, problem(body)) == (401, "invalid-proof")


@pytest.mark.parametrize(("method", "target"), [("POST", "/bound/a"), (None, "/bound/b")])
def test_a_handshake_with_a_proof_for_something_else_is_refused(
    refused, gateway, world, upstream, holder, protocol, method, target
):
    bound = world.broker.token(world.agent, cnf=holder.cnf)
    proof = holder.proof(method or METHODS[protocol], gateway.origin + target, bound)
    status, body = refused("/bound/a", None, [("Authorization", f"DPoP {bound}"), ("DPoP", proof)])
    assert (status, problem(body)) == (401, "invalid-proof")
    assert not upstream.received


# Upstreams that answer something else

HELLO = b"\x81\x05hello"  # a text frame
CLOSE = 0x88  # how a close begins
KEY = [("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")]
HANDSHAKE = [("Connection", "Upgrade"), ("Upgrade", "websocket"), *KEY]


def switched(request, upgrade="websocket", connection="Upgrade", accept=None, extra=b"") -> bytes:
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        *([f"Upgrade: {upgrade}"] if upgrade else []),
        *([f"Connection: {connection}"] if connection else []),
        f"Sec-WebSocket-Accept: {accept or accept_key(request.header('sec-websocket-key') or '')}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + extra


def accept(opened, request) -> None:
    """Says yes and hello in one packet, then keeps all that comes until a close or the end."""
    opened.tunnelled = b""
    opened.send(switched(request, extra=HELLO))
    while (data := opened.reader.stream.read1(1 << 16)) and data[0] != CLOSE:
        with opened.upstream.changed:
            opened.tunnelled += data
            opened.upstream.changed.notify_all()
    opened.close()


def test_a_no_of_the_upstream_is_passed_on(refused, upstream):
    upstream.answer = lambda opened, request: opened.answer(403, b"not today", reason="Forbidden")
    assert refused("/raw/a") == (403, b"not today")
    upstream.clear()
    upstream.answer = lambda opened, request: opened.answer(426, b"", ("Sec-WebSocket-Version", "13"), reason="No")
    assert refused("/raw/a")[0] == 426


def test_an_answer_that_is_no_switch_leaves_the_connection_as_it_was(client, world, token, upstream):
    connection = client.http1(world.agent)
    assert connection.call("GET", "/raw/a", token, HANDSHAKE).json["target"] == "/raw/a"
    assert connection.call("GET", "/raw/b", token).json["target"] == "/raw/b"
    upstream.answer = accept
    connection.send(connection.head("GET", "/raw/c", token, HANDSHAKE))
    assert connection.reader.line() == "HTTP/1.1 101 Switching Protocols"


def test_a_200_of_the_upstream_opens_no_socket_over_http2(client, world, token, upstream):
    """There 200 means yes (RFC 8441 §5); the upstream said something else."""
    told = Http2WebSocket(client.http2(world.agent), "/raw/a", token).refused()
    assert (told.status, told.code) == (502, "upstream-failed")


BAD_SWITCHES = {
    "another protocol": {"upgrade": "h2c"},
    "no protocol": {"upgrade": None},
    "two protocols": {"upgrade": "websocket, h2c"},
    "no connection: upgrade": {"connection": None},
    "connection: close": {"connection": "close"},
    "a wrong accept": {"accept": accept_key("AAAAAAAAAAAAAAAAAAAAAA==")},
}


@pytest.mark.parametrize("case", BAD_SWITCHES)
def test_a_switch_that_is_wrong_opens_no_socket(client, protocol, world, token, upstream, case):
    upstream.answer = lambda opened, request: opened.send(switched(request, **BAD_SWITCHES[case], extra=HELLO))
    if protocol == "h2":
        told = Http2WebSocket(client.http2(world.agent), "/raw/a", token).refused()
        assert (told.status, told.code) == (502, "upstream-failed")
    else:
        with pytest.raises(InvalidHandshake):
            websocket(client, world.agent, "/raw/a", token)


def test_a_switch_that_is_right_opens_one(opened, upstream):
    upstream.answer = accept
    assert opened("/raw/a").recv() == "hello"


def test_a_switch_that_nobody_asked_for_is_502(connection, token, upstream):
    upstream.answer = lambda opened, request: opened.send(switched(request, extra=HELLO))
    for target in ("/plain/a", "/raw/a"):
        told = connection.call("GET", target, token)
        assert (told.status, told.code) == (502, "upstream-failed")


def test_an_upstream_that_dies_before_it_answers_is_502(refused, upstream):
    upstream.answer = lambda opened, request: opened.close()
    status, body = refused("/raw/a")
    assert (status, problem(body)) == (502, "upstream-failed")


# Where the handshake ends


def test_bytes_behind_the_handshake_belong_to_the_socket(client, gateway, world, upstream):
    """They are a request by their looks; the upstream has them as they are, and nobody judges them."""
    upstream.answer = accept
    connection, token = client.http1(world.agent), world.broker.token(world.agent, jti="behind-the-handshake")
    smuggled = connection.head("GET", "/raw/smuggled", token)
    connection.send(connection.head("GET", "/raw/a", token, HANDSHAKE) + smuggled)
    told = connection.reader.response(interim=True)
    assert told.status == 101
    assert b"".join(connection.reader.exactly(7)) == HELLO
    tunnel = upstream.connections[-1]
    upstream.wait(lambda: len(tunnel.tunnelled) >= len(smuggled), "the bytes")
    assert tunnel.tunnelled == smuggled.encode()
    assert len(upstream.requests) == 1
    connection.close()
    gateway.record(told.request_id, "request.completed")
    records = [record for record in gateway.records() if record.get("token_id") == "behind-the-handshake"]
    assert {record["request_id"] for record in records} == {told.request_id}


def test_bytes_behind_a_refused_handshake_are_the_next_request(client, world, token, upstream):
    connection = client.http1(world.agent)
    next_one = connection.head("GET", "/raw/next", token)
    connection.send(connection.head("GET", "/plain/a", token, HANDSHAKE) + next_one)
    assert connection.reader.response().status == 403
    with contextlib.suppress(Closed, ConnectionError):
        assert connection.reader.response().json["target"] == "/raw/next"
    assert {request.target for request in upstream.requests} <= {"/raw/next"}


def test_bytes_before_the_answer_over_http2_reach_the_upstream(client, world, token, upstream):
    upstream.answer = accept
    socket = Http2WebSocket(client.http2(world.agent), "/raw/a", token)
    socket.send("early")
    assert socket.accepted().recv() == "hello"
    tunnel = upstream.connections[-1]
    upstream.wait(lambda: len(tunnel.tunnelled) >= 11, "the frame")


# Somebody vanishes


def test_a_server_that_vanishes_takes_the_socket_along(opened, service):
    socket = opened("/ws/vanish")
    socket.send("now")
    with pytest.raises(LOST):
        socket.recv()


def test_a_client_that_vanishes_takes_the_socket_along(opened, client, service):
    socket = opened("/ws/echo")
    socket.send("hello")
    assert socket.recv() == "hello"
    if isinstance(socket, Http2WebSocket):
        socket.reset()
    else:
        socket.socket.shutdown(2)
    service.wait(lambda: 1006 in [code for code, _ in service.closed], "an end without a close")


def test_a_silent_socket_is_closed_in_the_end_and_a_busy_one_is_not(world, the_service, launch, reach, protocol, token):
    """`idle` is for both directions together, and `upstream_response` ends with the handshake."""
    routes = [{**route("sockets", "/ws/{does}"), "upgrades": ["websocket"]}]
    timeouts = {"idle": "700ms", "upstream_response": "300ms"}
    client = reach(launch(world.configuration(the_service.url, routes, timeouts=timeouts)))

    def opened():
        if protocol == "h2":
            return Http2WebSocket(client.http2(world.agent), "/ws/echo", token).accepted()
        return websocket(client, world.agent, "/ws/echo", token, ping_interval=None)

    silent, over = opened(), threading.Event()

    def listen():
        with contextlib.suppress(*LOST, InvalidMessage):
            silent.recv()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
    busy = opened()
    while not over.is_set():
        busy.send("still here")
        assert busy.recv() == "still here"
