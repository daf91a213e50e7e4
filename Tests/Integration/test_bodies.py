"""Bodies of any size stream both ways in bounded memory, and what ends half-way is never passed off as whole."""

import contextlib
import hashlib
import json
import secrets
import socket
import subprocess

import pytest

from clients import GoneAway, StreamReset
from gateway import is_sanitized
from ports import free_port
from wire import PATIENCE, Closed
from world import route

MEBIBYTE = 1 << 20
LARGE = 100 * MEBIBYTE
ENDLESS = 256 * MEBIBYTE  # more than all buffers on the way together
GROWTH = 32 * MEBIBYTE

bounded = pytest.mark.skipif(is_sanitized(), reason="a sanitized process keeps what it has freed")


@pytest.fixture(scope="module")
def large_file(tmp_path_factory):
    """100 MiB of which no two mebibytes are alike, and their SHA-256."""
    file = tmp_path_factory.mktemp("large") / "large"
    block, digest = secrets.token_bytes(MEBIBYTE), hashlib.sha256()
    with file.open("wb") as output:
        for number in range(LARGE // MEBIBYTE):
            piece = number.to_bytes(8) + block[8:]
            digest.update(piece)
            output.write(piece)
    yield file, digest.hexdigest()
    file.unlink()


@pytest.fixture(scope="module")
def before_nginx(world, nginx, launch):
    return launch(world.configuration(nginx.url, [route("files", "/files/{path...}", ["GET", "PUT"])]))


def transfer(gateway, world, *arguments) -> subprocess.CompletedProcess:
    """One call by curl, with its status on stdout; it must take no more memory than there may be."""
    command = [
        *("curl", "--silent", "--show-error", "--write-out", "%{http_code}", "--cacert", str(world.servers.file)),
        *("--cert", str(world.agent.chain_file), "--key", str(world.agent.key_file)),
        *("--header", f"Authorization: Bearer {world.broker.token(world.agent)}", "--header", "Expect:"),
        *map(str, arguments),
    ]
    before = gateway.memory()
    told = subprocess.run(command, capture_output=True, text=True, timeout=6 * PATIENCE, check=True)
    assert is_sanitized() or gateway.peak_memory() - before < GROWTH
    return told


def sha256(file) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_100_mebibytes_go_down(before_nginx, nginx, world, large_file, tmp_path, version):
    file, digest = large_file
    with contextlib.suppress(FileExistsError):
        (nginx.files / "large").symlink_to(file)
        file.parent.chmod(0o755)
    got = tmp_path / "got"
    told = transfer(before_nginx, world, version, "--output", got, f"{before_nginx.origin}/files/large")
    assert told.stdout == "200"
    assert sha256(got) == digest
    got.unlink()
    completed = before_nginx.wait(lambda: before_nginx.events("request.completed"), "the completed record")[-1]
    assert completed["bytes_out"] == LARGE
    assert completed["response_sha256"] == digest


@pytest.mark.parametrize(
    "arguments", [["--http1.1"], ["--http2"], ["--http1.1", "--header", "Transfer-Encoding: chunked"]]
)
def test_100_mebibytes_go_up(before_nginx, nginx, world, large_file, arguments):
    file, digest = large_file
    name = f"up-{secrets.token_hex(4)}"
    before = len(before_nginx.events("request.completed"))
    told = transfer(before_nginx, world, *arguments, "--upload-file", file, f"{before_nginx.origin}/files/{name}")
    assert told.stdout == "201"
    assert sha256(nginx.files / name) == digest
    (nginx.files / name).unlink()
    completed = before_nginx.wait(lambda: before_nginx.events("request.completed")[before:], "the completed record")[-1]
    assert completed["bytes_in"] == LARGE
    assert completed["request_sha256"] == digest


def test_both_ways_at_once(connection, world, upstream):
    """An upstream that answers each byte as it comes: neither side waits for the other's end."""

    def answer(opened, request):
        opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in opened.reader.pieces(request, until_close=False):
            opened.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        opened.send(b"0\r\n\r\n")

    upstream.answer = answer
    body = secrets.token_bytes(60_000)
    told = connection.call("POST", "/any/a", world.broker.token(world.agent), body=body)
    assert (told.status, told.body) == (200, body)


@pytest.mark.parametrize("size", [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 1_000_000])
def test_a_body_of_any_size_goes_both_ways(connection, world, upstream, size):
    body = secrets.token_bytes(size)

    def answer(opened, request):
        opened.read_body(request)
        assert request.body == body
        opened.answer(200, body)

    upstream.answer = answer
    told = connection.call("POST", "/any/a", world.broker.token(world.agent), body=body)
    assert (told.status, told.body) == (200, body)


@pytest.mark.parametrize("pieces", [[], [b"a"], [b"a", b"b" * 70_000, b"c"], [b"x" * 10] * 500])
def test_a_chunked_answer_is_passed_on(connection, world, upstream, pieces):
    def answer(opened, request):
        opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            opened.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        opened.send(b"0\r\n\r\n")

    upstream.answer = answer
    for _ in range(2):
        told = connection.call("GET", "/any/a", world.broker.token(world.agent))
        assert (told.status, told.body) == (200, b"".join(pieces))


# One side stops


class Stall:
    """Sends until nobody takes any more, and then the rest."""

    def __init__(self, connection: socket.socket, count: int):
        self.connection = connection
        self.count = count
        self.taken = 0

    def until_stalled(self) -> None:
        self.connection.settimeout(2)
        with contextlib.suppress(TimeoutError):
            while self.taken < self.count:
                self.taken += self.connection.send(bytes(min(1 << 16, self.count - self.taken)))
        self.connection.settimeout(PATIENCE)

    def rest(self) -> None:
        while self.taken < self.count:
            self.taken += self.connection.send(bytes(min(1 << 16, self.count - self.taken)))


@bounded
def test_a_client_that_does_not_read_holds_the_upstream_up(client, gateway, world, upstream, protocol):
    stalls = []

    def answer(opened, request):
        opened.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % ENDLESS)
        stall = Stall(opened.socket, ENDLESS)
        stall.until_stalled()
        with upstream.changed:
            stalls.append(stall)
            upstream.changed.notify_all()
        stall.rest()

    upstream.answer = answer
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    client.open(protocol, world.agent).call("GET", "/none", token)
    before = gateway.memory()
    if protocol == "h2":
        stream = connection.start("GET", "/any/a", token)
    else:
        connection.send(connection.head("GET", "/any/a", token))
    upstream.wait(lambda: stalls, "the upstream to be held up")
    assert stalls[0].taken < 2 * GROWTH
    assert gateway.peak_memory() - before < GROWTH
    told = connection.response(stream) if protocol == "h2" else connection.reader.response()
    assert told.body_bytes == ENDLESS


