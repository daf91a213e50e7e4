"""The callers of the soak: what they do, and what must come of it."""

import collections
import hashlib
import random
import threading
import time

import grpc
from websockets.exceptions import WebSocketException

from clients import Client, GoneAway, StreamReset, tls_context
from proofs import Holder, presented
from sockets import Http1WebSocket, Http2WebSocket
from wire import PATIENCE, Closed

MEBIBYTE = 1 << 20
FILE = bytes(range(256)) * (8 * MEBIBYTE // 256)
EVENTS = 20
BROKEN = (OSError, Closed, StreamReset, GoneAway, EOFError, WebSocketException, grpc.RpcError)


class Unexpected(Exception):
    """A call had an outcome that it should not have had."""


def expect(told, *statuses: int):
    if told.status not in statuses:
        raise Unexpected(f"{told.status} instead of {statuses}: {told.body[:80]!r}")
    return told


class Caller(threading.Thread):
    """Opens connections, and does on each what chance says."""

    def __init__(self, soak: "Soak", seed: int):
        super().__init__(daemon=True)
        self.soak, self.gateway, self.world = soak, soak.gateway, soak.world
        self.chance = random.Random(seed)
        self.holder = Holder()
        self.client = Client(self.gateway.port, self.world.servers.file)
        self.contexts, self.minted = {}, {}
        self.counts = collections.Counter()
        self.faults = []

    @property
    def token(self) -> str:
        return self.mint("good", lambda broker: broker.token(self.world.agent))

    def mint(self, name: str, make) -> str:
        """A token for a minute."""
        token, made = self.minted.get(name, (None, 0))
        if time.monotonic() - made > 60:
            token, made = make(self.world.broker), time.monotonic()
            self.minted[name] = token, made
        return token

    def open(self, protocol: str, agent="agent"):
        if (protocol, agent) not in self.contexts:
            identity = getattr(self.world, agent) if agent else None
            self.contexts[protocol, agent] = tls_context(self.world.servers.file, identity, (protocol,))
        return self.client.open(protocol, context=self.contexts[protocol, agent])

    def run(self) -> None:
        while not self.soak.is_over.is_set():
            alone = self.chance.random() < 0.3
            self.attempt(self.chance.choice(ALONE)) if alone else self.calls()
            self.client.close()

    def calls(self) -> None:
        """Some calls, one after the other, over one connection."""
        try:
            connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        except BROKEN as fault:
            self.faults.append(f"no connection: {fault!r}")
            return
        for _ in range(self.chance.randrange(1, 12)):
            if not self.attempt(self.chance.choice(CALLS), connection):
                return

    def attempt(self, kind, *arguments) -> bool:
        began = time.monotonic()
        try:
            kind(self, *arguments)
            self.counts[kind.__name__] += 1
            return True
        except (*BROKEN, Unexpected) as fault:
            if "file" in kind.__name__ and self.soak.services.files.excuses(began):
                self.counts[f"{kind.__name__} while the service restarts"] += 1
            else:
                self.faults.append(f"{type(arguments[0]).__name__ if arguments else ''} {kind.__name__}: {fault!r}")
        return False

    # Calls over a connection that is there, and that they leave as it was

    def certificate_bound(self, connection):
        expect(connection.call("GET", "/any/a?x=1", self.token), 200)

    def scoped(self, connection):
        expect(connection.call("GET", "/orders/42", self.token), 200)

    def key_bound(self, connection):
        expect(self.prove(connection), 200)

    def replayed(self, connection):
        fields = self.proven()
        expect(connection.call("GET", "/bound/1", fields=fields), 200)
        expect(connection.call("GET", "/bound/1", fields=fields), 401)

    def proven(self):
        token = self.mint("key", lambda broker: broker.token(self.world.agent, cnf=self.holder.cnf))
        return presented(token, self.holder.proof("GET", f"{self.gateway.origin}/bound/1", token))

    def prove(self, connection):
        return connection.call("GET", "/bound/1", fields=self.proven())

    def refused(self, connection):
        target, token, status = self.chance.choice(
            [
                ("/any/a", None, 401),
                ("/any/a", "garbage", 401),
                ("/any/a", self.mint("other", lambda broker: broker.token(self.world.other)), 401),
                ("/orders/7", self.token, 403),
                ("/bound/1", self.token, 403),
                ("/none", self.token, 404),
            ]
        )
        expect(connection.call("GET", target, token), status)

    def forged(self, connection):
        """A token of a key that nobody knows, never met before."""
        token = self.world.broker.token(self.world.agent)
        expect(connection.call("GET", "/any/a", token[:-20] + "A" * 20), 401)

    def upload(self, connection):
        body = self.chance.randbytes(1 << 16) * self.chance.randrange(1, 32)
        told = expect(connection.call("POST", "/any/up", self.token, body=body), 200).json
        if (told["body_bytes"], told["body_sha256"]) != (len(body), hashlib.sha256(body).hexdigest()):
            raise Unexpected("another body arrived")

    def download_of_file(self, connection):
        told = expect(connection.call("GET", "/files/big", self.token), 200)
        if told.body_bytes != len(FILE):
            raise Unexpected(f"{told.body_bytes} bytes of a file came")

    def upload_of_file(self, connection):
        body = FILE[: self.chance.randrange(1, len(FILE))]
        expect(connection.call("PUT", f"/files/up-{self.ident}", self.token, body=body), 201, 204)

    def events(self, connection):
        told = expect(connection.call("GET", "/any/events", self.token), 200)
        if told.body.count(b"data: ") != EVENTS:
            raise Unexpected(f"these events came: {told.body!r}")

    def many(self, connection):
        if not hasattr(connection, "start"):
            connection.send(connection.head("GET", "/any/p", self.token) * 5)
            for _ in range(5):
                expect(connection.reader.response(), 200)
            return
        streams = [connection.start("GET", "/any/m", self.token) for _ in range(20)]
        for stream in streams[::4]:
            if stream not in connection.ended:
                connection.h2.reset_stream(stream, 8)
        connection.flush()
        for stream in set(streams) - set(streams[::4]):
            expect(connection.response(stream), 200)

    # What has a connection of its own, or several

    def websocket(self):
        if self.chance.random() < 0.5:
            socket = Http1WebSocket(self.open("http/1.1"), "/ws/a", self.token)
        else:
            socket = Http2WebSocket(self.open("h2"), "/ws/a", self.token).accepted()
        for size in (1, 200, 70_000, self.chance.randrange(MEBIBYTE)):
            message = self.chance.randbytes(size)
            socket.send(message)
            if socket.recv() != message:
                raise Unexpected("another message came back")
        if self.chance.random() < 0.7:
            socket.close()

    def grpc_stream(self):
        credentials = grpc.ssl_channel_credentials(
            self.world.servers.file.read_bytes(),
            self.world.agent.key_file.read_bytes(),
            self.world.agent.chain_file.read_bytes(),
        )
        messages = [self.chance.randbytes(self.chance.randrange(20_000)) for _ in range(20)]
        options = [("grpc.enable_http_proxy", 0), ("grpc.enable_retries", 0)]
        with grpc.secure_channel(f"localhost:{self.gateway.port}", credentials, options) as channel:
            bearer = [("authorization", f"Bearer {self.token}")]
            call = channel.stream_stream("/test.Any/Echo")(iter(messages), PATIENCE, bearer)
            if self.chance.random() < 0.3:
                next(call)
                call.cancel()
            elif list(call) != messages:
                raise Unexpected("other messages came back")

    def left_early(self):
        """Gone in the middle of an answer."""
        connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        target = self.chance.choice(["/any/events", "/files/big"])
        if not hasattr(connection, "start"):
            connection.send(connection.head("GET", target, self.token))
            connection.reader.line()
            return
        stream = connection.start("GET", target, self.token)
        while stream not in connection.responses and stream not in connection.ended:
            connection.pump()
        if self.chance.random() < 0.5 and stream not in connection.ended:
            connection.h2.reset_stream(stream, 8)
            connection.flush()
            expect(connection.call("GET", "/any/after", self.token), 200)

    def abandoned(self):
        """Gone in the middle of a request."""
        connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        if not hasattr(connection, "start"):
            head = connection.head("POST", "/any/cut", self.token, [("Content-Length", "100000")])
            connection.send(head.encode() + bytes(self.chance.randrange(99_999)))
        else:
            stream = connection.start("POST", "/any/cut", self.token, end=False)
            connection.send_data(stream, bytes(self.chance.randrange(99_999)), end=False)

    def garbage(self):
        connection = self.open(self.chance.choice(["http/1.1", "h2"]))
        connection.send(self.chance.randbytes(200))
        if not connection.is_closed() and not hasattr(connection, "start"):
            connection.reader.stream.read()  # the answer, and then the end

    def no_handshake(self):
        plain = self.client.tcp()
        plain.sendall(self.chance.choice([b"", b"\x16\x03\x01", self.chance.randbytes(300)]))

    def no_certificate(self):
        refusal = Client(self.gateway.port, self.world.servers.file)
        if not refusal.refusal(None):
            raise Unexpected("a client without a certificate was let in")
        refusal.close()

    def in_and_out(self):
        for _ in range(5):
            self.open(self.chance.choice(["http/1.1", "h2"]), self.chance.choice(["agent", "other"])).close()


CALLS = [
    *[Caller.certificate_bound] * 6,
    *[Caller.key_bound] * 4,
    *[Caller.refused] * 3,
    *[Caller.many] * 2,
    Caller.scoped,
    Caller.replayed,
    Caller.forged,
    Caller.upload,
    Caller.download_of_file,
    Caller.upload_of_file,
    Caller.events,
]
ALONE = [
    *[Caller.websocket] * 2,
    Caller.grpc_stream,
    Caller.left_early,
    Caller.abandoned,
    Caller.garbage,
    Caller.no_handshake,
    Caller.no_certificate,
    Caller.in_and_out,
]
