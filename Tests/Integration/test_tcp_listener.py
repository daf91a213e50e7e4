"""A listener that only terminates mutual TLS: bytes pass both ways for whom its list names, and nothing else is looked at."""

import contextlib
import copy
import secrets
import select
import socket
import ssl
import threading

import pytest

from clients import Client, tls_context
from credentials import Authority
from gateway import Gateway, listener, sallyport
from ports import free_port
from proxy import SPIFFE_ID, read_proxy_header
from wire import PATIENCE

MEBIBYTE = 1 << 20


class Database:
    """A server of a protocol that is not HTTP; each connection is served by a function that a test may replace."""

    def __init__(self):
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self.listener.getsockname()[1]
        self.clear()
        threading.Thread(target=self._accept, daemon=True).start()

    def clear(self) -> None:
        self.serve = echo
        self.connections: list[socket.socket] = []
        self.facts = []

    def tell(self, fact) -> None:
        with self.changed:
            self.facts.append(fact)
            self.changed.notify_all()

    def wait(self, condition, what: str) -> None:
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), f"database: waited in vain for {what}"

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self.listener.accept()
                with self.changed:
                    self.connections.append(accepted)
                    self.changed.notify_all()
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with accepted, contextlib.suppress(OSError):
            self.serve(self, accepted)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def echo(database, connection) -> None:
    while data := connection.recv(1 << 16):
        connection.sendall(data)


def greet(database, connection) -> None:
    """The server speaks first, and tells what it got before the end of the other's."""
    connection.sendall(b"220 ready\n")
    received = b""
    while data := connection.recv(1 << 16):
        received += data
    connection.sendall(b"%d bytes" % len(received))


@pytest.fixture(scope="module")
def the_database():
    database = Database()
    yield database
    database.close()


@pytest.fixture
def database(the_database) -> Database:
    the_database.clear()
    return the_database


@pytest.fixture(scope="module")
def gateway(world, the_database, the_upstream, launch):
    return launch(configuration(world, the_database, the_upstream))


def configuration(world, database, upstream, **changes) -> dict:
    """A listener of HTTP, and one that passes bytes."""
    port = free_port()
    passing = listener(port, world.server, world.trust, name="database", mode="tcp", upstream="database", **changes)
    passing.setdefault("allow", ["spiffe://example.test/agent/task-1/*", "spiffe://example.test/exactly"])
    del passing["origins"], passing["protocols"]
    upstreams = [
        {"name": "service", "targets": [upstream.url]},
        {"name": "database", "targets": [f"http://127.0.0.1:{database.port}"]},
    ]
    configuration = world.configuration(upstream.url, upstreams=upstreams)
    configuration["listeners"].append(passing)
    return configuration


def port_of(gateway) -> int:
    return int(gateway.configuration["listeners"][1]["address"].rpartition(":")[2])


@pytest.fixture
def client(gateway, world):
    """Connects to the listener that passes bytes."""
    client = Client(port_of(gateway), world.servers.file)
    yield client
    client.close()


def everything(connection) -> bytes:
    received = b""
    with contextlib.suppress(ConnectionError, ssl.SSLZeroReturnError):
        while data := connection.recv(1 << 16):
            received += data
    return received


class HalfClosing:
    """A TLS client that ends its own half of a connection and goes on reading, which an `SSLSocket` cannot."""

    def __init__(self, client: Client, agent):
        self.plain = client.tcp()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = tls_context(client.authority_file, agent, None)
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")
        self._do(self.tls.do_handshake)

    def sendall(self, data: bytes) -> None:
        self._do(lambda: self.tls.write(data))

    def recv(self, count: int) -> bytes:
        return self._do(lambda: self.tls.read(count))

    def end(self) -> None:
        """Sends close_notify, and waits for nothing."""
        with pytest.raises(ssl.SSLWantReadError):
            self.tls.unwrap()
        self.plain.sendall(self.outgoing.read())

    def _do(self, does):
        while True:
            try:
                result = does()
                self.plain.sendall(self.outgoing.read())
                return result
            except ssl.SSLWantReadError:
                self.plain.sendall(self.outgoing.read())
                self.incoming.write(self.plain.recv(1 << 16))


def test_bytes_pass_both_ways(client, world, database):
    connection = client.tls(world.agent, None)
    for data in (b"\0", b"hello", bytes(range(256)) * 100):
        connection.sendall(data)
        received = b""
        while len(received) < len(data):
            received += connection.recv(1 << 16)
        assert received == data