@bounded
def test_an_upstream_that_does_not_read_holds_the_client_up(client, gateway, world, upstream):
    proceed = []

    def answer(opened, request):
        upstream.wait(lambda: proceed, "the client to be held up")
        opened.read_body(request)
        opened.answer(200, str(request.body_bytes).encode())

    upstream.answer = answer
    connection = client.http1(world.agent)
    before = gateway.memory()
    fields = [("Content-Length", str(ENDLESS))]
    connection.send(connection.head("POST", "/any/a", world.broker.token(world.agent), fields))
    stall = Stall(connection.socket, ENDLESS)
    stall.until_stalled()
    assert stall.taken < 2 * GROWTH
    assert gateway.peak_memory() - before < GROWTH
    with upstream.changed:
        proceed.append(True)
        upstream.changed.notify_all()
    stall.rest()
    assert connection.reader.response().body == str(ENDLESS).encode()


def test_an_http2_window_is_not_opened_for_an_upstream_that_does_not_read(client, world, upstream):
    """What the client may send stops at the windows; the stream goes on once the upstream reads."""
    proceed = []

    def answer(opened, request):
        upstream.wait(lambda: proceed, "the client")
        opened.read_body(request)
        opened.answer(200, str(request.body_bytes).encode())

    upstream.answer = answer
    connection = client.http2(world.agent)
    stream = connection.start("POST", "/any/a", world.broker.token(world.agent), end=False)
    sent = 0
    connection.socket.settimeout(2)
    with contextlib.suppress(TimeoutError):
        while sent < 64 * MEBIBYTE:
            room = min(connection.h2.local_flow_control_window(stream), connection.h2.max_outbound_frame_size)
            if room:
                connection.send_data(stream, bytes(room), end=False)
                sent += room
            else:
                connection.pump()
    assert sent < 64 * MEBIBYTE
    connection.socket.settimeout(PATIENCE)
    with upstream.changed:
        proceed.append(True)
        upstream.changed.notify_all()
    connection.send_data(stream, bytes(100_000))
    assert connection.response(stream).body == str(sent + 100_000).encode()


