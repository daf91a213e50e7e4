"""Clients of the gateway: raw TLS sockets with HTTP/1.1, HTTP/2 by the h2 library, and curl."""

import socket
import ssl
import subprocess

import h2.config
import h2.connection
import h2.errors
import h2.events
from hyperframe.frame import GoAwayFrame

from credentials import Identity
from wire import KEPT, PATIENCE, Closed, MessageReader, Response


def tls_context(authority_file, agent: Identity | None, protocols=("http/1.1",), version=None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority_file))
    if agent:
        context.load_cert_chain(agent.chain_file, agent.key_file)
    if protocols:
        context.set_alpn_protocols(list(protocols))
    if version:
        context.minimum_version = context.maximum_version = version
    return context


class Attempting:
    """What both kinds of connection have: calls that may be refused below HTTP."""

    def attempt(self, *arguments, **options) -> Response | None:
        """As `call`, but `None` where the stream was reset or the connection closed without an answer."""
        try:
            return self.call(*arguments, **options)
        except (StreamReset, GoneAway, Closed, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError):
            return None


class Http1(Attempting):
    """One HTTP/1.1 connection."""

    def __init__(self, connection: ssl.SSLSocket, authority: str):
        self.socket = connection
        self.authority = authority
        self.reader = MessageReader(connection)

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def head(self, method: str, target: str, token: str | None = None, fields=(), host: str | None = "") -> str:
        lines = [f"{method} {target} HTTP/1.1"]
        if host is not None:
            lines.append(f"Host: {host or self.authority}")
        if token:
            lines.append(f"Authorization: Bearer {token}")
        return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in fields), "", ""])

    def call(self, method: str, target: str, token=None, fields=(), body: bytes | None = None, host="") -> Response:
        fields = list(fields)
        if body is not None:
            fields.append(("Content-Length", str(len(body))))
        self.send(self.head(method, target, token, fields, host).encode("latin-1") + (body or b""))
        return self.reader.response(method)

    def is_closed(self) -> bool:
        """Waits for the gateway to close; a byte instead says no."""
        return self.reader.at_end()

    def close(self) -> None:
        self.socket.close()


class StreamReset(Exception):
    def __init__(self, code):
        super().__init__(f"stream reset with {code!r}")
        self.code = code


class GoneAway(Exception):
    def __init__(self, code, last_stream):
        super().__init__(f"GOAWAY with {code!r} after stream {last_stream}")
        self.code = code


