"""gRPC end to end: grpcio calls, the gateway judges, grpcio answers; and denials that a gRPC client understands."""

import threading
from concurrent import futures

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from ports import free_port
from upstreams_http2 import Http2Upstream
from wire import PATIENCE
from world import route

MEBIBYTE = 1 << 20
MESSAGE = 1 << 16
OPTIONS = [
    ("grpc.max_send_message_length", 64 * MEBIBYTE),
    ("grpc.max_receive_message_length", 64 * MEBIBYTE),
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
]
KINDS = {
    "unary_unary": grpc.unary_unary_rpc_method_handler,
    "unary_stream": grpc.unary_stream_rpc_method_handler,
    "stream_unary": grpc.stream_unary_rpc_method_handler,
    "stream_stream": grpc.stream_stream_rpc_method_handler,
}


class Service(grpc.GenericRpcHandler):
    """Answers every method as a test says; messages are bytes."""

    def __init__(self):
        self.port = free_port()
        self.clear()
        self.server = grpc.server(futures.ThreadPoolExecutor(32), handlers=[self], options=OPTIONS)
        self.health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        self.server.start()

    def clear(self):
        self.kind, self.behaviour = "unary_unary", lambda request, context: request
        self.calls: list[grpc.HandlerCallDetails] = []

    def does(self, kind: str, behaviour) -> None:
        self.kind, self.behaviour = kind, behaviour

    def service(self, details):
        if details.method.startswith("/grpc.health"):
            return None
        self.calls.append(details)
        return KINDS[self.kind](self.behaviour)


@pytest.fixture(scope="module")
def the_service():
    service = Service()
    yield service
    service.server.stop(0).wait()


@pytest.fixture
def service(the_service) -> Service:
    the_service.clear()
    return the_service


@pytest.fixture(scope="module")
def scripted():
    """A service whose frames a test writes."""
    upstream = Http2Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="module")
def gateway(world, the_service, scripted, launch):
    url = f"http://127.0.0.1:{the_service.port}"
    upstreams = [
        {"name": "service", "targets": [url], "protocol": "h2"},
        {"name": "impatient", "targets": [f"h2c://127.0.0.1:{the_service.port}"], "timeouts": {"response": "300ms"}},
        {"name": "absent", "targets": [f"http://127.0.0.1:{free_port()}"], "protocol": "h2"},
        {"name": "scripted", "targets": [scripted.url], "protocol": "h2"},
    ]
    routes = [
        route("any", "/test.Any/{method}", ["POST"]),
        route("orders", "/test.Orders/{order}", ["POST"], scope="read:orders:{order}"),
        route("health", "/grpc.health.v1.Health/{method}", ["POST"]),
        {**route("impatient", "/test.Impatient/{method}"), "upstream": "impatient"},
        {**route("absent", "/test.Absent/{method}"), "upstream": "absent"},
        {**route("scripted", "/test.Scripted/{method}"), "upstream": "scripted"},
    ]
    return launch(world.configuration(url, routes, upstreams=upstreams))


@pytest.fixture(scope="module")
def channel(gateway, world):
    credentials = grpc.ssl_channel_credentials(
        world.servers.file.read_bytes(), world.agent.key_file.read_bytes(), world.agent.chain_file.read_bytes()
    )
    with grpc.secure_channel(f"localhost:{gateway.port}", credentials, OPTIONS) as channel:
        yield channel


@pytest.fixture
def bearer(world) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {world.broker.token(world.agent)}")]


def fails(call) -> grpc.RpcError:
    """What a call that must fail fails with."""
    with pytest.raises(grpc.RpcError) as failure:
        call()
    return failure.value


# The four kinds of call


def test_a_unary_call_is_answered(channel, service, bearer):
    assert channel.unary_unary("/test.Any/Echo")(b"hello", PATIENCE, bearer) == b"hello"
    assert [call.method for call in service.calls] == ["/test.Any/Echo"]


def test_an_empty_message_is_a_message(channel, service, bearer):
    assert channel.unary_unary("/test.Any/Echo")(b"", PATIENCE, bearer) == b""


def test_a_server_stream_arrives_message_by_message(channel, service, bearer):
    """No message is sent before the one before it was read."""
    read = threading.Semaphore(0)

    def count(request, context):
        for number in range(int(request)):
            yield str(number).encode()
            assert read.acquire(timeout=PATIENCE)

    service.does("unary_stream", count)
    answers = []
    for message in channel.unary_stream("/test.Any/Count")(b"20", PATIENCE, bearer):
        answers.append(int(message))
        read.release()
    assert answers == list(range(20))