# One side goes


def test_an_answer_may_come_before_the_end_of_the_request(client, world, upstream, protocol):
    """The upstream answers from the head alone; the client gets the answer though it goes on sending."""
    upstream.answer = lambda opened, request: (opened.answer(413, b"too much"), opened.close())
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    if protocol == "h2":
        stream = connection.start("POST", "/any/a", token, end=False)
        connection.send_data(stream, bytes(1000), end=False)
        told = connection.response(stream)
    else:
        connection.send(connection.head("POST", "/any/a", token, [("Content-Length", "100000")]).encode() + bytes(1000))
        told = connection.reader.response()
    assert (told.status, told.body) == (413, b"too much")


def test_an_abandoned_upload_never_looks_complete(client, world, upstream, protocol):
    ends = []

    def answer(opened, request):
        try:
            opened.read_body(request)
            end = "complete"
        except (Closed, ConnectionError):
            end = "cut"
        with upstream.changed:
            ends.append(end)
            upstream.changed.notify_all()
        opened.close()

    upstream.answer = answer
    for framing in ("length", "chunks"):
        connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
        if protocol == "h2":
            fields = [("content-length", "100000")] if framing == "length" else []
            stream = connection.start("POST", "/any/a", token, fields, end=False)
            connection.send_data(stream, bytes(1000), end=False)
        else:
            fields = [("Content-Length", "100000")] if framing == "length" else [("Transfer-Encoding", "chunked")]
            connection.send(connection.head("POST", "/any/a", token, fields))
            connection.send(bytes(1000) if framing == "length" else b"3e8\r\n" + bytes(1000) + b"\r\n")
        count = len(ends) + 1
        upstream.wait(lambda count=count: len(upstream.requests) >= count, "the head")
        connection.close()
        upstream.wait(lambda count=count: len(ends) >= count, "the end of the request")
    assert ends == ["cut", "cut"]


