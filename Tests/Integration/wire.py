"""HTTP/1.1 messages read from a socket, for the clients and for the upstream that stands in for a service."""

import hashlib
import io
import json
import os
import socket
from dataclasses import dataclass, field

PATIENCE = int(os.environ.get("SALLYPORT_PATIENCE", "20"))  # seconds that anything may take before a test is failed
KEPT = 1 << 20  # bytes of a body that are kept; the rest is only hashed


class Closed(Exception):
    """The peer closed the connection where a message should have been."""


@dataclass
class Message:
    """A head with whatever body came after it. Names of fields are as they were written."""

    start_line: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""  # its first mebibyte
    body_bytes: int = 0
    body_sha256: str = hashlib.sha256().hexdigest()
    trailers: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The only value of a field; fails if it was sent more than once."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def names(self) -> list[str]:
        return [name.lower() for name, _ in self.fields]

    @property
    def json(self) -> dict:
        return json.loads(self.body)


@dataclass
class Request(Message):
    @property
    def method(self) -> str:
        return self.start_line.split(" ")[0]

    @property
    def target(self) -> str:
        return self.start_line.split(" ")[1]


@dataclass
class Response(Message):
    status: int = 0

    @property
    def problem(self) -> dict:
        """The body of an error, which must be of the shape of RFC 9457."""
        assert self.header("content-type") == "application/problem+json"
        return self.json

    @property
    def code(self) -> str:
        return self.problem["type"].removeprefix("urn:sallyport:")

    @property
    def challenges(self) -> list[str]:
        return self.all("www-authenticate")

    @property
    def request_id(self) -> str:
        return self.header("x-request-id")


class RecordingSocket(io.RawIOBase):
    """Reads from a socket and keeps the first mebibyte of what came."""

    def __init__(self, connection: socket.socket):
        self.connection = connection
        self.received = bytearray()

    def readable(self):
        return True

    def readinto(self, buffer):
        count = self.connection.recv_into(buffer)
        room = KEPT - len(self.received)
        if room > 0:
            self.received += memoryview(buffer)[: min(count, room)]
        return count


class MessageReader:
    """Reads messages one by one from a connection."""

    def __init__(self, connection: socket.socket):
        self.raw = RecordingSocket(connection)
        self.stream = io.BufferedReader(self.raw, 1 << 16)

    def line(self) -> str:
        line = self.stream.readline()
        if not line.endswith(b"\n"):
            raise Closed(f"closed after {line!r}")
        return line.rstrip(b"\r\n").decode("latin-1")

    def fields(self) -> list[tuple[str, str]]:
        fields = []
        while line := self.line():
            name, _, value = line.partition(":")
            fields.append((name, value.strip()))
        return fields

    def request_head(self) -> Request:
        return Request(self.line(), self.fields())

    def response(self, to_method: str = "GET", interim: bool = False) -> Response:
        """The next response with its body; interim ones (1xx) are passed over unless asked for."""
        while True:
            start_line = self.line()
            response = Response(start_line, self.fields(), status=int(start_line.split(" ")[1]))
            if response.status >= 200:
                break
            if interim:
                return response
        if to_method != "HEAD" and response.status not in (204, 304):
            self.read_body(response, until_close=True)
        return response

    def read_body(self, message: Message, until_close: bool = False) -> None:
        digest, kept = hashlib.sha256(), bytearray()
        message.body_bytes = 0
        for piece in self.pieces(message, until_close):
            digest.update(piece)
            message.body_bytes += len(piece)
            if len(kept) < KEPT:
                kept += piece
        message.body, message.body_sha256 = bytes(kept), digest.hexdigest()

    def pieces(self, message: Message, until_close: bool = False):
        if "chunked" in (message.header("transfer-encoding") or ""):
            while size := int(self.line().split(";")[0], 16):
                yield from self.exactly(size)
                self.line()
            message.trailers = self.fields()
        elif (length := message.header("content-length")) is not None:
            yield from self.exactly(int(length))
        elif until_close:
            while piece := self.stream.read1(1 << 16):
                yield piece

    def exactly(self, count: int):
        while count:
            piece = self.stream.read1(min(count, 1 << 16))
            if not piece:
                raise Closed(f"closed {count} bytes before the end of a body")
            count -= len(piece)
            yield piece

    def at_end(self) -> bool:
        """Waits for one byte more or for the end, and says whether it is the end."""
        try:
            return not self.stream.read1(1)
        except ConnectionError:
            return True
