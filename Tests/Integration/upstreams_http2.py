"""A service that speaks HTTP/2, over TLS or by prior knowledge, and does on each stream as a test says."""

import contextlib
import hashlib
import select
import socket
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings
from h2.settings import SettingCodes
from hyperframe.frame import Frame, GoAwayFrame

from credentials import Identity
from ports import free_port
from upstreams import server_context
from wire import PATIENCE, Closed


class Call:
    """One stream that the gateway opened."""

    def __init__(self, connection: "Http2Connection", stream: int, fields: list[tuple[str, str]]):
        self.connection = connection
        self.stream = stream
        self.fields = fields
        self.body = bytearray()
        self.trailers: list[tuple[str, str]] = []
        self.is_whole = False
        self.reset_code = None

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key == name]

    def header(self, name: str) -> str | None:
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def method(self) -> str:
        return self.header(":method")

    @property
    def target(self) -> str:
        return self.header(":path")

    @property
    def is_over(self) -> bool:
        return self.reset_code is not None or not self.connection.is_open

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    def read_body(self) -> None:
        """Waits for the end of the request; fails where it never comes."""
        self.connection.upstream.wait(lambda: self.is_whole or self.is_over, "the end of a request")
        if not self.is_whole:
            raise Closed("the request was abandoned")

    def head(self, status=200, *fields: tuple[str, str], end=False) -> None:
        self.fields_out([(":status", str(status)), *fields], end)

    def fields_out(self, fields: list[tuple[str, str]], end=False) -> None:
        """A block of fields as it is, which may be wrong."""
        octets = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        with self.connection.lock:
            self.connection.h2.send_headers(self.stream, octets, end_stream=end)
            self.connection.flush()

    def data(self, data: bytes, end=False) -> None:
        """Sends as the windows allow."""
        h2_connection, view = self.connection.h2, memoryview(data)
        while view:
            self.connection.upstream.wait(lambda: self.is_over or self.room(), "a window")
            if self.is_over:
                raise Closed("the stream was reset")
            with self.connection.lock:
                room = min(self.room(), h2_connection.max_outbound_frame_size, len(view))
                h2_connection.send_data(self.stream, bytes(view[:room]))
                self.connection.flush()
            view = view[room:]
        if end:
            with self.connection.lock:
                h2_connection.end_stream(self.stream)
                self.connection.flush()

    def room(self) -> int:
        with contextlib.suppress(h2.exceptions.ProtocolError):
            return self.connection.h2.local_flow_control_window(self.stream)
        return 0

    def answer(self, status=200, body: bytes = b"", *fields: tuple[str, str], trailers=()) -> None:
        self.head(status, *fields, end=not body and not trailers)
        if body:
            self.data(body, end=not trailers)
        if trailers:
            self.fields_out(list(trailers), end=True)

    def reset(self, code=h2.errors.ErrorCodes.INTERNAL_ERROR) -> None:
        with self.connection.lock:
            self.connection.h2.reset_stream(self.stream, code)
            self.connection.flush()

    def frame(self, frame: Frame | bytes) -> None:
        """Sends a frame that h2 knows nothing of."""
        self.connection.send(frame if isinstance(frame, bytes) else frame.serialize())

    def encode(self, *fields: tuple[str, str]) -> bytes:
        """A block of fields for a frame of one's own."""
        with self.connection.lock:
            return self.connection.h2.encoder.encode(fields)


class LenientSettings(h2.settings.Settings):
    """Streams beyond the limit are ours to refuse (RFC 9113 §5.1.2); h2 would give up the whole connection."""

    max_concurrent_streams = property(lambda self: 1 << 31)


