"""WebSocket clients of the gateway: PyPI's `websockets` over HTTP/1.1, and its protocol machine over HTTP/2 (RFC 8441)."""

import select
import ssl
import threading

import h2.errors
from websockets.frames import Opcode
from websockets.protocol import Protocol, Side, State
from websockets.sync.client import ClientConnection, connect
from websockets.utils import generate_key

from clients import Client, Http1, Http2, tls_context
from wire import PATIENCE, Closed, Response


def websocket(client: Client, agent, target: str, token: str | None, fields=(), **options) -> ClientConnection:
    """Opens a WebSocket over HTTP/1.1; raises what `websockets` raises where that is refused."""
    headers = [*([("Authorization", f"Bearer {token}")] if token else []), *fields]
    socket = connect(
        f"wss://localhost:{client.port}{target}",
        ssl=Turns(tls_context(client.authority_file, agent)),
        additional_headers=headers,
        proxy=None,
        legacy=True,  # a connection, not a context
        max_size=None,
        open_timeout=PATIENCE,
        close_timeout=PATIENCE,
        **options,
    )
    client.opened.append(socket)
    return socket


class Turns:
    """Makes TLS connections for two threads, one of which reads while the other writes, as `websockets` has it."""

    def __init__(self, context: ssl.SSLContext):
        self.context = context

    def wrap_socket(self, sock, **options) -> "TurnSocket":
        return TurnSocket(self.context.wrap_socket(sock, **options))


class TurnSocket:
    """A TLS socket whose threads take turns: before 3.13 Python lets both into one OpenSSL connection, which loses bytes."""

    def __init__(self, sock: ssl.SSLSocket):
        self.sock = sock
        self.turn = threading.Lock()
        self.timeout: float | None = None
        sock.setblocking(False)

    def __getattr__(self, name):
        return getattr(self.sock, name)

    def settimeout(self, timeout: float | None) -> None:
        self.timeout = timeout

    def recv(self, size: int) -> bytes:
        while True:
            with self.turn:
                try:
                    return self.sock.recv(size)
                except (ssl.SSLWantReadError, BlockingIOError):
                    pass
            self.await_one(read=True)

    def sendall(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            with self.turn:
                try:
                    rest = rest[self.sock.send(rest) :]
                    continue
                except (ssl.SSLWantWriteError, BlockingIOError):
                    pass
            self.await_one(read=False)

    def await_one(self, read: bool) -> None:
        timeout = PATIENCE if self.timeout is None and not read else self.timeout
        poll = select.poll()
        poll.register(self.sock, select.POLLIN if read else select.POLLOUT)
        if not poll.poll(None if timeout is None else timeout * 1000):
            raise TimeoutError


class Http1WebSocket:
    """A WebSocket over HTTP/1.1 in one thread, for callers in many."""

    def __init__(self, connection: Http1, target: str, token: str | None, fields=()):
        self.connection = connection
        fields = [
            *fields,
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", generate_key()),
        ]
        connection.send(connection.head("GET", target, token, fields))
        head = connection.reader.response(interim=True)
        if head.status != 101:
            raise Closed(f"refused with {head.status}")
        self.machine = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)

    @property
    def close_code(self) -> int | None:
        return self.machine.close_code

    def send(self, message: bytes) -> None:
        self.machine.send_binary(message)
        self.flush()

    def recv(self) -> bytes:
        """The next message of bytes, whole."""
        pieces = []
        while not pieces or not pieces[-1].fin:
            frames = self.machine.events_received()
            pieces += [frame for frame in frames if frame.opcode in (Opcode.BINARY, Opcode.CONT)]
            if not pieces or not pieces[-1].fin:
                self.take()
        return b"".join(piece.data for piece in pieces)

    def close(self) -> None:
        """Closes, and waits for the other side to do so too."""
        self.machine.send_close(1000)
        self.flush()
        while self.machine.close_rcvd is None:
            self.take()

    def take(self) -> None:
        data = self.connection.reader.stream.read1(1 << 16)
        if not data:
            raise Closed("the socket was closed")
        self.machine.receive_data(data)
        self.flush()

    def flush(self) -> None:
        self.connection.send(b"".join(self.machine.data_to_send()))


