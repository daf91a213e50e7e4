"""A life among supervisors: draining in order, reloading under load, letting go of who is trusted no more, being handed
sockets, and telling the service manager."""

import contextlib
import copy
import re
import signal
import socket
import ssl
import threading

import h2.errors
import pytest

from clients import Client
from credentials import TRUST_DOMAIN, Authority
from gateway import Gateway, listener
from ports import free_port
from sockets import Http2WebSocket
from test_websocket import HANDSHAKE, accept
from wire import PATIENCE
from world import route


@pytest.fixture
def alone(world, upstream, tmp_path_factory):
    """Gateways whose end is the test's own affair."""
    made = []

    def alone(configuration=None) -> Gateway:
        made.append(Gateway(tmp_path_factory.mktemp("life"), configuration or world.configuration(upstream.url)))
        return made[-1]

    yield alone
    for gateway in made:
        if gateway.process and gateway.process.poll() is None:
            gateway.process.kill()
            gateway.process.wait()


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


@pytest.fixture
def held(upstream):
    """Calls are answered once they are let."""
    over = []

    def answer(opened, request):
        upstream.wait(lambda: over, "the test")
        opened.read_body(request)
        opened.answer(200, b"finished")

    upstream.answer = answer
    yield lambda: upstream.tell(over)
    upstream.tell(over)


# The end


def test_a_drain_goes_in_order(alone, reach, world, upstream, token, held):
    """Not ready first; then GOAWAY and `Connection: close`; what is in flight ends; then the process does."""
    gateway = alone().start()
    client = reach(gateway)
    first, second = client.http1(world.agent), client.http2(world.agent)
    first.send(first.head("POST", "/any/a", token, [("Content-Length", "5")]) + "he")
    stream = second.start("POST", "/any/b", token, end=False)
    upstream.wait(lambda: len(upstream.requests) == 2, "both calls")
    gateway.signal(signal.SIGTERM)
    gateway.wait(lambda: gateway.observe("/readyz") == 503, "not ready")
    while not second.gone:
        second.pump()
    assert second.gone.code == h2.errors.ErrorCodes.NO_ERROR
    assert gateway.process.poll() is None
    first.send("llo")
    second.send_data(stream, b"hello")
    held()
    told = first.reader.response()
    assert (told.status, told.body, told.header("connection")) == (200, b"finished", "close")
    assert second.response(stream).body == b"finished"
    assert first.is_closed() and second.is_closed()
    assert gateway.process.wait(PATIENCE) == 0
    assert len(gateway.events("request.completed")) == 2


def test_an_upgraded_connection_is_cut_when_the_drain_is_over(alone, reach, world, upstream, token):
    upstream.answer = accept
    routes = [{**route("sockets", "/any/{x...}"), "upgrades": ["websocket"]}]
    gateway = alone(world.configuration(upstream.url, routes, timeouts={"drain": "300ms"})).start()
    client = reach(gateway)
    socket = Http2WebSocket(client.http2(world.agent), "/any/a", token).accepted()
    plain = client.http1(world.agent)
    plain.send(plain.head("GET", "/any/a", token, HANDSHAKE))
    assert plain.reader.response(interim=True).status == 101
    assert socket.recv() == "hello"
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(PATIENCE) == 0
    assert socket.connection.is_closed()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while plain.socket.recv(100):
            pass
    assert gateway.records()[-1]["event"] == "gateway.stopped"


# Reloading


def test_no_call_is_lost_while_it_is_reloaded_under_load(alone, world, upstream, token):
    """Old connections and new, over both protocols, with bodies and without."""
    gateway = alone().start()
    done, counts, faults = threading.Event(), [0] * 4, []

    def call_on(number: int) -> None:
        protocol, keeps = ("h2" if number % 2 else "http/1.1"), number < 2
        client, connection = Client(gateway.port, world.servers.file), None
        try:
            while not done.is_set():
                connection = connection or client.open(protocol, world.agent)
                told = connection.call("POST", f"/any/{number}", token, body=b"hello")
                assert (told.status, told.json["body_bytes"]) == (200, 5)
                counts[number] += 1
                if not keeps:
                    connection.close()
                    connection = None
        except Exception as fault:
            faults.append(fault)
        finally:
            client.close()

    callers = [threading.Thread(target=call_on, args=(number,)) for number in range(4)]
    for caller in callers:
        caller.start()
    try:
        for number in range(10):
            configuration = copy.deepcopy(gateway.configuration)
            configuration["routes"][0] = route(f"extra-{number}", f"/extra/{number}")
            configuration["upstreams"][0]["timeouts"] = {"response": f"{20 + number}s"}
            gateway.reload(configuration)
    finally:
        done.set()
        for caller in callers:
            caller.join()
    assert not faults
    assert min(counts) > 5
    assert gateway.stop() == 0
    assert len(gateway.events("request.completed")) == sum(counts)


