"""What is under way is cut off: connections of whoever is revoked, and streams of what is; nobody else's."""

import contextlib
import itertools
import queue
import ssl
import threading
import time

import grpc
import pytest

from clients import Client, GoneAway, StreamReset, tls_context
from gateway import listener
from ports import free_port
from proofs import Holder, await_proofs
from revoking import CASES, Case, Party, administered, anybody, by_everything, operating
from sockets import Http1WebSocket, Http2WebSocket
from test_grpc import Service as GrpcService
from test_tcp_listener import Database
from test_websocket import Service as WebSocketService
from wire import PATIENCE, Closed

LOST = (EOFError, StreamReset, GoneAway, Closed, ConnectionError, ssl.SSLError, StopIteration)
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def sockets_service():
    service = WebSocketService()
    yield service
    service.server.shutdown()


@pytest.fixture(scope="module")
def messages_service():
    service = GrpcService()
    service.does("stream_stream", lambda messages, context: messages)
    yield service
    service.server.stop(0).wait()


@pytest.fixture(scope="module")
def database():
    database = Database()
    yield database
    database.close()


@pytest.fixture(scope="module")
def gateway(world, the_upstream, sockets_service, messages_service, database, launch):
    upstreams = [
        {"name": "service", "targets": [the_upstream.url]},
        {"name": "sockets", "targets": [sockets_service.url]},
        {"name": "messages", "targets": [f"http://127.0.0.1:{messages_service.port}"], "protocol": "h2"},
        {"name": "database", "targets": [f"http://127.0.0.1:{database.port}"]},
    ]
    routes = [
        anybody("any", "/any/{rest...}"),
        anybody("bound", "/bound/{x}"),
        anybody("sockets", "/ws/{does}", upstream="sockets", upgrades=["websocket"]),
        anybody("messages", "/test.Any/{method}", upstream="messages"),
    ]
    passing = listener(free_port(), world.server, world.trust, name="database", mode="tcp", upstream="database")
    passing["allow"] = ["spiffe://example.test/agent/*"]
    del passing["origins"], passing["protocols"]
    configuration = administered(world, the_upstream.url, routes, upstreams=upstreams)
    configuration["listeners"].append(passing)
    gateway = launch(configuration)
    await_proofs(gateway, world, Holder())
    return gateway


@pytest.fixture
def operator(gateway):
    with operating(gateway) as operator:
        yield operator


@pytest.fixture
def feed(upstream):
    """Lets the service send events, and take uploads, until it is told to stop."""
    return Feed(upstream)


class Feed:
    """Answers `/any/events/N` with an event whenever a test says so, and tells when the gateway has let go of it."""

    def __init__(self, upstream):
        self.upstream, self.queues, self.over = upstream, {}, []
        upstream.answer = self.answer

    def answer(self, connection, request) -> None:
        if "/up/" in request.target:
            return self.take(connection, request)
        if "/events/" not in request.target:
            return connection.answer(200, b"{}")
        events = self.queues[request.target]
        try:
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            while event := self.next(events, connection):
                connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        finally:
            connection.close()
            self.upstream.tell(self.over, request.target)

    def next(self, events: queue.Queue, connection) -> bytes | None:
        """The next event, or nothing where the gateway has closed."""
        connection.socket.settimeout(0.01)
        while True:
            with contextlib.suppress(queue.Empty):
                return events.get_nowait()
            with contextlib.suppress(TimeoutError):
                connection.socket.recv(1)
                return None

    def take(self, connection, request) -> None:
        """Reads a body that never ends."""
        try:
            for piece in connection.reader.pieces(request):
                self.upstream.tell(self.over, piece)
        finally:
            connection.close()
            self.upstream.tell(self.over, request.target)


# What may be under way


class Idle:
    """A connection that has been called over, and is kept."""

    closes_only = True  # nothing runs on it: it ends with its client only

    def __init__(self, scene: "Scene", party: Party, protocol: str):
        self.scene, self.party = scene, party
        self.connection = scene.client.open(protocol, party.identity)
        self.go_on()

    def go_on(self) -> None:
        fields = self.party.fields(self.scene.gateway, "GET", "/any/a")
        assert self.connection.call("GET", "/any/a", fields=fields).status == 200

    def await_end(self) -> None:
        assert self.connection.is_closed()