def test_a_client_stream_is_taken_in(channel, service, bearer):
    service.does("stream_unary", lambda requests, context: str(sum(map(int, requests))).encode())
    numbers = (str(number).encode() for number in range(100))
    assert channel.stream_unary("/test.Any/Sum")(numbers, PATIENCE, bearer) == b"4950"


def test_a_bidirectional_stream_is_a_conversation(channel, service, bearer):
    """Each message is the answer to the one before it, both ways."""

    def double(requests, context):
        for request in requests:
            yield str(2 * int(request)).encode()

    service.does("stream_stream", double)
    heard = threading.Semaphore(1)

    def questions():
        for number in range(50):
            assert heard.acquire(timeout=PATIENCE)
            yield str(number).encode()

    answers = []
    for answer in channel.stream_stream("/test.Any/Double")(questions(), PATIENCE, bearer):
        answers.append(int(answer))
        heard.release()
    assert answers == [2 * number for number in range(50)]


def test_a_server_may_answer_before_the_client_has_ended(channel, service, bearer):
    """The call is over, though the client would go on."""
    service.does("stream_unary", lambda requests, context: next(requests))
    over = threading.Event()

    def endless():
        yield b"first"
        over.wait(PATIENCE)

    assert channel.stream_unary("/test.Any/First")(endless(), PATIENCE, bearer) == b"first"
    over.set()


def test_many_calls_share_a_channel(channel, service, bearer):
    method = channel.unary_unary("/test.Any/Echo")
    calls = [method.future(str(number).encode(), PATIENCE, bearer) for number in range(200)]
    assert [call.result() for call in calls] == [str(number).encode() for number in range(200)]


def test_each_call_is_judged_on_its_own(channel, service, bearer):
    allowed, denied = channel.unary_unary("/test.Orders/42"), channel.unary_unary("/test.Orders/7")
    calls = [method.future(b"", PATIENCE, bearer) for method in [allowed, denied] * 20]
    codes = [call.code() for call in calls]
    assert codes == [grpc.StatusCode.OK, grpc.StatusCode.PERMISSION_DENIED] * 20
    assert {call.method for call in service.calls} == {"/test.Orders/42"}


# What goes along


def test_metadata_and_trailers_pass_both_ways(channel, service, bearer):
    def answer(request, context):
        context.send_initial_metadata([("x-initial", "of the server"), ("x-initial-bin", b"\x00\xff")])
        context.set_trailing_metadata([("x-trailing", "of the server"), ("x-trailing-bin", b"\xff\x00")])
        return request

    service.does("unary_unary", answer)
    metadata = [*bearer, ("x-note", "of the client"), ("x-note-bin", b"\x00\x01\xfe")]
    _, call = channel.unary_unary("/test.Any/Echo").with_call(b"", PATIENCE, metadata)
    received = [(name, value) for name, value in service.calls[0].invocation_metadata]
    assert {("x-note", "of the client"), ("x-note-bin", b"\x00\x01\xfe")} <= set(received)
    initial, trailing = dict(call.initial_metadata()), dict(call.trailing_metadata())
    assert (initial["x-initial"], initial["x-initial-bin"]) == ("of the server", b"\x00\xff")
    assert (trailing["x-trailing"], trailing["x-trailing-bin"]) == ("of the server", b"\xff\x00")
    assert initial["x-request-id"]


def test_the_server_is_told_who_calls_and_never_with_what(channel, service, world, bearer):
    metadata = [*bearer, ("sallyport-agent", "spiffe://example.test/admin"), ("client-cert", "admin")]
    channel.unary_unary("/test.Orders/42")(b"", PATIENCE, metadata)
    received = dict(service.calls[0].invocation_metadata)
    assert received["sallyport-agent"] == world.agent.spiffe_id
    assert received["sallyport-scope"] == "read:orders:42"
    assert not {"authorization", "client-cert"} & received.keys()


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_a_status_of_the_server_passes(channel, service, bearer, code):
    """With its message, whatever characters that has, and its metadata."""

    def fail(request, context):
        context.set_trailing_metadata([("x-detail-bin", b"\x08\x05")])
        context.abort(code, "100 % Ümlaut\nnext line")

    service.does("unary_unary", fail)
    error = fails(lambda: channel.unary_unary("/test.Any/Fail")(b"", PATIENCE, bearer))
    assert (error.code(), error.details()) == (code, "100 % Ümlaut\nnext line")
    assert dict(error.trailing_metadata())["x-detail-bin"] == b"\x08\x05"


