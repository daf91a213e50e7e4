"""A client of the admin API, over the Unix socket or over TLS."""

import dataclasses
import http.client
import json
import socket
import ssl
from pathlib import Path
from urllib.parse import urlencode

from gateway import Gateway, sallyport
from wire import PATIENCE

# The section `admin` that a configuration gets; the path starts beside it.
ADMIN = {"address": "unix:run/admin.sock"}


class UnixConnection(http.client.HTTPConnection):
    """An HTTP connection to the path of a Unix socket."""

    def __init__(self, path: Path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self.path))


@dataclasses.dataclass
class AdminAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def detail(self) -> str:
        """What a refusal says to the operator."""
        assert self.headers["content-type"] == "application/problem+json", self
        problem = self.json
        assert problem["status"] == self.status
        assert problem["type"].startswith("urn:sallyport:admin:")
        return problem["detail"]


class Admin:
    """The admin API of a gateway; one connection that stays."""

    def __init__(self, gateway: Gateway, identity=None, authority: Path | None = None):
        """`identity` (a certificate's owner) and `authority` (a file) are for an address on a port."""
        self.gateway = gateway
        self.address = gateway.configuration["admin"]["address"]
        self.identity = identity
        self.authority = authority
        self.connection = self.connect()

    @property
    def path(self) -> Path:
        """The Unix socket."""
        return self.gateway.directory / self.address.removeprefix("unix:")

    def connect(self) -> http.client.HTTPConnection:
        if self.address.startswith("unix:"):
            return UnixConnection(self.path)
        context = ssl.create_default_context(cafile=str(self.authority))
        if self.identity is not None:
            context.load_cert_chain(str(self.identity.chain_file), str(self.identity.key_file))
        port = int(self.address.rpartition(":")[2])
        return http.client.HTTPSConnection("localhost", port, context=context, timeout=PATIENCE)

    def call(self, method: str, path: str, body=None, headers=None) -> AdminAnswer:
        """One request; `body` is sent as JSON unless it is bytes."""
        fields = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            fields.setdefault("Content-Type", "application/json")
        self.connection.request(method, path, body, fields)
        response = self.connection.getresponse()
        content = response.read()
        return AdminAnswer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)

    def close(self) -> None:
        self.connection.close()

    def expect(self, status: int, method: str, path: str, body=None) -> AdminAnswer:
        answer = self.call(method, path, body)
        assert answer.status == status, answer
        return answer

    # What the API offers

    def revoke(self, level: str, value: str, **members) -> dict:
        """Revokes and returns the receipt: `id`, `effective_at`, `connections_closed`."""
        return self.expect(201, "POST", "/v1/revocations", {"level": level, "value": value, **members}).json

    def preview(self, level: str, value: str, **members) -> dict:
        """What it would hit: `connections`, `calls`, `agents`, `agent_count`."""
        body = {"level": level, "value": value, **members}
        return self.expect(200, "POST", "/v1/revocations?preview=true", body).json

    def revocations(self, **query) -> list[dict]:
        """Everything that is revoked, page by page; `query`: `level`, `source`, `limit`."""
        found = []
        while True:
            page = self.expect(200, "GET", "/v1/revocations" + ("?" + urlencode(query) if query else "")).json
            found += page["revocations"]
            if "next" not in page:
                return found
            query = {**query, "after": page["next"]}

    def unrevoke(self, identifier: str) -> None:
        self.expect(204, "DELETE", f"/v1/revocations/{identifier}")

    def issuers(self) -> list[dict]:
        return self.expect(200, "GET", "/v1/issuers").json["issuers"]

    def status(self) -> dict:
        return self.expect(200, "GET", "/v1/status").json

    def reload(self) -> AdminAnswer:
        """200, or 400 with the faults."""
        return self.call("POST", "/v1/reload")

    def drain(self) -> dict:
        return self.expect(202, "POST", "/v1/drain").json


def command(gateway: Gateway, *arguments: str):
    """Runs `sallyport revoke …` or the like for that gateway."""
    return sallyport(arguments[0], "--config", str(gateway.file), *arguments[1:])
