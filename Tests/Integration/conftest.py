"""What the tests share: a world of credentials, upstreams, and gateways that are stopped and looked at afterwards."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from clients import Client
from gateway import BINARY, Gateway
from upstreams import Nginx, Upstream
from world import World


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}: build it, or name one in SALLYPORT_BINARY", returncode=2)


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> World:
    return World(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def the_upstream():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(the_upstream) -> Upstream:
    """The scriptable upstream, with nothing received yet."""
    the_upstream.clear()
    return the_upstream


@pytest.fixture(scope="session")
def nginx(tmp_path_factory):
    server = Nginx(tmp_path_factory.mktemp("nginx"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """Starts gateways; at the end of the module each is stopped, which must go without a fault."""
    started = []

    def launch(configuration: dict, **options) -> Gateway:
        gateway = Gateway(tmp_path_factory.mktemp("gateway"), configuration)
        started.append(gateway)
        return gateway.start(**options)

    yield launch
    faults = [fault for gateway in started if (fault := fault_at_end(gateway))]
    assert not faults, "\n".join(faults)


def fault_at_end(gateway: Gateway) -> str | None:
    """Stops a gateway and tells what was wrong with its end."""
    try:
        code = gateway.stop()
    except AssertionError as fault:
        return str(fault)
    return f"{gateway.directory} ended with {code}:\n{gateway.said}" if code else None


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch) -> Gateway:
    """The gateway of a module, which may define its own."""
    return launch(world.configuration(the_upstream.url))


@pytest.fixture
def reach(world):
    """A client for a gateway, whose connections are closed after the test."""
    clients = []

    def reach(gateway: Gateway) -> Client:
        clients.append(Client(gateway.port, world.servers.file))
        return clients[-1]

    yield reach
    for client in clients:
        client.close()


@pytest.fixture
def client(gateway, reach) -> Client:
    return reach(gateway)


@pytest.fixture(params=["http/1.1", "h2"])
def protocol(request) -> str:
    return request.param


@pytest.fixture
def connection(client, protocol, world):
    """A connection of the agent, over each protocol."""
    return client.open(protocol, world.agent)