class Events:
    """Server-sent events."""

    def __init__(self, scene, party, protocol):
        self.scene, self.connection = scene, scene.client.open(protocol, party.identity)
        self.target = f"/any/events/{next(NUMBERS)}"
        self.events = scene.feed.queues[self.target] = queue.Queue()
        fields = party.fields(scene.gateway, "GET", self.target)
        self.received = b""
        if protocol == "h2":
            self.stream = self.connection.start("GET", self.target, fields=fields)
        else:
            self.stream = None
            self.connection.send(self.connection.head("GET", self.target, fields=fields))
            assert self.connection.reader.line() == "HTTP/1.1 200 OK"
            head = dict((name.lower(), value) for name, value in self.connection.reader.fields())
            assert head["transfer-encoding"] == "chunked"
            self.pieces = self.chunks()
        self.go_on()

    def chunks(self):
        reader = self.connection.reader
        while size := int(reader.line(), 16):
            yield b"".join(reader.exactly(size))
            reader.line()

    def go_on(self) -> None:
        event = b"data: %d\n\n" % next(NUMBERS)
        self.events.put(event)
        while event not in self.received:
            self.received += self.more()

    def more(self) -> bytes:
        if self.stream is None:
            return next(self.pieces)
        if response := self.connection.responses.get(self.stream):
            data, response.body = response.body, b""
            if data:
                return data
        if self.stream in self.connection.ended:
            assert self.connection.ended[self.stream] is not True, "cut off, and made to look whole"
            raise StreamReset(self.connection.ended[self.stream])
        self.connection.pump()
        return b""

    def await_end(self) -> None:
        """The answer must not look whole: neither a last chunk nor the end of a stream is right."""
        with pytest.raises(LOST) as lost:
            while True:
                self.more()
        assert not isinstance(lost.value, StopIteration), "cut off, and made to look whole"
        self.scene.upstream.wait(lambda: self.target in self.scene.feed.over, "the service to hear of it")


class Upload:
    """A body that is still being sent."""

    def __init__(self, scene, party, protocol):
        self.scene, self.connection = scene, scene.client.open(protocol, party.identity)
        self.target = f"/any/up/{next(NUMBERS)}"
        fields = party.fields(scene.gateway, "POST", self.target)
        if protocol == "h2":
            self.stream = self.connection.start("POST", self.target, fields=fields, end=False)
        else:
            self.stream = None
            fields = [*fields, ("Content-Length", "1000000")]
            self.connection.send(self.connection.head("POST", self.target, fields=fields))
        self.go_on()

    def go_on(self) -> None:
        piece = b"<%d>" % next(NUMBERS)
        if self.stream is None:
            self.connection.send(piece)
        else:
            self.connection.send_data(self.stream, piece, end=False)
            assert self.stream not in self.connection.ended
        over = self.scene.feed.over
        self.scene.upstream.wait(lambda: piece in b"".join(each for each in over if isinstance(each, bytes)), "a piece")

    def await_end(self) -> None:
        """It may be answered, as a refused call is."""
        if self.stream is None:
            with contextlib.suppress(*LOST):
                assert self.connection.reader.response().status == 401
            assert self.connection.is_closed()
        else:
            with contextlib.suppress(*LOST):
                assert self.connection.response(self.stream).status == 401
        self.scene.upstream.wait(lambda: self.target in self.scene.feed.over, "the service to hear of it")


class WebSocket:
    def __init__(self, scene, party, protocol):
        target = "/ws/echo"
        fields = party.fields(scene.gateway, "CONNECT" if protocol == "h2" else "GET", target)
        if protocol == "h2":
            self.socket = Http2WebSocket(scene.client.http2(party.identity), target, None, fields).accepted()
        else:
            self.socket = Http1WebSocket(scene.client.http1(party.identity), target, None, fields)
        self.go_on()

    def go_on(self) -> None:
        message = b"message %d" % next(NUMBERS)
        self.socket.send(message)
        assert self.socket.recv() == message

    def await_end(self) -> None:
        with pytest.raises(LOST):
            self.socket.recv()
        assert self.socket.close_code != 1000