def trusting(world, upstream, *authorities: Authority, **sections) -> dict:
    """A configuration that trusts these for the agents' domain."""
    bundle = world.directory / f"bundle-{'-'.join(authority.name for authority in authorities)}.pem"
    bundle.write_bytes(b"".join(authority.file.read_bytes() for authority in authorities))
    configuration = world.configuration(upstream.url, **sections)
    configuration["listeners"][0]["clients"]["trust_domains"][0]["bundle_file"] = str(bundle)
    return configuration


@pytest.fixture
def leaving(world) -> Authority:
    return Authority(world.directory, "leaving-ca")


def retrusted(gateway: Gateway, configuration: dict) -> dict:
    """What a gateway has, with the trust of another configuration."""
    changed = copy.deepcopy(gateway.configuration)
    for old, new in zip(changed["listeners"], configuration["listeners"], strict=True):
        old["clients"] = new["clients"]
    return changed


def test_a_reload_without_an_authority_closes_the_connections_of_its_agents(
    alone, reach, world, upstream, leaving, protocol
):
    """Idle ones too; those of others live on."""
    gateway = alone(trusting(world, upstream, world.agents, leaving)).start()
    client, agent = reach(gateway), leaving.agent("/agent/leaving/one")
    going, staying = client.open(protocol, agent), client.open(protocol, world.agent)
    assert going.call("GET", "/any/a", world.broker.token(agent)).status == 200
    token = world.broker.token(world.agent)
    assert staying.call("GET", "/any/a", token).status == 200
    gateway.reload(retrusted(gateway, trusting(world, upstream, world.agents)))
    assert going.is_closed()
    assert staying.call("GET", "/any/a", token).status == 200
    assert client.refusal(agent)
    assert client.refusal(world.agent) is None
    assert gateway.stop() == 0


def test_a_reload_without_an_authority_ends_long_answers_and_sockets(alone, reach, world, upstream, leaving):
    """Of its agents; those of others go on as if nothing had happened."""
    routes = [{**route("any", "/any/{x...}"), "upgrades": ["websocket"]}]
    gateway = alone(trusting(world, upstream, world.agents, leaving, routes=routes)).start()
    client, reloaded = reach(gateway), []

    def answer(opened, request):
        if request.target.endswith("socket"):
            return accept(opened, request)
        opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        upstream.wait(lambda: reloaded, "the reload")
        opened.send(b"6\r\n world\r\n0\r\n\r\n")

    upstream.answer = answer

    def opened(agent):
        token = world.broker.token(agent)
        stream, plain = client.http2(agent), client.http1(agent)
        socket = Http2WebSocket(client.http2(agent), "/any/socket", token).accepted()
        number = stream.start("GET", "/any/long", token)
        while number not in stream.responses:
            stream.pump()
        plain.send(plain.head("GET", "/any/socket", token, HANDSHAKE))
        assert plain.reader.response(interim=True).status == 101
        assert b"".join(plain.reader.exactly(7)) == b"\x81\x05hello"
        return stream, plain, socket

    going, (stream, plain, socket) = opened(leaving.agent("/agent/leaving/one")), opened(world.agent)
    gateway.reload(retrusted(gateway, trusting(world, upstream, world.agents)))
    assert going[0].is_closed() and going[1].is_closed() and going[2].connection.is_closed()
    upstream.tell(reloaded)
    assert stream.response(1).body == b"hello world"
    plain.send(b"by HTTP/1.1")
    socket.send("by HTTP/2")
    for size in (11, 15):  # the second is a frame with its head and mask
        upstream.wait(lambda size=size: size in map(tunnelled, upstream.connections), "what was sent after the reload")


def tunnelled(connection) -> int:
    return len(getattr(connection, "tunnelled", b""))


def test_a_reload_without_an_authority_ends_passed_connections(alone, world, upstream, leaving):
    with socket.create_server(("127.0.0.1", free_port())) as database:
        port, address = free_port(), f"http://127.0.0.1:{database.getsockname()[1]}"
        configuration = trusting(world, upstream, world.agents, leaving)
        trust = configuration["listeners"][0]["clients"]["trust_domains"]
        passing = listener(port, world.server, trust, name="database", mode="tcp", upstream="database")
        passing["allow"] = [f"spiffe://{TRUST_DOMAIN}/agent/*"]
        del passing["origins"], passing["protocols"]
        configuration["listeners"].append(passing)
        configuration["upstreams"].append({"name": "database", "targets": [address]})
        gateway = alone(configuration).start()
        client = Client(port, world.servers.file)
        going = client.tls(leaving.agent("/agent/leaving/one"), None)
        accepted, _ = database.accept()
        with accepted:
            accepted.sendall(b"hello")
            assert going.recv(100) == b"hello"
            changed = copy.deepcopy(configuration)
            for entry in changed["listeners"]:
                entry["clients"]["trust_domains"] = world.trust
            gateway.reload(changed)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                assert going.recv(100) == b""
            accepted.settimeout(PATIENCE)
            with contextlib.suppress(ConnectionError):
                assert accepted.recv(100) == b""
        client.close()
        assert gateway.stop() == 0


# Sockets that are handed over


