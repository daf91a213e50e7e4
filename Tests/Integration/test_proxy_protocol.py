"""PROXY protocol in: believed from the configured peers only, which must send it, and from nobody else."""

import contextlib
import ssl

import pytest

from clients import Client, Http1, Http2, tls_context
from proxy import SIGNATURE, proxy_header
from wire import Closed

LISTED, UNLISTED = ["10.0.0.0/8", "127.0.0.1/32"], ["10.0.0.0/8", "::1/128"]
HEADER = proxy_header("192.0.2.7", "198.51.100.1", (4711, 443))


def configured(world, upstream, peers) -> dict:
    configuration = world.configuration(upstream.url, workers=1)
    configuration["listeners"][0]["proxy_protocol"] = {"from": peers}
    return configuration


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    """The tests' own address is one of the peers."""
    return launch(configured(world, the_upstream, LISTED))


@pytest.fixture(scope="module")
def elsewhere(world, the_upstream, launch):
    """The same for other peers."""
    return launch(configured(world, the_upstream, UNLISTED))


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


def behind(client: Client, header: bytes, agent, protocol="http/1.1") -> Http1 | Http2:
    """A connection that begins with `header`."""
    plain = client.tcp()
    plain.sendall(header)
    secured = tls_context(client.authority_file, agent, [protocol]).wrap_socket(plain, server_hostname="localhost")
    client.opened.append(secured)
    return (Http2 if protocol == "h2" else Http1)(secured, f"localhost:{client.port}")


def answers(client: Client, header: bytes) -> bool:
    """Whether a TLS handshake behind `header` is answered with one, rather than with an alert or an end."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    handshake = tls_context(client.authority_file, None).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        handshake.do_handshake()
    plain = client.tcp()
    with contextlib.suppress(ConnectionError):
        plain.sendall(header + outgoing.read())
        return plain.recv(1) == b"\x16"
    return False


def peer(gateway, told) -> str:
    return gateway.record(told.request_id, "request.allowed")["peer"]


GOOD = {
    "IPv4": (HEADER, "192.0.2.7:4711"),
    "IPv6": (proxy_header("2001:db8::7", "2001:db8::1", (4711, 443)), "[2001:db8::7]:4711"),
    "fields": (
        proxy_header("192.0.2.7", "198.51.100.1", (4711, 443), fields=[(1, b"h2"), (0xE0, b"spiffe://x/y")]),
        "192.0.2.7:4711",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_configured_peer_tells_who_the_client_is(client, gateway, world, protocol, upstream, token, case):
    """In the records, and to the upstream; what it says of an identity is not believed."""
    header, address = GOOD[case]
    connection = behind(client, header, world.agent, protocol)
    told = connection.call("GET", "/any/a", token)
    assert told.status == 200
    assert peer(gateway, told) == address
    assert f'for="{address}"' in upstream.request.header("forwarded")
    assert upstream.request.header("sallyport-agent") == world.agent.spiffe_id
    assert connection.call("GET", "/any/b", token).status == 200


def test_a_local_connection_is_the_peers_own(client, gateway, world, upstream, token):
    connection = behind(client, proxy_header("192.0.2.7", "192.0.2.8", local=True), world.agent)
    told = connection.call("GET", "/any/a", token)
    assert peer(gateway, told) == "{}:{}".format(*connection.socket.getsockname())


def test_a_header_in_many_pieces_is_one_header(client, gateway, world, upstream, token):
    plain = client.tcp()
    for byte in HEADER:
        plain.sendall(bytes([byte]))
    secured = tls_context(client.authority_file, world.agent).wrap_socket(plain, server_hostname="localhost")
    client.opened.append(secured)
    told = Http1(secured, f"localhost:{client.port}").call("GET", "/any/a", token)
    assert peer(gateway, told) == "192.0.2.7:4711"


BAD = {
    "no header": b"",
    "version 1": b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n",
    "another version": HEADER[:12] + b"\x31" + HEADER[13:],
    "another command": HEADER[:12] + b"\x22" + HEADER[13:],
    "a signature that is wrong in one place": b"\r\n\r\n\0\r\nQUIT\r" + HEADER[12:],
    "addresses that are cut": SIGNATURE + b"\x21\x11\x00\x08" + bytes(8),
    "a field that ends behind the header": proxy_header("192.0.2.7", "198.51.100.1")[:14]
    + b"\x00\x0f"
    + bytes(12)
    + b"\x01\xff\xff",
    "a header without an end": SIGNATURE + b"\x21\x11\xff\xff" + bytes(65535),
}


@pytest.mark.parametrize("case", BAD)
def test_a_configured_peer_must_send_a_good_header(client, case):
    assert not answers(client, BAD[case])
    assert answers(client, HEADER)


def test_a_second_header_is_no_tls(client):
    assert not answers(client, HEADER + HEADER)


def test_nobody_else_is_believed(elsewhere, reach, world, upstream, token):
    """A header of theirs is not TLS; without one they are served, under their own address."""
    client = reach(elsewhere)
    assert not answers(client, HEADER)
    connection = client.http1(world.agent)
    told = connection.call("GET", "/any/a", token)
    assert told.status == 200
    assert peer(elsewhere, told) == "{}:{}".format(*connection.socket.getsockname())


def test_a_listener_without_peers_believes_nobody(world, launch, reach, upstream, token):
    client = reach(launch(world.configuration(upstream.url)))
    assert not answers(client, HEADER)
    assert client.http1(world.agent).call("GET", "/any/a", token).status == 200


def test_a_header_that_never_comes_is_not_waited_for(world, launch, reach, upstream, token):
    """`handshake` counts from the first moment."""
    configuration = configured(world, upstream, LISTED)
    configuration["timeouts"] = {"handshake": "300ms"}
    client = reach(launch(configuration))
    for beginning in (b"", HEADER[:10], HEADER):
        plain = client.tcp()
        plain.sendall(beginning)
        with contextlib.suppress(ConnectionError):
            assert plain.recv(1) == b""


def test_a_refused_connection_is_recorded_under_the_clients_address(client, gateway, world, upstream):
    other = world.agents.issue("spiffe://elsewhere.test/agent/one")
    header = proxy_header("203.0.113.9", "198.51.100.1", (815, 443))
    with pytest.raises((ConnectionError, ssl.SSLError, Closed)):
        behind(client, header, other, "h2").pump()

    def refused():
        return [record for record in gateway.events("connection.refused") if record["peer"] == "203.0.113.9:815"]

    gateway.wait(refused, "the record of the refusal")