class Messages:
    """A gRPC stream, both ways."""

    def __init__(self, scene, party, protocol):
        identity = party.identity
        credentials = grpc.ssl_channel_credentials(
            *(file.read_bytes() for file in (scene.world.servers.file, identity.key_file, identity.chain_file))
        )
        options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]
        self.channel = grpc.secure_channel(f"localhost:{scene.gateway.port}", credentials, options)
        scene.channels.append(self.channel)
        fields = party.fields(scene.gateway, "POST", "/test.Any/Echo")
        metadata = [(name.lower(), value) for name, value in fields]
        self.outgoing = queue.Queue()
        self.call = self.channel.stream_stream("/test.Any/Echo")(iter(self.outgoing.get, None), None, metadata)
        self.go_on()

    def go_on(self) -> None:
        message = b"message %d" % next(NUMBERS)
        self.outgoing.put(message)
        assert next(self.call) == message

    def await_end(self) -> None:
        with pytest.raises(grpc.RpcError) as lost:
            next(self.call)
        assert lost.value.code() in (
            *(grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED),
            *(grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN),
        )
        self.outgoing.put(None)


class Passage:
    """Bytes that pass through a listener without HTTP: nobody asks for a token there."""

    def __init__(self, scene, party, protocol):
        self.connection = scene.passages.tls(party.identity, None)
        self.go_on()

    def go_on(self) -> None:
        message = b"<%d>" % next(NUMBERS)
        self.connection.sendall(message)
        received = b""
        while len(received) < len(message):
            more = self.connection.recv(100)
            assert more
            received += more
        assert received == message

    def await_end(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            assert self.connection.recv(100) == b""


class Scene:
    """Everything that a live client needs."""

    def __init__(self, world, gateway, upstream, feed, client):
        self.world, self.gateway, self.upstream, self.feed, self.client = world, gateway, upstream, feed, client
        port = int(gateway.configuration["listeners"][1]["address"].rpartition(":")[2])
        self.passages = Client(port, world.servers.file)
        self.channels = []

    def close(self) -> None:
        self.passages.close()
        for channel in self.channels:
            channel.close()


@pytest.fixture
def scene(world, gateway, upstream, feed, client):
    scene = Scene(world, gateway, upstream, feed, client)
    yield scene
    scene.close()


KINDS = {
    "idle": (Idle, "http/1.1"),
    "idle h2": (Idle, "h2"),
    "events": (Events, "http/1.1"),
    "events h2": (Events, "h2"),
    "upload": (Upload, "http/1.1"),
    "upload h2": (Upload, "h2"),
    "websocket": (WebSocket, "http/1.1"),
    "websocket h2": (WebSocket, "h2"),
    "grpc": (Messages, "h2"),
    "passage": (Passage, None),
}
OF_CLIENTS = {"idle", "idle h2", "passage"}  # what no token is needed for, once it is open
CLOSING = {"agent", "chain", "certificate", "serial number", "key of the certificate"}
PAIRS = [(kind, name) for kind in KINDS for name in CASES if name in CLOSING or kind not in OF_CLIENTS]


@pytest.mark.parametrize(("kind", "name"), PAIRS, ids=lambda text: text.replace(" ", "-"))
def test_what_is_under_way_is_cut_off_and_what_is_beside_it_is_not(scene, operator, kind, name):
    """Both are open when the one is revoked, and differ in nothing but what is."""
    make, protocol = KINDS[kind]
    case: Case = CASES[name](scene.world)
    assert case.closes == (name in CLOSING)
    bystander = make(scene, case.bystander, protocol)
    victim = make(scene, case.victim, protocol)
    bystander.go_on()
    victim.go_on()
    closed = case.revoke(operator)["connections_closed"]
    if case.closes:
        assert closed == 1
    else:
        # HTTP/1.1 has no other way to end an answer that has begun.
        assert closed <= (protocol == "http/1.1")
    victim.await_end()
    bystander.go_on()


@pytest.mark.parametrize("kind", KINDS)
def test_everything_that_is_under_way_is_cut_off(scene, operator, kind):
    make, protocol = KINDS[kind]
    cases = [by_everything(scene.world) for _ in range(3)]
    lives = [make(scene, case.victim, protocol) for case in cases]
    told = cases[0].revoke(operator)
    try:
        assert told["connections_closed"] >= 3
        for life in lives:
            life.await_end()
    finally:
        operator.unrevoke(told["id"])
    make(scene, cases[0].victim, protocol).go_on()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("idle")])