def test_an_abandoned_download_lets_go_of_the_upstream(client, gateway, world, upstream, protocol):
    gone = []

    def answer(opened, request):
        try:
            opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                opened.send(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
        except OSError:
            with upstream.changed:
                gone.append(True)
                upstream.changed.notify_all()
            raise

    upstream.answer = answer
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    if protocol == "h2":
        stream = connection.start("GET", "/any/a", token)
        while not (stream in connection.responses and connection.responses[stream].body_bytes):
            connection.pump()
    else:
        connection.send(connection.head("GET", "/any/a", token))
        assert connection.reader.line() == "HTTP/1.1 200 OK"
    connection.close()
    upstream.wait(lambda: gone, "the upstream's connection to be closed")


def test_a_reset_stream_lets_go_of_the_upstream_alone(client, world, upstream):
    """Other streams of the connection go on."""
    gone = []

    def answer(opened, request):
        if "endless" not in request.target:
            return opened.answer(200, b"other")
        try:
            opened.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                opened.send(b"10000\r\n" + bytes(1 << 16) + b"\r\n")
        except OSError:
            with upstream.changed:
                gone.append(True)
                upstream.changed.notify_all()
            raise

    upstream.answer = answer
    connection, token = client.http2(world.agent), world.broker.token(world.agent)
    stream = connection.start("GET", "/any/endless", token)
    while not (stream in connection.responses and connection.responses[stream].body_bytes):
        connection.pump()
    connection.h2.reset_stream(stream, 8)
    connection.flush()
    upstream.wait(lambda: gone, "the upstream's connection to be closed")
    assert connection.call("GET", "/any/other", token).body == b"other"


CUT_ANSWERS = {
    "a length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly this",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n",
    "inside a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\nonly this",
    "chunks, before the last line": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\n0\r\n",
    "a malformed chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nonly this\r\nxyz\r\n",
}


@pytest.mark.parametrize("dies", ["close", "reset"])
@pytest.mark.parametrize("case", CUT_ANSWERS)
def test_a_cut_answer_never_looks_complete(client, world, upstream, protocol, case, dies):
    def answer(opened, request):
        opened.send(CUT_ANSWERS[case])
        getattr(opened, dies)()

    upstream.answer = answer
    try:
        told = client.open(protocol, world.agent).call("GET", "/any/a", world.broker.token(world.agent))
        assert told.status == 502
    except (Closed, ConnectionError, StreamReset, GoneAway):
        pass
    upstream.clear()
    assert client.open(protocol, world.agent).call("GET", "/any/a", world.broker.token(world.agent)).status == 200


@pytest.mark.parametrize("dies", ["close", "reset"])
def test_an_upstream_that_dies_before_it_answers_is_502(connection, world, upstream, dies):
    upstream.answer = lambda opened, request: (opened.read_body(request), getattr(opened, dies)())
    told = connection.call("POST", "/any/a", world.broker.token(world.agent), body=b"hello")
    assert (told.status, told.code) == (502, "upstream-failed")
    assert len(upstream.requests) == 1  # not sent again: it may have been acted on


def test_a_kept_connection_that_the_upstream_closed_costs_nobody_a_call(connection, world, upstream):
    def answer(opened, request):
        opened.answer(200, b"then gone")
        opened.close()

    upstream.answer = answer
    for _ in range(20):
        assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200


def test_an_upstream_that_is_not_there_is_502(world, launch, reach, protocol):
    gateway = launch(world.configuration(f"http://127.0.0.1:{free_port()}"))
    told = reach(gateway).open(protocol, world.agent).call("GET", "/any/a", world.broker.token(world.agent))
    assert (told.status, told.code) == (502, "upstream-failed")
    completed = gateway.record(told.request_id, "request.completed")
    assert completed["status"] == 502


def test_an_upstream_that_does_not_answer_is_504(world, upstream, launch, reach, protocol):
    gateway = launch(world.configuration(upstream.url, timeouts={"upstream_response": "300ms"}))
    done = []
    upstream.answer = lambda opened, request: upstream.wait(lambda: done, "the end of the test")
    connection = reach(gateway).open(protocol, world.agent)
    told = connection.call("GET", "/any/a", world.broker.token(world.agent))
    assert (told.status, told.code) == (504, "upstream-timeout")
    with upstream.changed:
        done.append(True)
        upstream.changed.notify_all()
    upstream.clear()
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 200


def test_an_upstream_may_have_a_name(world, upstream, launch, reach):
    gateway = launch(world.configuration(f"http://localhost:{upstream.port}"))
    assert reach(gateway).http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent)).status == 200


def test_an_upstream_may_be_a_unix_socket(world, launch, reach, tmp_path):
    path = tmp_path / "service.sock"
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(path))
        service.listen()
        connection = reach(launch(world.configuration(f"unix:{path}"))).http1(world.agent)
        connection.send(connection.head("GET", "/any/a", world.broker.token(world.agent)))
        accepted, _ = service.accept()
        with accepted:
            assert accepted.recv(1 << 16).startswith(b"GET /any/a HTTP/1.1\r\n")
            accepted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            assert connection.reader.response().body == b"hi"


def test_nothing_is_left_open(world, upstream, launch, reach, protocol):
    """After many connections, good and abandoned, the process holds no more descriptors than before."""
    gateway = launch(world.configuration(upstream.url))
    client, token = reach(gateway), world.broker.token(world.agent)
    client.open(protocol, world.agent).call("GET", "/any/a", token)
    client.close()
    before = gateway.descriptors()
    for number in range(30):
        connection = client.open(protocol, world.agent)
        if number % 3 == 0:
            assert connection.call("POST", "/any/a", token, body=b"hello").status == 200
        elif protocol == "h2":
            connection.start("POST", "/any/a", token, end=False)
        else:
            connection.send(connection.head("POST", "/any/a", token, [("Content-Length", "1000")]))
        client.close()
    gateway.wait(lambda: gateway.descriptors() <= before + 2, "the connections to be closed")


def test_completed_records_count_what_passed(connection, gateway, world, upstream):
    told = connection.call("POST", "/any/a", world.broker.token(world.agent), body=b"hello")
    completed = gateway.record(told.request_id, "request.completed")
    assert (completed["bytes_in"], completed["bytes_out"]) == (5, told.body_bytes)
    assert completed["request_sha256"] == hashlib.sha256(b"hello").hexdigest()
    assert completed["response_sha256"] == hashlib.sha256(told.body).hexdigest()
    assert json.loads(told.body)["body_bytes"] == 5
