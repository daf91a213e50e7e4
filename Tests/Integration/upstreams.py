"""Services for the gateway to stand before: one that does as a test says, and a real nginx."""

import contextlib
import json
import shutil
import socket
import ssl
import subprocess
import threading
from pathlib import Path

from credentials import Identity
from ports import free_port
from proxy import ProxyHeader, read_proxy_header
from wire import PATIENCE, Closed, MessageReader, Request


class Connection:
    """One connection that the gateway opened."""

    def __init__(self, upstream: "Upstream", accepted: socket.socket):
        self.upstream = upstream
        self.socket = accepted
        self.reader = MessageReader(accepted)
        self.proxy: ProxyHeader | None = None
        self.is_open = True

    def secure(self, context: ssl.SSLContext) -> None:
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.reader = MessageReader(self.socket)

    @property
    def certificate(self) -> bytes | None:
        """The DER of what the gateway presented over TLS."""
        return self.socket.getpeercert(True)

    @property
    def received(self) -> bytes:
        return bytes(self.reader.raw.received)

    def read_body(self, request: Request) -> None:
        self.reader.read_body(request)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, status: int = 200, body: bytes = b"", *fields: tuple[str, str], reason: str = "OK") -> None:
        lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}", *(f"{n}: {v}" for n, v in fields)]
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def close(self) -> None:
        self.is_open = False
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def reset(self) -> None:
        """Closes with a RST, as a process that dies with unread input does."""
        self.is_open = False
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


def server_context(identity: Identity, clients=None, protocols=("http/1.1",)) -> ssl.SSLContext:
    """TLS as a service speaks it; with `clients`, a file of authorities, it wants a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.chain_file, identity.key_file)
    context.set_alpn_protocols(list(protocols))
    if clients:
        context.load_verify_locations(str(clients))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def echo(connection: Connection, request: Request) -> None:
    """Reads the body and answers with what was received, as JSON."""
    connection.read_body(request)
    told = {
        "method": request.method,
        "target": request.target,
        "fields": request.fields,
        "body_bytes": request.body_bytes,
        "body_sha256": request.body_sha256,
    }
    connection.answer(200, json.dumps(told).encode(), ("Content-Type", "application/json"))


class Upstream:
    """A service that keeps all that it is sent and answers each request by a function that a test may replace."""

    def __init__(self, identity: Identity | None = None, clients=None, path: Path | None = None, proxied=False):
        """With an `identity` it speaks TLS, and may be what a gateway asks for keys and for opinions on tokens; with
        `clients`, a file of authorities, it wants a certificate; with a `path` it listens there; where it is `proxied`
        its connections begin with a PROXY header, before any TLS."""
        self.port = free_port()
        self.path, self.proxied = path, proxied
        self.context = server_context(identity, clients) if identity else None
        self.changed = threading.Condition()
        self.connections: list[Connection] = []
        self.listener = self._listen()
        self.clear()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"https://localhost:{self.port}" if self.context else f"http://127.0.0.1:{self.port}"

    def clear(self) -> None:
        """Forgets what came, and echoes again."""
        self.answer = echo
        self.requests: list[Request] = []
        for connection in self.connections:
            connection.reader.raw.received.clear()

    @property
    def received(self) -> bytes:
        """Every byte since the last `clear`, whatever the connection."""
        return b"".join(connection.received for connection in self.connections)

    @property
    def request(self) -> Request:
        """The only request since the last `clear`."""
        assert len(self.requests) == 1, f"the upstream had {len(self.requests)} requests"
        return self.requests[0]

    def wait(self, condition, what: str) -> None:
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

    def _listen(self) -> socket.socket:
        if not self.path:
            return socket.create_server(("127.0.0.1", self.port), backlog=512)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.path))
        listener.listen()
        return listener

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                accepted, _ = self.listener.accept()
                connection = Connection(self, accepted)
                with self.changed:
                    self.connections.append(connection)
                    self.changed.notify_all()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with contextlib.suppress(OSError, ValueError, Closed):
            if self.proxied:
                connection.proxy = read_proxy_header(connection.socket)
            if self.context:
                connection.secure(self.context)
            while connection.is_open:
                request = connection.reader.request_head()
                with self.changed:
                    self.requests.append(request)
                    self.changed.notify_all()
                self.answer(connection, request)
        connection.close()
        with self.changed:
            self.changed.notify_all()


class Nginx:
    """A real nginx that serves files under `/files/`, takes uploads there, and echoes a request line."""

    CONFIGURATION = """
        daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log;
        events {{ worker_connections 512; }}
        http {{
          access_log off; client_max_body_size 0; client_body_temp_path {directory}/body;
          proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
          server {{
            listen 127.0.0.1:{port};
            location /files/ {{ root {directory}; dav_methods PUT; }}
            location / {{ default_type text/plain; return 200 "$request_method $request_uri"; }}
          }}
        }}
    """

    def __init__(self, directory: Path):
        self.port = free_port()
        self.files = directory / "files"
        self.files.mkdir(parents=True)
        file = directory / "nginx.conf"
        file.write_text(self.CONFIGURATION.format(directory=directory, port=self.port))
        directory.chmod(0o755)
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen([program, "-c", file, "-e", directory / "error.log"])
        wait_for_port(self.port, self.process)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(PATIENCE)


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    """Returns once somebody listens; fails if the process ends before that."""
    for _ in range(PATIENCE * 50):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise AssertionError(f"{process.args[0]} ended with {process.wait(0.02)}")
    raise AssertionError(f"{process.args[0]} never listened on port {port}")