class Http2WebSocket:
    """A WebSocket in a stream of an HTTP/2 connection, with the few methods of `websockets` that the tests use."""

    def __init__(self, connection: Http2, target: str, token: str | None, fields=(), subprotocols=(), protocol=None):
        while connection.h2.remote_settings.enable_connect_protocol != 1:
            connection.pump()
        self.connection = connection
        head = [
            *connection.pseudo("CONNECT", target),
            (":protocol", protocol or "websocket"),
            ("sec-websocket-version", "13"),
            *([("authorization", f"Bearer {token}")] if token else []),
            *([("sec-websocket-protocol", ", ".join(subprotocols))] if subprotocols else []),
            *((name.lower(), value) for name, value in fields),
        ]
        self.stream = connection.start_exactly(head, end=False)
        self.machine = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
        self.frames = []
        self.pieces = []

    def accepted(self) -> "Http2WebSocket":
        """Waits for the answer to the handshake, which must be a yes."""
        while self.stream not in self.connection.responses:
            assert self.stream not in self.connection.ended, self.connection.ended
            self.connection.pump()
        assert self.head.status == 200, self.head
        return self

    def refused(self) -> Response:
        """The whole of an answer that is a no."""
        return self.connection.response(self.stream)

    @property
    def head(self) -> Response:
        return self.connection.responses[self.stream]

    @property
    def request_id(self) -> str:
        return self.head.request_id

    @property
    def subprotocol(self) -> str | None:
        return self.head.header("sec-websocket-protocol")

    @property
    def is_over(self) -> bool:
        return self.stream in self.connection.ended

    @property
    def close_code(self) -> int | None:
        return self.machine.close_code

    def send(self, message) -> None:
        """A text, bytes, or a list of texts that are the fragments of one."""
        if isinstance(message, list):
            first, *others = [piece.encode() for piece in message]
            self.machine.send_text(first, fin=not others)
            for number, piece in enumerate(others, 1):
                self.machine.send_continuation(piece, fin=number == len(others))
        elif isinstance(message, str):
            self.machine.send_text(message.encode())
        else:
            self.machine.send_binary(message)
        self.flush()

    def ping(self, data: bytes) -> None:
        self.machine.send_ping(data)
        self.flush()

    def pong(self) -> bytes:
        """Waits for a pong."""
        while not (pongs := [frame for frame in self.frames if frame.opcode is Opcode.PONG]):
            self.pump()
        self.frames.remove(pongs[0])
        return bytes(pongs[0].data)

    def recv(self) -> str | bytes:
        """The next message, whole; raises where the stream is reset or the socket closed before."""
        while not (message := self.message()):
            if self.is_over:
                self.machine.receive_eof()
                raise EOFError(f"closed with {self.close_code}, stream {self.connection.ended[self.stream]!r}")
            self.pump()
        return message[0]

    def message(self) -> list:
        while self.frames:
            frame = self.frames.pop(0)
            if frame.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
                self.pieces.append(frame)
                if frame.fin:
                    data = b"".join(bytes(piece.data) for piece in self.pieces)
                    is_text, self.pieces = self.pieces[0].opcode is Opcode.TEXT, []
                    return [data.decode() if is_text else data]
        return []

    def close(self, code=1000, reason="") -> None:
        """Closes and waits for the other side to do so too."""
        self.machine.send_close(code, reason)
        self.flush()
        self.until_over()

    def until_over(self) -> None:
        """Reads until the stream is over."""
        while not self.is_over:
            self.pump()
        self.machine.receive_eof()

    def reset(self) -> None:
        self.connection.h2.reset_stream(self.stream, h2.errors.ErrorCodes.CANCEL)
        self.connection.flush()

    def flush(self) -> None:
        data = b"".join(self.machine.data_to_send())
        if data and not self.is_over:
            self.connection.send_data(self.stream, data, end=False)
        self.take()

    def pump(self) -> None:
        if not self.take():
            self.connection.pump()
            self.take()

    def take(self) -> bool:
        """Hands what has come to the protocol machine, and sends what that answers."""
        response = self.connection.responses.get(self.stream)
        if not response or not response.body:
            return False
        data, response.body, response.body_bytes = response.body, b"", 0
        self.machine.receive_data(data)
        self.frames += self.machine.events_received()
        self.flush()
        return True