class Http2Connection:
    """One connection that the gateway opened."""

    def __init__(self, upstream: "Http2Upstream", accepted: socket.socket):
        self.upstream = upstream
        self.socket = accepted
        self.lock = threading.RLock()
        self.is_open = True
        self.calls: dict[int, Call] = {}
        self.gone: GoAwayFrame | None = None
        self.pings = 0
        configuration = h2.config.H2Configuration(
            client_side=False,
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
        )
        self.h2 = h2.connection.H2Connection(configuration)
        # h2 would take nothing more after a GOAWAY, though open streams go on (RFC 9113 §6.8).
        self.h2._frame_dispatch_table[GoAwayFrame] = self._take_goaway
        values = {SettingCodes.MAX_CONCURRENT_STREAMS: 100, **upstream.settings}
        self.limit = values[SettingCodes.MAX_CONCURRENT_STREAMS]
        self.h2.local_settings = LenientSettings(client=False, initial_values=values)

    @property
    def certificate(self) -> bytes | None:
        """The DER of what the gateway presented."""
        return self.socket.getpeercert(True)

    @property
    def open_calls(self) -> int:
        return self.h2.open_inbound_streams

    def flush(self) -> None:
        with self.lock:
            self.socket.sendall(self.h2.data_to_send())

    def send(self, data: bytes) -> None:
        with self.lock:
            self.flush()
            self.socket.sendall(data)

    def goaway(self, last_stream: int, code=0) -> None:
        self.send(GoAwayFrame(0, last_stream_id=last_stream, error_code=code).serialize())

    def serve(self) -> None:
        with self.lock:
            self.h2.initiate_connection()
            self.flush()
        while self.is_open and (data := self._receive()):
            with self.lock:
                events = self.h2.receive_data(data)
                self.flush()
            with self.upstream.changed:
                started = [call for event in events if (call := self._take(event))]
                self.upstream.changed.notify_all()
            for call in started:
                threading.Thread(target=self._answer, args=(call,), daemon=True).start()
            self.flush()

    def _receive(self) -> bytes:
        """OpenSSL does not read and write one connection at once, so a TLS one is read only when something is there."""
        if not self.upstream.context:
            return self.socket.recv(1 << 16)
        if not self.socket.pending():
            select.select([self.socket], [], [])
        with self.lock:
            return self.socket.recv(1 << 16)

    def _answer(self, call: Call) -> None:
        with contextlib.suppress(OSError, Closed, h2.exceptions.ProtocolError):
            self.upstream.answer(call)

    def _take(self, event) -> Call | None:
        match event:
            case h2.events.RequestReceived() if self.h2.open_inbound_streams > self.limit:
                self.h2.reset_stream(event.stream_id, h2.errors.ErrorCodes.REFUSED_STREAM)
                self.upstream.refused += 1
            case h2.events.RequestReceived():
                call = self.calls[event.stream_id] = Call(self, event.stream_id, list(event.headers))
                self.upstream.calls.append(call)
                return call
            case h2.events.DataReceived():
                if call := self.calls.get(event.stream_id):
                    call.body += event.data
                if self.upstream.acknowledges:
                    with self.lock, contextlib.suppress(h2.exceptions.StreamClosedError):
                        self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.TrailersReceived():
                if call := self.calls.get(event.stream_id):
                    call.trailers = list(event.headers)
            case h2.events.StreamEnded():
                if call := self.calls.get(event.stream_id):
                    call.is_whole = True
            case h2.events.StreamReset():
                if call := self.calls.get(event.stream_id):
                    call.reset_code = event.error_code
            case h2.events.PingReceived():
                self.pings += 1
        return None

    def _take_goaway(self, frame: GoAwayFrame):
        self.gone = frame
        return [], []

    def close(self) -> None:
        self.is_open = False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def answer_ok(call: Call) -> None:
    """Reads the request and tells of it in a few bytes."""
    call.read_body()
    call.answer(200, f"{call.method} {call.target} {len(call.body)}".encode())


class Http2Upstream:
    """Each stream is answered in a thread of its own by a function that a test may replace."""

    def __init__(self, identity: Identity | None = None, clients=None, settings=None, protocols=("h2",)):
        """With an `identity` it speaks TLS, and with `clients`, a file of authorities, it wants a certificate."""
        self.port = free_port()
        self.context = server_context(identity, clients, protocols) if identity else None
        self.settings = settings or {}
        self.changed = threading.Condition()
        self.connections: list[Http2Connection] = []
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.clear()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}" if self.context else f"http://127.0.0.1:{self.port}"

    def clear(self) -> None:
        self.answer = answer_ok
        self.acknowledges = True  # whether windows are opened again as bytes come
        self.calls: list[Call] = []
        self.refused = 0  # streams beyond the limit

    @property
    def call(self) -> Call:
        """The only call since the last `clear`."""
        assert len(self.calls) == 1, f"the upstream had {len(self.calls)} calls"
        return self.calls[0]

    @property
    def open_connections(self) -> list[Http2Connection]:
        return [connection for connection in self.connections if connection.is_open]

    def wait(self, condition, what: str):
        with self.changed:
            assert self.changed.wait_for(condition, PATIENCE), f"upstream: waited in vain for {what}"

    def tell(self, facts: list, fact=True) -> None:
        """Adds to what somebody waits for."""
        with self.changed:
            facts.append(fact)
            self.changed.notify_all()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self.listener.accept()
                accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._serve, args=(accepted,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with accepted, contextlib.suppress(OSError, ValueError, Closed, h2.exceptions.ProtocolError):
            connection = Http2Connection(self, self._secure(accepted))
            with self.changed:
                self.connections.append(connection)
                self.changed.notify_all()
            try:
                connection.serve()
            finally:
                with self.changed:
                    connection.is_open = False
                    self.changed.notify_all()
                connection.close()

    def _secure(self, accepted: socket.socket) -> socket.socket:
        return self.context.wrap_socket(accepted, server_side=True) if self.context else accepted
