"""What the gateway forwards means the same to everybody: to h11, to both of aiohttp's parsers and to nginx.

Hostile messages come from a seed, in a bounded time. A failure names the seed and the number of the case: with the same seed,
the same messages come again.

    SALLYPORT_HOSTILE_SEED     the seed; by default always the same
    SALLYPORT_HOSTILE_SECONDS  for how long each of the two generators runs; by default 10
"""

import os
import socket
import ssl
import time
from collections import Counter
from urllib.parse import unquote_to_bytes as unquote

import pytest

from hostile import Hostile
from parsers import Aiohttp, Misread, h11_answer, h11_requests, nginx_requests
from upstreams import echo
from wire import Closed, MessageReader

SEED = int(os.environ.get("SALLYPORT_HOSTILE_SEED", "1"))
SECONDS = float(os.environ.get("SALLYPORT_HOSTILE_SECONDS", "10"))
METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"}  # that llhttp and nginx read as any other


@pytest.fixture(scope="module")
def aiohttp():
    parsers = Aiohttp()
    yield parsers
    parsers.close()


def exchange(client, agent, sent: bytes, methods=()) -> bytes:
    """Sends bytes on a connection of their own and gives all that comes until the gateway closes.

    Our side is ended once there is an answer to each request that these methods are of.
    """
    connection = client.http1(agent).socket
    received, ended = bytearray(), False
    try:
        connection.sendall(sent)
        while True:
            if not ended and len(answers(received, methods)) >= len(methods):
                # Of the socket below: that of TLS would forget its keys.
                socket.socket.shutdown(connection, socket.SHUT_WR)
                ended = True
            piece = connection.recv(1 << 16)
            if not piece:
                break
            received += piece
    except (ssl.SSLError, ConnectionError):
        pass
    connection.close()
    return bytes(received)


def answers(received: bytes, methods) -> list:
    """The answers in what the gateway sent; an unfinished last one is left out."""
    here, there = socket.socketpair()
    with here, there:
        here.sendall(received)
        here.shutdown(socket.SHUT_WR)
        reader, found = MessageReader(there), []
        try:
            while True:
                found.append(reader.response(methods[len(found)] if len(found) < len(methods) else "GET"))
        except (Closed, IndexError):
            return found


def forwarded_streams(upstream) -> list[bytes]:
    """What each connection of the upstream was sent since it was cleared; those that were cut short have ended."""
    streams = []
    for connection in list(upstream.connections):
        if not all(message.is_whole for message in h11_requests(connection.received)):
            upstream.wait(lambda connection=connection: not connection.is_open, "a request that was given up")
        if connection.received:
            streams.append(connection.received)
    return streams


def agreed_requests(stream: bytes, aiohttp: Aiohttp, nginx) -> list:
    """The requests in what the gateway wrote, once everybody sees the same."""
    # A head that is not whole yet is none to the others.
    seen = [message for message in h11_requests(stream) if message.start[0]]
    are_known = METHODS.issuperset(message.start[0] for message in seen)
    for in_python in (False, True) if are_known else (True,):
        others = aiohttp.requests(stream, in_python)
        assert len(others) == len(seen), stream
        for one, other in zip(seen, others):
            # The parser in Python writes methods in capitals.
            method = one.start[0].upper() if in_python else one.start[0]
            assert other.start == (method, one.start[1]), stream
            assert (other.fields, other.body, other.is_whole) == (one.fields, one.body, one.is_whole), stream
    whole = [message for message in seen if message.is_whole]
    if are_known and len(whole) == len(seen):
        methods = [message.start[0].decode() for message in whole]
        told = nginx_requests(nginx.port, stream, methods)
        expected = [(200, b"" if m == "HEAD" else b" ".join(s.start)) for m, s in zip(methods, whole)]
        assert told == expected
    return seen


def reference(sent: bytes) -> list:
    """What h11 makes of what the client sent, as far as it goes."""
    try:
        return h11_requests(sent)
    except Misread as fault:
        return fault.args[1]


BATCH = 40


def test_hostile_requests_mean_the_same_to_everybody(client, world, upstream, nginx, aiohttp):
    """What was forwarded is what h11 saw in the clients' bytes, though not all of that.

    It is looked at after a number of cases: a request that was given up comes when it comes.
    """
    generator, outcomes, wanted = Hostile(SEED), Counter(), []
    until, number = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        number += 1
        sent = generator.requests(f"localhost:{client.port}", world.broker.token(world.agent), number)
        expected = reference(sent)
        wanted += expected
        methods = [message.start[0].decode("latin-1") for message in expected if message.is_whole]
        told = exchange(client, world.agent, sent, methods)
        found = answers(told, methods)
        case = f"seed {SEED}, case {number}: {sent!r}\nanswered {told!r}"
        assert len(found) <= len(expected) + 1, case
        assert all(answer.status != 500 for answer in found), case
        outcomes.update(answer.status for answer in found)
        if number % BATCH == 0:
            outcomes["forwarded"] += settle(client, world, upstream, nginx, aiohttp, wanted)
            wanted = wanted[-20:]
    assert number > BATCH and outcomes["forwarded"] > number / 5 and outcomes[400] > number / 20, outcomes


