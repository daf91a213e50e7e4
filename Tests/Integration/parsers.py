"""Parsers of HTTP/1.1 that others have written, to say what a stream of bytes means to them."""

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field

import h11
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy, HttpResponseParser, HttpResponseParserPy

from wire import PATIENCE, MessageReader


class Misread(Exception):
    """A parser takes the bytes for nothing that HTTP allows."""


@dataclass
class Seen:
    """A message as one parser sees it."""

    start: tuple  # method and target, or the status
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)  # names in lower case
    body: bytes = b""
    trailers: list[tuple[bytes, bytes]] | None = None  # None where the parser does not tell
    is_whole: bool = False

    def all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.fields if key == name]


def lines(pairs) -> list[tuple[bytes, bytes]]:
    return [(bytes(name).lower(), bytes(value)) for name, value in pairs]


def h11_requests(data: bytes) -> list[Seen]:
    """The requests in what a client sent, the last of which may not be whole.

    A fault raises `Misread`, whose second argument is what was seen before.
    """
    seen = []
    try:
        while data:
            message, data = h11_request(data)
            seen.append(message)
    except h11.ProtocolError as fault:
        raise Misread(str(fault), seen) from fault
    return seen


def h11_request(data: bytes) -> tuple[Seen, bytes]:
    """The first request and what is behind it; nothing is, where it is the connection's last."""
    connection, seen, stays = h11.Connection(h11.SERVER, 1 << 20), Seen((b"", b"")), False
    connection.receive_data(data)
    while (event := connection.next_event()) is not h11.NEED_DATA:
        match event:
            case h11.Request():
                seen = Seen((event.method, event.target), lines(event.headers))
                # H11 does not know that HTTP/1.0 has this too.
                options = [value.strip().lower() for value in b",".join(seen.all(b"connection")).split(b",")]
                stays = event.http_version == b"1.0" and b"keep-alive" in options and b"close" not in options
            case h11.Data():
                seen.body += bytes(event.data)
            case h11.EndOfMessage():
                seen.trailers, seen.is_whole = lines(event.headers), True
                # RFC 9112 §2.2 forgives an empty line, h11 does not.
                behind = connection.trailing_data[0].removeprefix(b"\r\n")
                return seen, b"" if connection.their_state is h11.MUST_CLOSE and not stays else behind
    return seen, b""


def h11_answer(data: bytes) -> Seen | None:
    """The answer to a GET in what a server sent until it closed; nothing where there is none that is final."""
    connection, seen = h11.Connection(h11.CLIENT, 1 << 20), None
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "a"), ("connection", "close")]))
    connection.send(h11.EndOfMessage())
    for received in (data, b""):
        try:
            connection.receive_data(received)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                match event:
                    case h11.Response():
                        seen = Seen((event.status_code,), lines(event.headers))
                    case h11.Data():
                        seen.body += bytes(event.data)
                    case h11.EndOfMessage():
                        seen.trailers, seen.is_whole = lines(event.headers), True
                        return seen
                    case h11.ConnectionClosed():
                        return seen
        except h11.ProtocolError as fault:
            if received:
                raise Misread(str(fault), seen) from fault
    return seen


class Aiohttp:
    """Aiohttp's parsers: the one in C, which is llhttp, and the one in Python."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.loop.close()

    def requests(self, data: bytes, in_python: bool) -> list[Seen]:
        kind = HttpRequestParserPy if in_python else HttpRequestParser
        messages = self._feed(kind, data, ended=False)
        return [
            Seen((message.method.encode(), message.path.encode("utf-8", "surrogateescape")), *self._rest(message, payload))
            for message, payload in messages
        ]

    def answer(self, data: bytes, in_python: bool) -> Seen | None:
        kind = HttpResponseParserPy if in_python else HttpResponseParser
        messages = self._feed(kind, data, ended=True, read_until_eof=True)
        finals = [(message, payload) for message, payload in messages if message.code >= 200]
        if not finals:
            return None
        message, payload = finals[0]
        return Seen((message.code,), *self._rest(message, payload))

    def _feed(self, kind, data: bytes, ended: bool, **options):
        protocol = BaseProtocol(self.loop)
        parser = kind(
            protocol, self.loop, 1 << 20, max_line_size=1 << 20, max_field_size=1 << 20, max_headers=1 << 10,
            auto_decompress=False, **options,
        )  # fmt: skip
        try:
            messages, _, _ = parser.feed_data(data)
        except HttpProcessingError as fault:
            raise Misread(repr(fault)) from fault
        if ended:
            # What was cut short is known by its payload.
            with contextlib.suppress(HttpProcessingError):
                parser.feed_eof()
        return messages

    def _rest(self, message, payload):
        body = b"".join(getattr(payload, "_buffer", ()))
        whole = payload.is_eof() and payload.exception() is None
        return lines(message.raw_headers), body, None, whole


def nginx_requests(port: int, data: bytes, methods: list[str]) -> list[tuple[int, bytes]]:
    """What nginx answers to a stream that should hold a request of each of these methods: statuses and contents."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.sendall(data)
        reader = MessageReader(connection)
        answers = [reader.response(method) for method in methods]
        connection.shutdown(socket.SHUT_WR)
        assert reader.at_end(), "nginx sees one request more"
        return [(answer.status, answer.body) for answer in answers]
