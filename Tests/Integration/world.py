"""The credentials and configurations that the tests start from."""

import copy
from pathlib import Path

from credentials import AUDIENCE, ISSUER, TRUST_DOMAIN, Authority, Broker
from gateway import listener, observability
from ports import free_port


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