def test_a_status_behind_messages_passes(channel, service, bearer):
    def fail(request, context):
        yield b"one"
        yield b"two"
        context.abort(grpc.StatusCode.DATA_LOSS, "no third")

    service.does("unary_stream", fail)
    call, messages = channel.unary_stream("/test.Any/Fail")(b"", PATIENCE, bearer), []
    error = fails(lambda: messages.extend(iter(call.__next__, None)))
    assert messages == [b"one", b"two"]
    assert (error.code(), error.details()) == (grpc.StatusCode.DATA_LOSS, "no third")


# Time


def test_a_deadline_reaches_the_server(channel, service, bearer):
    remaining = []
    service.does("unary_unary", lambda request, context: remaining.append(context.time_remaining()) or request)
    channel.unary_unary("/test.Any/Echo")(b"", 17, bearer)
    channel.unary_unary("/test.Any/Echo")(b"", None, bearer)
    assert 0 < remaining[0] < 18
    assert remaining[1] is None or remaining[1] > 18


@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream"])
def test_a_deadline_that_passes_ends_the_call_on_both_sides(channel, service, bearer, kind):
    ended = threading.Event()

    def wait(request, context):
        context.add_callback(ended.set)
        ended.wait(PATIENCE)
        yield b"too late"

    service.does(kind, wait if kind == "unary_stream" else lambda *of: next(wait(*of)))
    error = fails(lambda: list(channel.unary_stream("/test.Any/Wait")(b"", 0.3, bearer)))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ended.wait(PATIENCE)


def test_a_cancellation_reaches_the_server(channel, service, bearer):
    ended = threading.Event()

    def wait(requests, context):
        context.add_callback(ended.set)
        yield b"begun"
        ended.wait(PATIENCE)

    service.does("stream_stream", wait)

    def silent():
        ended.wait(PATIENCE)
        yield from ()

    call = channel.stream_stream("/test.Any/Wait")(silent(), PATIENCE, bearer)
    assert next(call) == b"begun"
    call.cancel()
    assert ended.wait(PATIENCE)
    assert call.code() is grpc.StatusCode.CANCELLED
    service.clear()
    assert channel.unary_unary("/test.Any/Echo")(b"after", PATIENCE, bearer) == b"after"


# Sizes


