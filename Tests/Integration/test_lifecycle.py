"""Starting, draining and stopping."""

import signal
import socket
import ssl

import pytest

from clients import GoneAway, curl
from gateway import BINARY, Gateway, sallyport
from ports import free_port
from wire import PATIENCE, Closed


@pytest.fixture
def gateway(world, upstream, tmp_path):
    """A gateway whose end is the test's own affair."""
    gateway = Gateway(tmp_path, world.configuration(upstream.url)).start()
    yield gateway
    if gateway.process.poll() is None:
        gateway.process.kill()
        gateway.process.wait()


@pytest.fixture
def in_flight(client, world, upstream, protocol):
    """A call that the upstream has and has not answered; gives the connection, and a function that lets it answer."""
    proceed = []

    def answer(opened, request):
        upstream.wait(lambda: proceed, "the test")
        opened.answer(200, b"finished")

    upstream.answer = answer
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    connection.stream = None
    if protocol == "h2":
        connection.stream = connection.start("GET", "/any/a", token)
    else:
        connection.send(connection.head("GET", "/any/a", token))
    upstream.wait(lambda: upstream.requests, "the call")

    def finish():
        with upstream.changed:
            proceed.append(True)
            upstream.changed.notify_all()

    yield connection, finish
    finish()


def response(connection):
    return connection.response(connection.stream) if connection.stream else connection.reader.response()


def is_refused(gateway) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", gateway.port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(gateway, in_flight, number):
    connection, finish = in_flight
    gateway.signal(number)
    gateway.wait(lambda: is_refused(gateway) or gateway.observe("/readyz") != 200, "the drain to begin")
    assert gateway.process.poll() is None
    finish()
    told = response(connection)
    assert (told.status, told.body) == (200, b"finished")
    assert connection.is_closed()
    assert gateway.process.wait(PATIENCE) == 0
    assert [record["status"] for record in gateway.events("request.completed")] == [200]
    assert gateway.records()[-1]["event"] == "gateway.stopped"


def test_while_it_drains_it_is_alive_but_not_ready(gateway, in_flight):
    connection, finish = in_flight
    assert (gateway.observe("/healthz"), gateway.observe("/readyz")) == (200, 200)
    gateway.signal(signal.SIGTERM)
    gateway.wait(lambda: gateway.observe("/readyz") == 503, "the drain to begin")
    assert gateway.observe("/healthz") == 200
    finish()
    assert response(connection).status == 200
    assert gateway.process.wait(PATIENCE) == 0


def test_a_second_signal_stops_at_once(gateway, in_flight):
    connection, _ = in_flight
    gateway.signal(signal.SIGTERM)
    gateway.wait(lambda: gateway.observe("/readyz") != 200, "the drain to begin")
    gateway.signal(signal.SIGTERM)
    gateway.process.wait(PATIENCE)
    with pytest.raises((Closed, ConnectionError, ssl.SSLError, GoneAway)):
        assert response(connection) is None


def test_a_drain_is_not_waited_for_longer_than_configured(world, upstream, reach, tmp_path):
    gateway = Gateway(tmp_path, world.configuration(upstream.url, timeouts={"drain": "300ms"})).start()
    done = []
    upstream.answer = lambda opened, request: upstream.wait(lambda: done, "the end of the test")
    connection = reach(gateway).http1(world.agent)
    connection.send(connection.head("GET", "/any/a", world.broker.token(world.agent)))
    upstream.wait(lambda: upstream.requests, "the call")
    gateway.signal(signal.SIGTERM)
    gateway.process.wait(PATIENCE)
    with upstream.changed:
        done.append(True)
        upstream.changed.notify_all()
    assert gateway.records()[-1]["event"] == "gateway.stopped"


def test_idle_connections_do_not_hold_a_drain_up(gateway, client, world, upstream, protocol):
    idle = [client.open(protocol, world.agent) for _ in range(5)]
    assert {connection.call("GET", "/any/a", world.broker.token(world.agent)).status for connection in idle} == {200}
    client.tcp()
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(PATIENCE) == 0
    assert all(connection.is_closed() for connection in idle)


def test_every_record_of_a_busy_gateway_is_written_when_it_stops(gateway, client, world, upstream):
    connection, token = client.http1(world.agent), world.broker.token(world.agent)
    ids = [connection.call("GET", "/any/a", token).request_id for _ in range(200)]
    gateway.signal(signal.SIGTERM)
    assert gateway.process.wait(PATIENCE) == 0
    assert [record["request_id"] for record in gateway.events("request.allowed")] == ids
    assert sorted(record["request_id"] for record in gateway.events("request.completed")) == sorted(ids)


def test_it_may_be_started_again_at_once(gateway, client, world, upstream):
    for _ in range(3):
        assert client.http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent)).status == 200
        gateway.signal(signal.SIGTERM)
        assert gateway.process.wait(PATIENCE) == 0
        gateway.start()


# What prevents a start


def run(directory, configuration) -> tuple[int, str]:
    gateway = Gateway(directory, configuration)
    told = sallyport("run", "--config", str(gateway.file))
    return told.returncode, told.stderr