@pytest.mark.parametrize("name", sorted(set(CASES) - CLOSING))
def test_a_connection_outlives_a_token(scene, operator, kind, name):
    """Another token of the same client may use it."""
    make, protocol = KINDS[kind]
    case = CASES[name](scene.world)
    life = make(scene, case.victim, protocol)
    assert case.revoke(operator)["connections_closed"] == 0
    fields = case.victim.fields(scene.gateway, "GET", "/any/a")
    assert life.connection.call("GET", "/any/a", fields=fields).status == 401
    fields = case.bystander.fields(scene.gateway, "GET", "/any/a")
    assert life.connection.call("GET", "/any/a", fields=fields).status == 200


def test_streams_of_one_connection_are_cut_off_one_by_one(scene, operator):
    """Of six streams over one connection, those with the token that is revoked, and no others."""
    case = CASES["token"](scene.world)
    connection = scene.client.http2(case.victim.identity)
    scene.client = One(scene.client, connection)
    victims = [Events(scene, case.victim, "h2") for _ in range(3)]
    bystanders = [Events(scene, case.bystander, "h2") for _ in range(3)]
    case.revoke(operator)
    for victim in victims:
        victim.await_end()
    for bystander in bystanders:
        bystander.go_on()
    fields = case.bystander.fields(scene.gateway, "GET", "/any/a")
    assert connection.call("GET", "/any/a", fields=fields).status == 200
    assert not connection.gone


class One:
    """Gives the same connection each time."""

    def __init__(self, client, connection):
        self.client, self.connection = client, connection
        self.open = lambda protocol, identity: connection


def test_many_connections_on_every_worker_are_closed(scene, operator):
    """The answer counts them all."""
    case = CASES["agent"](scene.world)
    lives = [Idle(scene, case.victim, protocol) for protocol in ("http/1.1", "h2") * 10]
    lives += [Events(scene, case.victim, protocol) for protocol in ("http/1.1", "h2") * 5]
    others = [Idle(scene, case.bystander, protocol) for protocol in ("http/1.1", "h2") * 5]
    assert case.revoke(operator)["connections_closed"] == 30
    for life in lives:
        life.await_end()
    for other in others:
        other.go_on()


def test_the_preview_counts_what_will_be_hit(scene, operator):
    case = CASES["agent"](scene.world)
    lives = [make(scene, case.victim, protocol) for make, protocol in KINDS.values()]
    told = operator.preview(case.level, case.value)
    assert told["connections"] == len(KINDS)
    for life in lives:
        life.go_on()
    assert case.revoke(operator)["connections_closed"] == told["connections"]
    for life in lives:
        life.await_end()


def test_the_preview_of_everything_counts_everything(scene, operator):
    lives = [make(scene, by_everything(scene.world).victim, protocol) for make, protocol in KINDS.values()]
    told = operator.preview("everything", "*")
    assert told["connections"] >= len(KINDS)
    assert told["calls"] >= len(KINDS) - len(OF_CLIENTS)
    for life in lives:
        life.go_on()


def test_the_preview_of_a_token_counts_its_calls(scene, operator):
    case = CASES["token"](scene.world)
    for number in range(3):
        Events(scene, [case.victim, case.bystander][number % 2], "h2")
    told = operator.preview(case.level, case.value, **case.members)
    assert (told["connections"], told["calls"]) == (0, 2)
    assert told["agents"] == [case.victim.identity.spiffe_id]


