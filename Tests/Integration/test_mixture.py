"""Everything at once: clients and an upstream that behave and misbehave as a seed says, and reloads meanwhile.

Nothing is asserted of any single call. Afterwards the process must be well, the log whole, each allowed call completed
once, and no byte of one call may have been taken for the beginning of another.
"""

import collections
import random
import re
import secrets
import signal
import threading

import pytest

from clients import Client, GoneAway, StreamReset
from upstreams import Upstream, echo
from wire import Closed

CONNECTIONS, CALLERS = 150, 6
TARGETS = ["/any/a", "/any/b?x=1", "/orders/42", "/orders/7", "/none", "/any/%zz", "/any//x"]


def misbehaving(chance: random.Random):
    """An upstream's way to answer: mostly well."""

    def answer(opened, request):
        kind = chance.choice(
            ["echo"] * 12 + ["close", "reset", "early", "cut", "chunks", "empty", "garbage", "interim"]
        )
        if kind == "echo":
            echo(opened, request)
        elif kind == "interim":
            opened.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n")
            echo(opened, request)
        elif kind == "empty":
            opened.read_body(request)
            opened.send(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif kind == "chunks":
            opened.read_body(request)
            opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(chance.randrange(30)):
                size = chance.randrange(1, 70_000)
                opened.send(b"%x\r\n%s\r\n" % (size, bytes(size)))
            opened.send(b"0\r\n\r\n")
        else:
            if kind == "cut":
                opened.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + bytes(chance.randrange(400_000)))
            elif kind == "early":
                opened.answer(200, b"early")
            elif kind == "garbage":
                opened.send(b"garbage\r\n\r\n")
            opened.reset() if kind == "reset" else opened.close()

    return answer


class Caller(threading.Thread):
    """Opens connections and does on each what chance says."""

    def __init__(self, gateway, world, seed: int):
        super().__init__()
        self.chance = random.Random(seed)
        self.client = Client(gateway.port, world.servers.file)
        self.identities = [*[world.agent] * 8, world.other, None]
        broker = world.broker
        self.tokens = [*(broker.token(world.agent) for _ in range(8)), "garbage", None, broker.token(world.other)]
        self.statuses = collections.Counter()
        self.fault = None

    def run(self):
        for _ in range(CONNECTIONS):
            try:
                self.connect()
            except (OSError, Closed, StreamReset, GoneAway):
                self.statuses["refused below HTTP"] += 1
            except Exception as fault:
                self.fault = fault
            self.client.close()

    def connect(self):
        chance = self.chance
        if chance.random() < 0.05:
            return self.client.tcp().sendall(chance.choice([b"\x16\x03\x01", chance.randbytes(300)]))
        connection = self.client.open(chance.choice(["http/1.1", "h2"]), chance.choice(self.identities))
        for _ in range(chance.randrange(1, 8)):
            target, token = chance.choice(TARGETS), chance.choice(self.tokens)
            kind = chance.choice(["call", "call", "body", "many", "abandon", "garbage"])
            if kind == "call":
                told = connection.call(chance.choice(["GET", "HEAD", "POST", "PUT"]), target, token)
            elif kind == "body":
                told = connection.call("POST", target, token, body=bytes(chance.randrange(200_000)))
            elif kind == "many":
                told = self.many(connection, target, token)
            elif kind == "abandon":
                return self.abandon(connection, target, token)
            else:
                return connection.send(chance.randbytes(100))
            self.statuses[told.status] += 1

    def many(self, connection, target, token):
        if not hasattr(connection, "start"):
            connection.send(connection.head("GET", target, token) * 5)
            return [connection.reader.response() for _ in range(5)][-1]
        streams = [connection.start("GET", target, token) for _ in range(10)]
        for stream in streams[::3]:
            if stream not in connection.ended:
                connection.h2.reset_stream(stream, 8)
        connection.flush()
        return connection.response(streams[1])

    def abandon(self, connection, target, token):
        if hasattr(connection, "start"):
            stream = connection.start("POST", target, token, end=False)
            return connection.send_data(stream, bytes(1000), end=False)
        framing = self.chance.choice([("Content-Length", "100000"), ("Transfer-Encoding", "chunked")])
        connection.send(connection.head("POST", target, token, [framing]).encode() + b"5\r\nhelloxx")


@pytest.mark.parametrize("seed", [1, 2])
def test_a_mixture_leaves_everything_whole(world, launch, seed):
    upstream = Upstream()
    upstream.answer = misbehaving(random.Random(seed))
    gateway = launch(world.configuration(upstream.url))
    callers = [Caller(gateway, world, seed * 100 + number) for number in range(CALLERS)]
    for caller in callers:
        caller.start()
    while any(caller.is_alive() for caller in callers):
        gateway.signal(signal.SIGHUP)
        callers[secrets.randbelow(CALLERS)].join(0.2)
    statuses = sum((caller.statuses for caller in callers), collections.Counter())
    assert not [caller.fault for caller in callers if caller.fault]
    assert {200, 204, 400, 401, 404, 502} <= set(statuses), statuses
    assert gateway.stop() == 0
    upstream.close()

    for request in upstream.requests:
        assert re.fullmatch(r"(GET|HEAD|POST|PUT) /(any/[ab](\?x=1)?|orders/42) HTTP/1\.1", request.start_line)
    allowed = [record["request_id"] for record in gateway.events("request.allowed")]
    completed = [record["request_id"] for record in gateway.events("request.completed")]
    assert len(set(allowed)) == len(allowed)
    assert sorted(allowed) == sorted(completed)
    assert {request.header("x-request-id") for request in upstream.requests} <= set(allowed)
