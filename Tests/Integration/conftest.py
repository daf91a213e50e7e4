"""What the tests share: a world of credentials, upstreams, and gateways that are stopped and looked at afterwards."""

import copy
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from clients import Client
from credentials import AUDIENCE, ISSUER, TRUST_DOMAIN, Authority, Broker
from gateway import BINARY, Gateway, listener, observability
from ports import free_port
from upstreams import Nginx, Upstream


def pytest_sessionstart():
    if not BINARY.exists():
        pytest.exit(f"there is no {BINARY}: build it, or name one in SALLYPORT_BINARY", returncode=2)


class World:
    """The authorities, a server's certificate, a broker and two agents; one for each process of the tests."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.agents = Authority(directory)
        self.servers = Authority(directory, "servers-ca", uri=None)
        self.server = self.servers.server("localhost", "gateway.example.test")
        self.broker = Broker()
        self.jwks_file = self.write("broker.jwks.json", self.broker.jwks())
        self.agent = self.agents.agent()
        self.other = self.agents.agent("/agent/task-2/instance-2")

    def write(self, name: str, text: str) -> Path:
        file = self.directory / name
        file.write_text(text)
        return file

    @property
    def trust(self) -> list[dict]:
        return [{"name": TRUST_DOMAIN, "bundle_file": str(self.agents.file)}]

    def issuer(self, **changes) -> dict:
        issuer = {
            "issuer": ISSUER,
            "profile": "oauth",
            "audiences": [AUDIENCE],
            "jwks_file": str(self.jwks_file),
            "algorithms": list(self.broker.keys),
        }
        return {**issuer, **changes}

    def configuration(self, upstream: str, routes: list[dict] | None = None, **sections) -> dict:
        """A whole configuration, free to be changed; `sections` replace those of the same name."""
        configuration = {
            "workers": 2,
            "listeners": [listener(free_port(), self.server, self.trust)],
            "issuers": [self.issuer()],
            "upstreams": [{"name": "service", "targets": [upstream]}],
            "routes": routes or [ORDERS, route("any", "/any/{rest...}")],
            "audit": {"directory": "audit"},
            "observability": observability(),
        }
        return copy.deepcopy({**configuration, **sections})


def route(name: str, path: str, methods=None, forward=None, **requirements) -> dict:
    """A route to the service; without `requirements` every token bound to the certificate will do."""
    match = {"path": path, **({"methods": methods} if methods else {})}
    require = {"issuers": [ISSUER], "possession": ["certificate"], **requirements}
    made = {"name": name, "match": match, "require": require, "upstream": "service"}
    return {**made, **({"forward": forward} if forward else {})}


ORDERS = route("read-order", "/orders/{order_id}", ["GET", "HEAD"], scope="read:orders:{order_id}")


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
    codes = {str(gateway.directory): gateway.stop() for gateway in started}
    assert not any(codes.values()), codes


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