class Http2(Attempting):
    """One HTTP/2 connection. Nothing that h2 would refuse to send is refused here."""

    def __init__(self, connection: ssl.SSLSocket, authority: str):
        self.socket = connection
        self.authority = authority
        configuration = h2.config.H2Configuration(
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=True,
        )
        self.h2 = h2.connection.H2Connection(configuration)
        # h2 would take nothing more after a GOAWAY, though open streams go on (RFC 9113 §6.8).
        self.h2._frame_dispatch_table[GoAwayFrame] = self._take_goaway
        self.h2.initiate_connection()
        self.flush()
        self.responses: dict[int, Response] = {}
        self.ended: dict[int, object] = {}  # stream → True, or the code of its reset
        self.gone: GoneAway | None = None
        self.acknowledges = True  # whether flow-control windows are opened again as bytes come
        self.unacknowledged = 0

    def flush(self) -> None:
        self.socket.sendall(self.h2.data_to_send())

    def send(self, data: bytes) -> None:
        """Sends bytes that h2 knows nothing of."""
        self.flush()
        self.socket.sendall(data)

    def pseudo(self, method: str, target: str, host: str = "") -> list[tuple[str, str]]:
        return [
            (":method", method),
            (":scheme", "https"),
            (":authority", host or self.authority),
            (":path", target),
        ]

    def start(self, method: str, target: str, token=None, fields=(), host="", end=True) -> int:
        """Opens a stream and gives its number."""
        head = self.pseudo(method, target, host)
        if token:
            head.append(("authorization", f"Bearer {token}"))
        return self.start_exactly([*head, *((name.lower(), value) for name, value in fields)], end)

    def start_exactly(self, head: list[tuple[str, str]], end=True) -> int:
        stream = self.h2.get_next_available_stream_id()
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head]
        self.h2.send_headers(stream, octets, end_stream=end)
        self.flush()
        return stream

    def send_data(self, stream: int, data: bytes, end=True) -> None:
        """Sends a body as the windows allow; stops where the gateway has ended the stream."""
        view = memoryview(data)
        while view and stream not in self.ended:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(view))
            if room == 0:
                self.pump()
                continue
            self.h2.send_data(stream, bytes(view[:room]))
            view = view[room:]
            self.flush()
        if end and stream not in self.ended:
            self.h2.end_stream(stream)
            self.flush()

    def call(self, method: str, target: str, token=None, fields=(), body: bytes | None = None, host="") -> Response:
        stream = self.start(method, target, token, fields, host, end=body is None)
        if body is not None:
            self.send_data(stream, body)
        return self.response(stream)

    def response(self, stream: int) -> Response:
        """The response of a stream once it has ended."""
        while stream not in self.ended:
            self.pump()
        code = self.ended[stream]
        response = self.responses.get(stream)
        # RFC 9113 §8.1: NO_ERROR after a whole answer only says that the rest of the request is not wanted.
        if code is not True and not (code == h2.errors.ErrorCodes.NO_ERROR and response):
            raise StreamReset(code)
        return response

    def pump(self) -> None:
        """Reads once and takes in what came."""
        if self.gone and not self.h2.open_outbound_streams:
            raise self.gone
        data = self.socket.recv(1 << 16)
        if not data:
            raise self.gone or Closed("the connection was closed")
        for event in self.h2.receive_data(data):
            self._take(event)
        self.flush()

    def _take(self, event) -> None:
        match event:
            case h2.events.ResponseReceived():
                fields = [(name, value) for name, value in event.headers]
                status = int(fields.pop(0)[1])
                self.responses[event.stream_id] = Response(f"HTTP/2 {status}", fields, status=status)
            case h2.events.DataReceived():
                response = self.responses[event.stream_id]
                if response.body_bytes < KEPT:
                    response.body += event.data
                response.body_bytes += len(event.data)
                if self.acknowledges:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                else:
                    self.unacknowledged += event.flow_controlled_length
            case h2.events.TrailersReceived():
                self.responses[event.stream_id].trailers = list(event.headers)
            case h2.events.StreamEnded():
                self.ended[event.stream_id] = True
            case h2.events.StreamReset():
                self.ended.setdefault(event.stream_id, event.error_code)

    def _take_goaway(self, frame: GoAwayFrame):
        self.gone = GoneAway(h2.errors.ErrorCodes(frame.error_code), frame.last_stream_id)
        return [], []

    def is_closed(self) -> bool:
        """Waits until the gateway ends the connection; says no if it takes for ever."""
        try:
            while True:
                self.pump()
        except TimeoutError:
            return False
        except (OSError, GoneAway, Closed):
            return True

    def close(self) -> None:
        self.socket.close()


class Client:
    """Opens connections to one gateway and sees that they are closed."""

    def __init__(self, port: int, authority_file):
        self.port = port
        self.authority_file = authority_file
        self.opened = []

    def tls(self, agent=None, protocols=("http/1.1",), name="localhost", version=None, context=None) -> ssl.SSLSocket:
        context = context or tls_context(self.authority_file, agent, protocols, version)
        if name is None:
            context.check_hostname = False
        plain = self.tcp()
        connection = context.wrap_socket(plain, server_hostname=name)
        self.opened.append(connection)
        return connection

    def tcp(self) -> socket.socket:
        plain = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.opened.append(plain)
        return plain

    def http1(self, agent=None, **options) -> Http1:
        return Http1(self.tls(agent, ("http/1.1",), **options), f"localhost:{self.port}")

    def http2(self, agent=None, **options) -> Http2:
        return Http2(self.tls(agent, ("h2",), **options), f"localhost:{self.port}")

    def open(self, protocol: str, agent=None, **options) -> Http1 | Http2:
        return (self.http2 if protocol == "h2" else self.http1)(agent, **options)

    def refusal(self, agent=None, **options) -> str | None:
        """The alert that a handshake is refused with; `None` if it succeeds.

        Over TLS 1.3 a client learns it only from its first read. It offers HTTP/2, whose server speaks first, and
        writes nothing: so the alert cannot be lost to a reset.
        """
        try:
            connection = self.tls(agent, ("h2",), **options)
            return None if connection.recv(1) else "closed without an alert"
        except ssl.SSLError as error:
            return error.reason
        except ConnectionError as error:
            return f"reset without an alert: {error}"

    def close(self) -> None:
        for connection in self.opened:
            connection.close()
        self.opened.clear()


def curl(authority_file, agent: Identity | None, *arguments: str) -> subprocess.CompletedProcess:
    """Runs curl with a client certificate; its output is the head and the body."""
    command = ["curl", "--silent", "--show-error", "--include", "--cacert", str(authority_file), "--max-time", "20"]
    if agent:
        command += ["--cert", str(agent.chain_file), "--key", str(agent.key_file)]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=PATIENCE + 10)