def test_large_messages_pass_both_ways(channel, service, bearer):
    message = bytes(range(256)) * (20 * MEBIBYTE // 256)
    assert channel.unary_unary("/test.Any/Echo")(message, PATIENCE, bearer) == message


def test_a_stream_that_nobody_reads_holds_its_server_up_and_nobody_else(channel, service, bearer):
    """Its server is not let send all that it has; another call is answered meanwhile; then it is read to its end."""
    count, sent = 256 * MEBIBYTE // MESSAGE, []

    def pour(request, context):
        for number in range(count):
            sent.append(number)
            yield bytes(MESSAGE)

    service.does("unary_stream", pour)
    stream = channel.unary_stream("/test.Any/Pour")(b"", 3 * PATIENCE, bearer)
    assert len(next(stream)) == MESSAGE
    service.clear()
    assert channel.unary_unary("/test.Any/Echo")(b"meanwhile", PATIENCE, bearer) == b"meanwhile"
    assert len(sent) * MESSAGE < 64 * MEBIBYTE
    assert sum(map(len, stream)) == (count - 1) * MESSAGE


# Health


def test_the_health_service_is_asked_and_watched(channel, service, bearer):
    stub = health_pb2_grpc.HealthStub(channel)
    states = health_pb2.HealthCheckResponse
    service.health.set("orders", states.SERVING)
    request = health_pb2.HealthCheckRequest(service="orders")
    assert stub.Check(request, PATIENCE, metadata=bearer).status == states.SERVING
    watch = stub.Watch(request, PATIENCE, metadata=bearer)
    assert next(watch).status == states.SERVING
    service.health.set("orders", states.NOT_SERVING)
    assert next(watch).status == states.NOT_SERVING
    watch.cancel()
    error = fails(lambda: stub.Check(health_pb2.HealthCheckRequest(service="none"), PATIENCE, metadata=bearer))
    assert error.code() is grpc.StatusCode.NOT_FOUND


# Denials

DENIALS = {
    "no token": ("/test.Any/Echo", None, 16, 401, "credentials-missing"),
    "a bad token": ("/test.Any/Echo", "garbage", 16, 401, "invalid-token"),
    "a missing scope": ("/test.Orders/7", "good", 7, 403, "insufficient-scope"),
    "no route": ("/test.None/Echo", "good", 12, 404, "no-route"),
    "an upstream that is down": ("/test.Absent/Echo", "good", 14, 502, "upstream-failed"),
    "an upstream that does not answer": ("/test.Impatient/Echo", "good", 4, 504, "upstream-timeout"),
}


@pytest.fixture(params=DENIALS)
def denial(request, world, service):
    """A target, a token, and the three ways to say no."""
    over = threading.Event()
    target, token, *expected = DENIALS[request.param]
    if "Impatient" in target:
        service.does("unary_unary", lambda request, context: over.wait(PATIENCE) and b"" or b"")
    yield target, world.broker.token(world.agent) if token == "good" else token, *expected
    over.set()


def test_a_denial_is_a_status_to_grpc(channel, denial, gateway):
    target, token, code, _, _ = denial
    metadata = [("authorization", f"Bearer {token}")] if token else []
    error = fails(lambda: channel.unary_unary(target)(b"", PATIENCE, metadata))
    assert error.code().value[0] == code
    told = dict(error.trailing_metadata())
    assert told["x-request-id"]
    if code in (7, 12, 16):
        assert gateway.record(told["x-request-id"], "request.denied")["reason"] not in (error.details() or "")


@pytest.mark.parametrize("content_type", ["application/grpc", "application/grpc+proto", "application/grpc+json"])
def test_a_denial_is_only_trailers(client, world, denial, content_type):
    """HTTP status 200, and the status in a head that ends the stream."""
    target, token, code, _, _ = denial
    told = call(client.http2(world.agent), target, token, content_type)
    assert (told.status, told.header("grpc-status")) == (200, str(code))
    assert told.header("content-type").startswith("application/grpc")
    assert (told.body, told.trailers) == (b"", [])
    assert told.request_id


@pytest.mark.parametrize("content_type", [None, "application/json", "application/grpc-web", "application/grpcother"])
def test_a_denial_is_a_problem_to_everybody_else(client, world, denial, content_type):
    target, token, _, status, code = denial
    told = call(client.http2(world.agent), target, token, content_type)
    assert (told.status, told.code) == (status, code)
    assert told.header("grpc-status") is None


def call(connection, target: str, token: str | None, content_type: str | None):
    fields = [("te", "trailers"), *([("content-type", content_type)] if content_type else [])]
    return connection.call("POST", target, token, fields, b"\0\0\0\0\0")


def test_a_stream_is_denied_before_its_client_has_ended(channel, service):
    over = threading.Event()

    def endless():
        yield b"first"
        over.wait(PATIENCE)

    error = fails(lambda: channel.stream_unary("/test.Any/Sum")(endless(), PATIENCE))
    over.set()
    assert error.code() is grpc.StatusCode.UNAUTHENTICATED
    assert not service.calls


# A service that breaks

HEAD = [("content-type", "application/grpc")]
MESSAGE_OF_5 = b"\0\0\0\0\5hello"


def answered(call, rest) -> None:
    call.read_body()
    call.head(200, *HEAD)
    call.data(MESSAGE_OF_5)
    rest(call)


BREAKS = {
    "a reset": lambda call: call.reset(),
    "a closed connection": lambda call: call.connection.close(),
    "an end without a status": lambda call: call.data(b"x", end=True),
    "trailers that are malformed": lambda call: call.fields_out([("Grpc-Status", "0")], end=True),
    "a pseudo-field in trailers": lambda call: call.fields_out([(":status", "200"), ("grpc-status", "0")], end=True),
}


@pytest.mark.parametrize("case", BREAKS)
def test_a_broken_stream_never_looks_complete(channel, scripted, bearer, case):
    scripted.clear()
    scripted.answer = lambda call: answered(call, BREAKS[case])
    call, messages = channel.unary_stream("/test.Scripted/Break")(b"", PATIENCE, bearer), []
    assert fails(lambda: messages.extend(call)).code() is not grpc.StatusCode.OK
    assert messages in ([], [b"hello"])  # a reset may overtake what was sent


def test_a_scripted_stream_that_does_not_break_is_complete(channel, scripted, bearer):
    scripted.clear()
    scripted.answer = lambda call: answered(call, lambda call: call.fields_out([("grpc-status", "0")], end=True))
    call = channel.unary_stream("/test.Scripted/Whole")(b"", PATIENCE, bearer)
    assert list(call) == [b"hello"]
    assert call.code() is grpc.StatusCode.OK
    assert scripted.call.header("te") == "trailers"
    assert scripted.call.header("content-type") == "application/grpc"