def test_a_taken_port_prevents_a_start(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        configuration["listeners"][0]["address"] = f"127.0.0.1:{port}"
        code, said = run(tmp_path, configuration)
    assert code == 2
    assert str(port) in said


def test_a_taken_observability_port_prevents_a_start(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configuration["observability"]["address"] = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _ = run(tmp_path, configuration)
    assert code == 2


def test_a_second_gateway_on_the_same_port_does_not_start(gateway, world, upstream, tmp_path_factory):
    """SO_REUSEPORT must not make two gateways share one address unnoticed."""
    configuration = world.configuration(upstream.url)
    configuration["listeners"][0]["address"] = f"127.0.0.1:{gateway.port}"
    code, said = run(tmp_path_factory.mktemp("second"), configuration)
    assert code == 2
    assert str(gateway.port) in said


def test_a_missing_file_prevents_a_start(tmp_path):
    told = sallyport("run", "--config", str(tmp_path / "nowhere.yaml"))
    assert told.returncode in (1, 2)
    assert "nowhere.yaml" in told.stderr


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
@pytest.mark.parametrize("what", ["bundle_file", "certificate_file", "private_key_file", "jwks_file"])
def test_empty_or_garbage_trust_prevents_a_start(world, upstream, tmp_path, what, content):
    """A gateway never starts into a weaker state than was asked for."""
    file = tmp_path / "broken"
    file.write_bytes(content)
    configuration = world.configuration(upstream.url)
    holder = {
        "bundle_file": configuration["listeners"][0]["clients"]["trust_domains"][0],
        "certificate_file": configuration["listeners"][0]["tls"]["certificates"][0],
        "private_key_file": configuration["listeners"][0]["tls"]["certificates"][0],
        "jwks_file": configuration["issuers"][0],
    }[what]
    holder[what] = str(file)
    code, said = run(tmp_path, configuration)
    assert code in (1, 2)
    assert what in said
    assert sallyport("check", "--config", str(tmp_path / "sallyport.yaml")).returncode == 1


def test_a_key_of_another_certificate_prevents_a_start(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    configuration["listeners"][0]["tls"]["certificates"][0]["private_key_file"] = str(world.agent.key_file)
    code, said = run(tmp_path, configuration)
    assert code in (1, 2)
    assert "private_key_file" in said or "key" in said


# Health


@pytest.mark.parametrize(("path", "status"), [("/healthz", 200), ("/readyz", 200), ("/", 404), ("/orders/42", 404)])
def test_the_observability_address_tells_health_and_nothing_else(gateway, path, status):
    assert gateway.observe(path) == status


def test_the_observability_address_survives_garbage(gateway):
    host, _, port = gateway.configuration["observability"]["address"].rpartition(":")
    for garbage in (
        b"\0" * 100,
        b"GET / HTTP/1.1\r\n" * 5000,
        b"POST /healthz HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), PATIENCE) as connection:
            try:
                connection.sendall(garbage)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(1 << 16):
                    pass
            except OSError:
                pass
    assert gateway.observe("/healthz") == 200


def test_it_runs_without_an_observability_address(world, upstream, reach, tmp_path):
    configuration = world.configuration(upstream.url)
    del configuration["observability"]
    gateway = Gateway(tmp_path, configuration)
    gateway.observe = lambda path: None if is_refused(gateway) else 200
    gateway.start()
    assert reach(gateway).http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent)).status == 200
    assert gateway.stop() == 0


def test_workers_may_be_set_by_the_environment(world, upstream, reach, tmp_path):
    configuration = world.configuration(upstream.url)
    del configuration["workers"]
    gateway = Gateway(tmp_path, configuration).start(environment={"SALLYPORT_WORKERS": "3"})
    for _ in range(12):
        assert reach(gateway).http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent)).status == 200
    assert gateway.stop() == 0


def test_a_listener_may_be_a_unix_socket(world, upstream, tmp_path):
    """Mutual TLS over it too."""
    path = tmp_path / "agents.sock"
    configuration = world.configuration(upstream.url)
    configuration["listeners"][0] |= {"address": f"unix:{path}", "origins": ["https://localhost"]}
    gateway = Gateway(tmp_path, configuration).start()
    context = ssl.create_default_context(cafile=str(world.servers.file))
    context.load_cert_chain(world.agent.chain_file, world.agent.key_file)
    with socket.socket(socket.AF_UNIX) as plain:
        plain.settimeout(PATIENCE)
        plain.connect(str(path))
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            token = world.broker.token(world.agent)
            connection.sendall(
                f"GET /any/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
            )
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")
    assert gateway.stop() == 0


def test_a_listener_may_have_an_ipv6_address(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    port = free_port()
    configuration["listeners"][0] |= {"address": f"[::1]:{port}", "origins": [f"https://localhost:{port}"]}
    gateway = Gateway(tmp_path, configuration).start()
    told = curl(
        *(world.servers.file, world.agent, "--resolve", f"localhost:{port}:[::1]"),
        *("-H", f"Authorization: Bearer {world.broker.token(world.agent)}", f"https://localhost:{port}/any/a"),
    )
    assert " 200" in told.stdout.partition("\n")[0], told.stderr
    assert 'for="[::1]' in upstream.request.header("forwarded")
    assert gateway.wait(lambda: gateway.events("request.allowed"), "the record")[0]["peer"].startswith("[::1]:")
    assert gateway.stop() == 0


def test_two_listeners_are_served(world, upstream, reach, tmp_path):
    configuration = world.configuration(upstream.url)
    first = configuration["listeners"][0]
    port = free_port()
    configuration["listeners"].append(
        {**first, "name": "second", "address": f"127.0.0.1:{port}", "origins": [f"https://localhost:{port}"]}
    )
    gateway = Gateway(tmp_path, configuration).start()
    token = world.broker.token(world.agent)
    assert reach(gateway).http1(world.agent).call("GET", "/any/a", token).status == 200
    second = reach(gateway)
    second.port = port
    told = second.http2(world.agent).call("GET", "/any/a", token)
    assert told.status == 200
    assert gateway.record(told.request_id, "request.allowed")["listener"] == "second"
    assert gateway.stop() == 0


def test_the_binary_tells_its_version():
    told = sallyport("--version")
    assert told.returncode == 0 and told.stdout.strip()
    assert BINARY.exists()