def test_what_was_cut_off_is_on_record(scene, operator, gateway):
    """As every call that was allowed, it has an end in the log."""
    case = CASES["agent"](scene.world)
    life = Events(scene, case.victim, "h2")
    request_id = life.connection.responses[life.stream].request_id
    case.revoke(operator)
    life.await_end()
    completed = gateway.record(request_id, "request.completed")
    assert completed["agent"] == case.value


# Sessions


class Agent:
    """A client that keeps its session."""

    def __init__(self, client, party, version):
        self.client, self.party = client, party
        self.context = tls_context(client.authority_file, party.identity, version=version)

    def connect(self, session=None):
        connection = self.context.wrap_socket(self.client.tcp(), server_hostname="localhost", session=session)
        self.client.opened.append(connection)
        return connection

    def call(self, connection) -> int:
        head = f"GET /any/a HTTP/1.1\r\nHost: localhost:{self.client.port}\r\n"
        connection.sendall(f"{head}Authorization: Bearer {self.party.token}\r\n\r\n".encode())
        status = int(connection.recv(1 << 16).split()[1])
        self.session = connection.session
        return status

    def refusal(self) -> str | None:
        try:
            self.call(self.connect(self.session))
        except (ssl.SSLError, ConnectionError, IndexError) as error:
            return repr(error)
        return None


@pytest.mark.parametrize("name", sorted(CLOSING))
def test_a_session_is_not_resumed_by_whoever_is_revoked(scene, operator, name):
    case = CASES[name](scene.world)
    victim, bystander = (Agent(scene.client, party, ssl.TLSVersion.TLSv1_3) for party in (case.victim, case.bystander))
    for agent in (victim, bystander):
        assert agent.call(agent.connect()) == 200
        again = agent.connect(agent.session)
        assert again.session_reused
        assert agent.call(again) == 200
    entry = case.revoke(operator)["id"]
    for _ in range(4):
        assert victim.refusal()
        again = bystander.connect(bystander.session)
        assert again.session_reused
        assert bystander.call(again) == 200
    operator.unrevoke(entry)
    assert victim.call(victim.connect()) == 200


def test_handshakes_at_the_very_moment_are_no_gap(scene, operator, world, gateway):
    """Of connections that are opened all the while, none that was begun after the answer is let in."""
    case = CASES["agent"](world)
    over, let_in, turned_away, opened = threading.Event(), [], [], []

    def knock():
        client = Client(gateway.port, world.servers.file)
        while not over.is_set():
            began = time.monotonic()
            status = None
            with contextlib.suppress(*LOST):
                connection = client.http1(case.victim.identity)
                fields = case.victim.fields(gateway, "GET", "/any/a")
                status = connection.call("GET", "/any/a", fields=fields).status
                opened.append(connection)
            (let_in if status == 200 else turned_away).append(began)
        client.close()

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    gateway.wait(lambda: len(let_in) > 40, "connections")
    case.revoke(operator)
    answered = time.monotonic()
    gateway.wait(lambda: sum(began > answered for began in turned_away) > 40, "refusals")
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert max(let_in) < answered


def test_a_call_that_is_waiting_for_the_service_is_not_answered_any_more(scene, operator, upstream):
    """What the service says later does not reach whoever was revoked meanwhile."""
    case = CASES["token"](scene.world)
    asked, answer = [], threading.Event()

    def slow(connection, request):
        upstream.tell(asked)
        answer.wait(PATIENCE)
        connection.answer(200, b"a secret")

    upstream.answer = slow
    connection = scene.client.http2(case.victim.identity)
    fields = case.victim.fields(scene.gateway, "GET", "/any/slow")
    stream = connection.start("GET", "/any/slow", fields=fields)
    upstream.wait(lambda: asked, "the request")
    case.revoke(operator)
    answer.set()
    with contextlib.suppress(*LOST):
        told = connection.response(stream)
        assert told.status == 401
        assert b"secret" not in told.body