def settle(client, world, upstream, nginx, aiohttp, wanted: list) -> int:
    """Takes off `wanted` what the upstream was sent, which must be there, and tells how much it was."""
    for _ in range(5):
        connection = client.http1(world.agent)
        assert connection.call("GET", "/any/settled", world.broker.token(world.agent)).status == 200
        connection.close()
    count = 0
    for stream in forwarded_streams(upstream):
        for message in agreed_requests(stream, aiohttp, nginx):
            if message.start[1] == b"/any/settled":
                continue
            same = [other for other in wanted if same_request(message, other)]
            assert same, f"seed {SEED}, case {message.all(b'x-case')}: nobody sent {message}"
            wanted.remove(same[0])
            count += 1
    upstream.clear()
    return count


def same_request(message, other) -> bool:
    """Whether a forwarded request is that which a parser saw in the client's bytes."""
    # Escapes that need not be are undone where the request is judged.
    if (message.start[0], unquote(message.start[1])) != (other.start[0], unquote(other.start[1])):
        return False
    body = message.body == other.body if message.is_whole and other.is_whole else other.body.startswith(message.body)
    # A field that the connection names ends here.
    return body and all(message.all(name) in (other.all(name), []) for name in (b"x-case", b"x-color"))


def test_hostile_answers_mean_the_same_to_everybody(client, world, upstream, aiohttp):
    generator, outcomes = Hostile(SEED), Counter()
    until, number = time.monotonic() + SECONDS, 0
    token = world.broker.token(world.agent)
    head = f"GET /any/a HTTP/1.1\r\nHost: localhost:{client.port}\r\nAuthorization: Bearer {token}\r\n"
    request = (head + "Connection: close, te\r\nTE: trailers\r\n\r\n").encode()
    while time.monotonic() < until:
        number += 1
        upstream.clear()
        raw = generator.answer()

        def answer(opened, request, raw=raw):
            opened.send(raw)
            opened.close()

        upstream.answer = answer
        case = f"seed {SEED}, case {number}: {raw!r}"
        told = exchange(client, world.agent, request, ["GET"])
        seen = h11_answer(told)
        if not told:
            # Content that breaks off or breaks a rule takes the answer with it, sometimes before its head is on its way.
            outcomes["cut"] += 1
            continue
        assert seen, f"{case}\nno answer: {told!r}"
        for in_python in (False, True):
            other = aiohttp.answer(told, in_python)
            assert (other.start, other.fields, other.body) == (seen.start, seen.fields, seen.body), case
            assert other.is_whole == seen.is_whole, case
        outcomes[seen.start[0]] += 1
        if seen.start == (502,):
            continue
        try:
            meant = h11_answer(raw)
        except Misread as fault:
            meant = fault.args[1]
        assert meant and meant.start == seen.start, f"{case}\nbecame {told!r}"
        same = seen.body == meant.body if seen.is_whole and meant.is_whole else meant.body.startswith(seen.body)
        assert same, f"{case}\nbecame {told!r}"
    upstream.answer = echo
    assert number > 20 and outcomes[200] > number / 10 and outcomes[502] > number / 20 and outcomes["cut"] < number / 10, outcomes


# Single messages, each of which somebody is known to have read otherwise

ACCEPTED = {
    "plain": (b"GET", b"", b"", b""),
    "a length": (b"POST", b"Content-Length: 5", b"hello", b"hello"),
    "zeros before a length": (b"POST", b"Content-Length: 0005", b"hello", b"hello"),
    "a request as content": (b"POST", b"Content-Length: 32", b"GET /any/a HTTP/1.1\r\nHost: a\r\n\r\n", None),
    "chunks": (b"POST", b"Transfer-Encoding: chunked", b"2;a=\"\\\"\"\r\nhe\r\n03\r\nllo\r\n0\r\nX: y\r\n\r\n", b"hello"),
    "capitals": (b"POST", b"TRANSFER-ENCODING:CHUNKED", b"5\r\nhello\r\n0\r\n\r\n", b"hello"),
    "content of a GET": (b"GET", b"Content-Length: 5", b"hello", b"hello"),
    "a length that the connection names": (b"POST", b"Connection: content-length\r\nContent-Length: 5", b"hello", b"hello"),
    "chunks that the connection names": (
        b"POST", b"Connection: transfer-encoding\r\nTransfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n", b"hello",
    ),
    "an underscore": (b"POST", b"Content-Length: 5\r\nTransfer_Encoding: chunked", b"hello", b"hello"),
    "another protocol": (b"GET", b"Connection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk", b"", b""),
    "bytes beyond ASCII": (b"GET", b"X-Color: \xe9\xff\xa0", b"", b""),
}  # fmt: skip


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_forwarded_means_the_same_to_everybody(client, world, upstream, nginx, aiohttp, case):
    method, fields, content, body = ACCEPTED[case]
    lines = [f"Host: localhost:{client.port}", f"Authorization: Bearer {world.broker.token(world.agent)}"]
    head = method + b" /any/a?b=c HTTP/1.1\r\n" + "\r\n".join([*lines, ""]).encode() + fields + b"\r\n" * bool(fields)
    told = exchange(client, world.agent, head + b"\r\n" + content, [method.decode()])
    assert answers(told, [method.decode()])[0].status == 200
    (stream,) = forwarded_streams(upstream)
    (message,) = agreed_requests(stream, aiohttp, nginx)
    assert message.is_whole
    assert message.start == (method, b"/any/a?b=c")
    assert message.body == (content if body is None else body)
    assert b"transfer_encoding" not in [name for name, _ in message.fields]
    framing = [name for name, _ in message.fields if name in (b"content-length", b"transfer-encoding")]
    assert len(framing) == (1 if content else 0)
