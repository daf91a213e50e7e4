"""Feeds of revocations: issuers that publish status lists, and transmitters of security events, over HTTPS."""

import itertools
import json
import threading
import time
import zlib

from credentials import Broker, base64url, mint, present
from upstreams import Upstream

CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
SSF = "https://schemas.openid.net/secevent/ssf/event-type/"
REVOKED = CAEP + "session-revoked"
CREDENTIAL_CHANGE = CAEP + "credential-change"
VERIFICATION = SSF + "verification"

TRANSMITTER = "https://signals.example.test"
RECEIVER = "https://gateway.example.test"


def packed(statuses: list[int], bits: int = 1) -> str:
    """`lst` of a status list: packed from the low end of each byte, compressed, encoded."""
    content = bytearray((len(statuses) * bits + 7) // 8)
    for place, status in enumerate(statuses):
        content[place * bits // 8] |= status << (place * bits % 8)
    return base64url(zlib.compress(bytes(content), 9))


class ListServer(Upstream):
    """Publishes status lists below `/lists/`, and counts who asks."""

    def __init__(self, identity, broker: Broker):
        super().__init__(identity)
        self.broker = broker
        self.lists: dict[str, list[int]] = {}
        self.claims: dict[str, object] = {}
        self.answer = self.serve

    def uri(self, name: str) -> str:
        return f"{self.url}/lists/{name}"

    @property
    def pattern(self) -> str:
        return self.uri("*")

    def token(self, name: str, header=None, **changes) -> str:
        claims = {
            "sub": self.uri(name),
            "iat": int(time.time()),
            "ttl": 1,
            "status_list": {"bits": 2, "lst": packed(self.lists[name], 2)},
        }
        parameters = present({"typ": "statuslist+jwt", "alg": "ES256", "kid": "ES256", **(header or {})})
        claims = present({**claims, **self.claims, **changes})
        return mint("joserfc", parameters, claims, self.broker.keys["ES256"], "ES256")

    def serve(self, opened, request) -> None:
        name = request.target.rpartition("/")[2]
        if name in self.lists:
            opened.answer(200, self.token(name).encode(), ("Content-Type", "application/statuslist+jwt"))
        else:
            opened.answer(404)

    def fetches(self, name: str) -> int:
        return sum(request.target == f"/lists/{name}" for request in self.requests)

    def await_fetch(self, name: str) -> None:
        """Returns when the list was asked for after this call, and once more, so that the first answer has arrived."""
        before = self.fetches(name)
        self.wait(lambda: self.fetches(name) >= before + 2, f"two fetches of {name}")


def status(uri: str, place: int) -> dict:
    """The claim of a token whose status is there."""
    return {"status_list": {"idx": place, "uri": uri}}


class EventSigner:
    """Makes security event tokens."""

    def __init__(self, issuer: str = TRANSMITTER, audience: str = RECEIVER):
        self.broker = Broker(issuer, ("ES256",))
        self.audience = audience
        self.numbers = itertools.count(1)

    def token(self, subject: dict, event: str = REVOKED, content=None, header=None, **changes) -> tuple[str, str]:
        """A token about a subject, and its `jti`."""
        identifier = f"event-{next(self.numbers)}"
        claims = {
            "iss": self.broker.issuer,
            "aud": self.audience,
            "iat": int(time.time()),
            "jti": identifier,
            "sub_id": subject,
            "events": {event: content or {}},
        }
        parameters = present({"typ": "secevent+jwt", "alg": "ES256", "kid": "ES256", **(header or {})})
        claims = present({**claims, **changes})
        return mint("joserfc", parameters, claims, self.broker.keys["ES256"], "ES256"), identifier

    def verification(self) -> tuple[str, str]:
        return self.token({"format": "opaque", "id": "stream-1"}, VERIFICATION, {"state": "s"})


def opaque(name: str) -> dict:
    return {"format": "opaque", "id": name}


def uri(name: str) -> dict:
    return {"format": "uri", "uri": name}


def jwt_id(issuer: str, identifier: str) -> dict:
    return {"format": "jwt_id", "iss": issuer, "jti": identifier}


def complex_subject(**members) -> dict:
    return {"format": "complex", **members}


class Transmitter(Upstream):
    """Hands out security events to whoever asks for them (RFC 8936)."""

    AUTHORIZATION = "Bearer of-the-stream"

    def __init__(self, identity, signer: EventSigner):
        super().__init__(identity)
        self.signer = signer
        self.guard = threading.Lock()
        self.waiting: dict[str, str] = {}
        self.acknowledged: list[str] = []
        self.refused: dict[str, dict] = {}
        self.polls: list[dict] = []
        self.largest = 100
        self.answer = self.serve

    @property
    def location(self) -> str:
        return f"{self.url}/poll"

    def offer(self, token: str, identifier: str) -> str:
        with self.guard:
            self.waiting[identifier] = token
        return identifier

    def emit(self, subject: dict, *arguments, **options) -> str:
        """Has an event handed out; gives its `jti`."""
        return self.offer(*self.signer.token(subject, *arguments, **options))

    def await_end(self, identifier: str) -> None:
        """Returns when the receiver has acknowledged or refused an event."""
        self.wait(lambda: identifier in self.acknowledged or identifier in self.refused, f"the end of {identifier}")

    def await_poll(self) -> None:
        """Returns when the receiver has asked twice more."""
        before = len(self.polls)
        self.wait(lambda: len(self.polls) >= before + 2, "two polls")

    def serve(self, opened, request) -> None:
        opened.read_body(request)
        if request.header("authorization") != self.AUTHORIZATION:
            return opened.answer(401)
        poll = json.loads(request.body)
        with self.guard:
            for identifier in poll.get("ack", []):
                self.waiting.pop(identifier, None)
                self.acknowledged.append(identifier)
            for identifier, error in poll.get("setErrs", {}).items():
                self.waiting.pop(identifier, None)
                self.refused[identifier] = error
            room = min(self.largest, poll.get("maxEvents", self.largest))
            sets = dict(itertools.islice(self.waiting.items(), room))
            more = len(self.waiting) > len(sets)
        self.tell(self.polls, poll)
        answer = {"sets": sets, **({"moreAvailable": True} if more else {})}
        opened.answer(200, json.dumps(answer).encode(), ("Content-Type", "application/json"))


def push(connection, path: str, token: str, authorization: str | None = None, kind="application/secevent+jwt"):
    """Delivers an event over a connection (RFC 8935); gives the answer."""
    fields = [("Content-Type", kind), ("Accept", "application/json")]
    if authorization is not None:
        fields.append(("Authorization", authorization))
    return connection.call("POST", path, fields=fields, body=token.encode())