@pytest.fixture
def listening(world, upstream):
    """A socket that listens where a configuration says."""
    configuration = world.configuration(upstream.url)
    host, _, port = configuration["listeners"][0]["address"].rpartition(":")
    with socket.create_server((host, int(port)), backlog=64) as listening:
        yield listening, configuration


NAMES = {"by its name": {"LISTEN_FDNAMES": "agents"}, "by its address": {}}


@pytest.mark.parametrize("how", NAMES)
def test_a_socket_that_was_handed_over_is_served(alone, reach, world, listening, protocol, token, how):
    """A connection that came before the gateway was there is served by it."""
    opened, configuration = listening
    gateway = alone(configuration)
    with socket.create_connection(opened.getsockname(), PATIENCE) as early:
        gateway.start(NAMES[how], sockets=[opened])
        context = ssl.create_default_context(cafile=str(world.servers.file))
        context.load_cert_chain(world.agent.chain_file, world.agent.key_file)
        with context.wrap_socket(early, server_hostname="localhost") as connection:
            head = f"GET /any/a HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {token}\r\n\r\n"
            connection.sendall(head.encode())
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
    connections = [reach(gateway).open(protocol, world.agent) for _ in range(10)]
    assert {connection.call("GET", "/any/a", token).status for connection in connections} == {200}
    assert gateway.stop() == 0


def test_a_socket_for_somebody_else_is_not_taken(alone, listening):
    """LISTEN_PID names another process; so the gateway finds its address taken."""
    opened, configuration = listening
    gateway = alone(configuration)
    with pytest.raises(AssertionError, match="ended with 2"):
        gateway.start({"LISTEN_PID": "1"}, sockets=[opened])


def test_a_new_process_takes_over_without_a_refused_connection(alone, world, upstream, listening, token):
    """An upgrade of the binary: both have the socket, then the old one drains."""
    opened, configuration = listening
    old = alone(configuration).start(sockets=[opened])
    done, statuses, faults = threading.Event(), [], []

    def call_on():
        client = Client(old.port, world.servers.file)
        try:
            while not done.is_set():
                connection = client.http1(world.agent)
                statuses.append(connection.call("GET", "/any/a", token).status)
                connection.close()
        except Exception as fault:
            faults.append(fault)
        finally:
            client.close()

    caller = threading.Thread(target=call_on)
    caller.start()
    try:
        successor = copy.deepcopy(configuration)
        successor["observability"]["address"] = f"127.0.0.1:{free_port()}"
        new = alone(successor).start(sockets=[opened])
        count = len(statuses)
        old.signal(signal.SIGTERM)
        assert old.process.wait(PATIENCE) == 0
        new.wait(lambda: faults or len(statuses) > count + 10, "calls to the new process")
    finally:
        done.set()
        caller.join()
    assert not faults
    assert set(statuses) == {200}
    assert new.events("request.allowed")
    assert new.stop() == 0


# The service manager


@pytest.fixture
def manager(tmp_path):
    """What NOTIFY_SOCKET names, and a function for the next message as a dictionary."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
        notified.bind(str(tmp_path / "notify"))
        notified.settimeout(PATIENCE)

        def until(name: str) -> dict:
            """The next message that has `name`."""
            while True:
                lines = notified.recv(4096).decode().splitlines()
                message = dict(line.split("=", 1) for line in lines if line)
                if name in message:
                    return message

        yield tmp_path / "notify", until


def test_the_manager_is_told_of_every_turn(alone, world, upstream, manager):
    """sd_notify(3): ready, reloading and ready again, stopping."""
    path, until = manager
    gateway = alone().start({"NOTIFY_SOCKET": str(path)})
    assert until("READY")["READY"] == "1"
    gateway.reload()
    reloading = until("RELOADING")
    assert reloading["RELOADING"] == "1"
    assert re.fullmatch(r"\d+", reloading["MONOTONIC_USEC"])
    assert until("READY")["READY"] == "1"
    gateway.signal(signal.SIGTERM)
    assert until("STOPPING")["STOPPING"] == "1"
    assert gateway.process.wait(PATIENCE) == 0


def test_a_reload_that_fails_ends_as_well(alone, world, upstream, manager):
    """Else the manager would wait for ever."""
    path, until = manager
    gateway = alone().start({"NOTIFY_SOCKET": str(path)})
    until("READY")
    gateway.file.write_text("nonsense: true")
    gateway.signal(signal.SIGHUP)
    until("RELOADING")
    assert until("READY")["READY"] == "1"
    assert gateway.observe("/readyz") == 200


def test_the_manager_is_told_that_it_lives(alone, world, upstream, manager):
    """WATCHDOG_USEC asks for a sign within that time."""
    path, until = manager
    alone().start({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "300000"})
    for _ in range(3):
        assert until("WATCHDOG")["WATCHDOG"] == "1"


def test_without_a_manager_nobody_is_told(alone, world, upstream):
    """A socket that is not there prevents nothing."""
    gateway = alone().start({"NOTIFY_SOCKET": "/nonexistent/notify"})
    assert gateway.observe("/readyz") == 200
    assert gateway.stop() == 0
