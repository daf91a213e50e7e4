"""A call is allowed and another refused, through the clients that people have, before a real nginx and the echo upstream."""

import json
import ssl
import subprocess

import httpx
import pytest

from clients import curl, tls_context
from gateway import BINARY
from ports import free_port
from upstreams import wait_for_port
from wire import PATIENCE


@pytest.fixture(scope="module")
def gateway(world, nginx, launch):
    """A gateway before nginx."""
    return launch(world.configuration(nginx.url))


@pytest.fixture(scope="module")
def before_echo(world, launch):
    """A gateway before `sallyport dev upstream`."""
    port = free_port()
    process = subprocess.Popen([BINARY, "dev", "upstream", "--listen", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL)
    wait_for_port(port, process)
    yield launch(world.configuration(f"http://127.0.0.1:{port}"))
    process.terminate()
    process.wait(PATIENCE)


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_is_allowed(gateway, world, version):
    token = world.broker.token(world.agent)
    told = curl(
        world.servers.file, world.agent, version, "-H", f"Authorization: Bearer {token}", f"{gateway.origin}/orders/42"
    )
    head, _, body = told.stdout.partition("\n\n")
    assert told.returncode == 0, told.stderr
    assert " 200" in head.splitlines()[0]
    assert "x-request-id:" in head.lower()
    assert body == "GET /orders/42"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_without_a_token_is_refused(gateway, world, version):
    told = curl(world.servers.file, world.agent, version, f"{gateway.origin}/orders/42")
    head, _, body = told.stdout.partition("\n\n")
    assert " 401" in head.splitlines()[0]
    assert json.loads(body)["type"] == "urn:sallyport:credentials-missing"


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_without_a_certificate_gets_an_alert(gateway, world, version):
    token = world.broker.token(world.agent)
    told = curl(
        world.servers.file, None, version, "-H", f"Authorization: Bearer {token}", f"{gateway.origin}/orders/42"
    )
    assert told.returncode != 0
    assert "alert" in told.stderr and "HTTP/" not in told.stdout


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_curl_with_a_stolen_token_is_refused(gateway, world, version):
    stolen = world.broker.token(world.agent)
    told = curl(
        world.servers.file, world.other, version, "-H", f"Authorization: Bearer {stolen}", f"{gateway.origin}/orders/42"
    )
    assert " 401" in told.stdout.splitlines()[0]
    assert "urn:sallyport:invalid-token" in told.stdout


@pytest.mark.parametrize("http2", [False, True])
def test_httpx_makes_many_calls_on_one_connection(gateway, world, http2):
    headers = {"Authorization": f"Bearer {world.broker.token(world.agent)}"}
    context = tls_context(world.servers.file, world.agent, protocols=())
    with httpx.Client(http2=http2, http1=not http2, verify=context, headers=headers, timeout=PATIENCE) as client:
        answers = [client.get(f"{gateway.origin}/orders/42") for _ in range(20)]
        refused = client.get(f"{gateway.origin}/orders/7")
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.http_version for answer in answers} == {"HTTP/2" if http2 else "HTTP/1.1"}
    assert len({answer.headers["x-request-id"] for answer in answers}) == 20
    assert refused.status_code == 403


def test_openssl_s_client_is_allowed(gateway, world):
    request = (
        f"GET /orders/42 HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nConnection: close\r\n"
        f"Authorization: Bearer {world.broker.token(world.agent)}\r\n\r\n"
    )
    command = [
        *("openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-servername", "localhost", "-quiet"),
        *("-CAfile", world.servers.file, "-cert", world.agent.chain_file, "-key", world.agent.key_file),
        *("-verify_return_error", "-ign_eof"),
    ]
    told = subprocess.run(command, input=request, capture_output=True, text=True, timeout=PATIENCE)
    assert told.stdout.startswith("HTTP/1.1 200"), told.stderr
    assert told.stdout.endswith("GET /orders/42")


def test_nghttp_is_allowed(gateway, world):
    command = [
        *("nghttp", "--verbose", "--no-dep", f"--cert={world.agent.chain_file}", f"--key={world.agent.key_file}"),
        *("--header", f"authorization: Bearer {world.broker.token(world.agent)}", f"{gateway.origin}/orders/42"),
    ]
    told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert ":status: 200" in told.stdout, told.stdout + told.stderr
    assert "GET /orders/42" in told.stdout


def test_the_echo_upstream_tells_what_it_received(before_echo, reach, world, protocol):
    client = reach(before_echo).open(protocol, world.agent)
    told = client.call("POST", "/any/thing?a=1", world.broker.token(world.agent), [("X-Color", "blue")], b"some body")
    assert told.status == 200
    assert (told.json["method"], told.json["target"]) == ("POST", "/any/thing?a=1")
    assert (told.json["body"], told.json["body_bytes"]) == ("some body", 9)
    received = {name.lower(): value for name, value in told.json["headers"]}
    assert received["x-color"] == "blue"
    assert received["sallyport-agent"] == world.agent.spiffe_id
    assert "authorization" not in received


def test_the_echo_upstream_answers_as_its_query_asks(before_echo, reach, world, protocol):
    client, token = reach(before_echo).open(protocol, world.agent), world.broker.token(world.agent)
    assert client.call("GET", "/any/thing?status=418", token).status == 418
    assert client.call("GET", "/any/thing?bytes=100000", token).body_bytes == 100_000
    assert client.call("GET", "/any/thing?bytes=100000&chunked=1", token).body_bytes == 100_000


def test_a_head_request_has_no_body(gateway, reach, world, protocol):
    client = reach(gateway).open(protocol, world.agent)
    told = client.call("HEAD", "/orders/42", world.broker.token(world.agent))
    assert (told.status, told.body) == (200, b"")
    assert told.header("content-length") == str(len("HEAD /orders/42"))


def test_without_application_protocols_http1_is_spoken(gateway, reach, world):
    connection = reach(gateway).tls(world.agent, protocols=())
    assert connection.selected_alpn_protocol() is None
    token = world.broker.token(world.agent)
    connection.sendall(
        f"GET /orders/42 HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
    )
    assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200")


def test_only_tls_1_3_is_spoken_by_default(gateway, reach, world):
    assert reach(gateway).tls(world.agent).version() == "TLSv1.3"
    refusal = reach(gateway).refusal(world.agent, version=ssl.TLSVersion.TLSv1_2)
    assert refusal and "PROTOCOL_VERSION" in refusal