def test_the_server_may_speak_first(client, world, database):
    database.serve = greet
    assert client.tls(world.agent, None).recv(1 << 16) == b"220 ready\n"


def test_large_amounts_pass_both_ways_at_once(client, world, database):
    total = 32 * MEBIBYTE
    block = secrets.token_bytes(MEBIBYTE)
    connection = client.tls(world.agent, None)
    received = bytearray()
    over = threading.Event()

    def read():
        while len(received) < total:
            received.extend(plain.recv())
        over.set()

    plain = Duplex(connection)
    threading.Thread(target=read, daemon=True).start()
    for _ in range(total // MEBIBYTE):
        plain.send(block)
    assert over.wait(3 * PATIENCE)
    assert received == block * (total // MEBIBYTE)


class Duplex:
    """Reads and writes one TLS connection from two threads, which OpenSSL does not allow by itself."""

    def __init__(self, connection: ssl.SSLSocket):
        self.connection, self.lock = connection, threading.Lock()
        connection.setblocking(False)

    def recv(self) -> bytes:
        return self._until_possible(lambda: self.connection.recv(1 << 16))

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._until_possible(lambda: self.connection.send(view[: 1 << 16])) :]

    def _until_possible(self, does):
        while True:
            try:
                with self.lock:
                    return does()
            except ssl.SSLWantReadError:
                select.select([self.connection], [], [], PATIENCE)
            except ssl.SSLWantWriteError:
                select.select([], [self.connection], [], PATIENCE)


def test_half_of_a_connection_may_end(client, world, database):
    """The server hears of the client's end and still answers."""
    database.serve = greet
    connection = HalfClosing(client, world.agent)
    assert connection.recv(1 << 16) == b"220 ready\n"
    connection.sendall(b"some bytes")
    connection.end()
    assert everything(connection) == b"10 bytes"


def test_the_end_of_the_server_is_told_behind_its_last_byte(client, world, database):
    database.serve = lambda database, connection: connection.sendall(b"x" * 100_000)
    assert everything(client.tls(world.agent, None)) == b"x" * 100_000


def test_a_client_that_vanishes_is_told_to_the_server(client, world, database):
    def serve(database, connection):
        database.tell(connection.recv(100))
        database.tell(everything(connection))

    database.serve = serve
    connection = client.tls(world.agent, None)
    connection.sendall(b"last words")
    database.wait(lambda: database.facts, "the words")
    connection.close()
    database.wait(lambda: len(database.facts) == 2, "the end")
    assert database.facts == [b"last words", b""]


def test_the_server_may_be_told_who_it_is(world, database, upstream, launch):
    """PROXY protocol out, before the first byte of the client."""
    changed = configuration(world, database, upstream)
    changed["upstreams"][1]["proxy_protocol"] = "v2"
    client = Client(port_of(launch(changed)), world.servers.file)

    def serve(database, connection):
        database.tell(read_proxy_header(connection))
        echo(database, connection)

    database.serve = serve
    connection = client.tls(world.agent, None)
    connection.sendall(b"hello")
    assert connection.recv(100) == b"hello"
    (told,) = database.facts
    assert told.source == connection.getsockname()
    assert told.fields[SPIFFE_ID] == world.agent.spiffe_id.encode()
    assert told.has_good_checksum
    client.close()


def test_http_is_only_bytes(client, world, database):
    """No token is asked for, and nothing is changed."""
    request = b"GET / HTTP/1.1\r\nHost: elsewhere\r\nSallyport-Agent: me\r\n\r\n"
    connection = client.tls(world.agent, None)
    connection.sendall(request)
    received = b""
    while len(received) < len(request):
        received += connection.recv(1 << 16)
    assert received == request


ALLOWED = ["/agent/task-1/instance-1", "/agent/task-1/a/b", "/exactly"]
REFUSED = ["/agent/task-1", "/agent/task-11/instance-1", "/agent/task-2/instance-1", "/exactly/more", "/other"]


@pytest.mark.parametrize("path", ALLOWED)
def test_an_agent_of_the_list_is_let_in(client, world, database, path):
    connection = client.tls(world.agents.agent(path), None)
    connection.sendall(b"hello")
    assert connection.recv(100) == b"hello"


@pytest.mark.parametrize("path", REFUSED)
def test_an_agent_that_is_not_on_the_list_is_refused(client, gateway, world, database, path):
    """The server never hears of it; the refusal is on record with its reason."""
    agent = world.agents.agent(path)
    told = b""
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        connection = client.tls(agent, None)
        connection.sendall(b"hello")
        told = everything(connection)
    assert not told
    assert not database.connections

    def denied():
        return [record for record in gateway.records() if record.get("agent") == agent.spiffe_id]

    record = gateway.wait(denied, "the record")[0]
    assert record["event"] in ("request.denied", "connection.refused")
    assert record["reason"]
    assert not database.connections


def test_no_certificate_is_refused(client, database):
    assert "CERTIFICATE_REQUIRED" in (refusal(client, None) or "")
    assert not database.connections


def test_a_certificate_of_another_authority_is_refused(client, world, database, tmp_path):
    assert refusal(client, Authority(tmp_path).agent())
    assert refusal(client, world.agent) is None


def refusal(client, agent) -> str | None:
    """The alert that a handshake is refused with; the server greets, so that its absence is seen."""
    try:
        connection = client.tls(agent, None)
        connection.sendall(b"hello")
        return None if connection.recv(1) else "closed without an alert"
    except ssl.SSLError as error:
        return error.reason
    except ConnectionError as error:
        return f"reset without an alert: {error}"


def test_a_connection_is_on_record(client, gateway, world, database):
    """Allowed before the first byte passes, and completed with what passed."""
    agent = world.agents.agent("/agent/task-1/recorded")

    def records(event):
        return [record for record in gateway.events(event) if record.get("agent") == agent.spiffe_id]

    connection = client.tls(agent, None)
    connection.sendall(b"x" * 1000)
    received = 0
    while received < 1000:
        received += len(connection.recv(1000))
    allowed = gateway.wait(lambda: records("request.allowed"), "the first record")[0]
    assert allowed["listener"] == "database"
    assert allowed["peer"] == "{}:{}".format(*connection.getsockname())
    assert allowed["certificate"] == agent.fingerprint
    assert not records("request.completed")
    connection.close()
    completed = gateway.record(allowed["request_id"], "request.completed")
    assert (completed["bytes_in"], completed["bytes_out"]) == (1000, 1000)
    assert completed["upstream"] == "database"
    assert not {"token_id", "path", "method"} & allowed.keys()


def test_a_server_that_is_down_ends_the_connection(world, upstream, launch):
    database = Database()
    database.close()
    gateway = launch(configuration(world, database, upstream))
    client = Client(port_of(gateway), world.servers.file)
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        assert everything(client.tls(world.agent, None)) == b""
    client.close()
    assert gateway.observe("/healthz") == 200


def test_a_silent_connection_is_closed_in_the_end(world, database, upstream, launch):
    """`idle` is for both ways together."""
    changed = configuration(world, database, upstream)
    changed["timeouts"] = {"idle": "300ms"}
    client = Client(port_of(launch(changed)), world.servers.file)
    connection = client.tls(world.agent, None)
    connection.sendall(b"hello")
    assert everything(connection) == b"hello"
    client.close()


def test_a_list_that_is_changed_ends_no_longer_allowed_connections_or_lets_in_no_new_ones(
    world, database, upstream, launch
):
    first = configuration(world, database, upstream)
    gateway = launch(first)
    client = Client(port_of(gateway), world.servers.file)
    assert refusal(client, world.agent) is None
    changed = copy.deepcopy(first)
    changed["listeners"][1]["allow"] = ["spiffe://example.test/other/*"]
    gateway.reload(changed)
    gateway.wait(lambda: refusal(client, world.agent), "the new list")
    client.close()


FAULTS = {
    "no list": lambda l: l.pop("allow"),
    "an empty list": lambda l: l.update(allow=[]),
    "everybody": lambda l: l.update(allow=["*"]),
    "a prefix within a segment": lambda l: l.update(allow=["spiffe://example.test/agent*"]),
    "no upstream": lambda l: l.pop("upstream"),
    "an unknown upstream": lambda l: l.update(upstream="nowhere"),
    "origins": lambda l: l.update(origins=["https://localhost"]),
    "protocols": lambda l: l.update(protocols=["h2"]),
    "an optional certificate": lambda l: l["clients"].update(certificate="optional"),
    "another mode": lambda l: l.update(mode="udp"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_listener_that_cannot_be_meant_so_is_a_fault(world, database, upstream, tmp_path, case):
    good = configuration(world, database, upstream)
    assert check(tmp_path / "good", good) == 0
    FAULTS[case](good["listeners"][1])
    assert check(tmp_path / "bad", good) == 1


def check(directory, configuration) -> int:
    directory.mkdir()
    return sallyport("check", "--config", str(Gateway(directory, configuration).file)).returncode
