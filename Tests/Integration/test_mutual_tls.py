"""Who gets through the first door: client certificates, X509-SVID rules, server names, protocols."""

import datetime
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from clients import tls_context
from credentials import TRUST_DOMAIN, Authority, key_usage
from gateway import listener
from ports import free_port

GOOD = f"spiffe://{TRUST_DOMAIN}/agent/one"
PAST, LATER = datetime.timedelta(hours=-1), datetime.timedelta(hours=1)

ACCEPTED = {
    "an X509-SVID": lambda ca: ca.issue(GOOD),
    "other kinds of name beside the one URI": lambda ca: ca.issue(GOOD, dns=["agent.example.test"]),
    "no extended key usage": lambda ca: ca.issue(GOOD, purposes=None),
    "an empty subject, and critical names": lambda ca: ca.issue(GOOD, common_name=None, names_critical=True),
    "a key agreement bit beside the signature's": lambda ca: ca.issue(
        GOOD, usage=key_usage("digital_signature", "key_agreement")
    ),
    "an RSA key": lambda ca: ca.issue(GOOD, key=rsa.generate_private_key(65537, 2048)),
    "an Ed25519 key": lambda ca: ca.issue(GOOD, key=ed25519.Ed25519PrivateKey.generate()),
    "a P-384 key": lambda ca: ca.issue(GOOD, key=ec.generate_private_key(ec.SECP384R1())),
    "every character that a path may have": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/aZ09.-_/..."),
}

REFUSED = {
    "X1 no URI": lambda ca: ca.issue(dns=["agent.example.test"]),
    "X1 no names at all": lambda ca: ca.issue(),
    "X1 two URIs": lambda ca: ca.issue(GOOD, f"spiffe://{TRUST_DOMAIN}/agent/two"),
    "X1 the same URI twice": lambda ca: ca.issue(GOOD, GOOD),
    "X1 a second URI of another scheme": lambda ca: ca.issue(GOOD, "https://example.test/agent"),
    "X1 the ID as a DNS name": lambda ca: ca.issue(dns=[GOOD]),
    "X1 the ID as an e-mail address": lambda ca: ca.issue(other_names=[x509.RFC822Name(GOOD)]),
    "X1 the ID as another name": lambda ca: ca.issue(
        other_names=[
            x509.OtherName(
                x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c" + bytes([len(GOOD)]) + GOOD.encode()
            )
        ]
    ),
    "X2 an authority": lambda ca: ca.issue(GOOD, authority=True),
    "X2 keyCertSign": lambda ca: ca.issue(GOOD, usage=key_usage("digital_signature", "key_cert_sign")),
    "X2 cRLSign": lambda ca: ca.issue(GOOD, usage=key_usage("digital_signature", "crl_sign")),
    "X3 no path": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}"),
    "X3 a root path": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/"),
    "X4 a trust domain that is not listed": lambda ca: ca.issue("spiffe://elsewhere.test/agent/one"),
    "X5 no key usage": lambda ca: ca.issue(GOOD, usage=None),
    "X5 key usage not critical": lambda ca: ca.issue(GOOD, usage_critical=False),
    "X5 no digitalSignature": lambda ca: ca.issue(GOOD, usage=key_usage("key_agreement")),
    "X6 clientAuth alone": lambda ca: ca.issue(GOOD, purposes=[Purpose.CLIENT_AUTH]),
    "X6 serverAuth alone": lambda ca: ca.issue(GOOD, purposes=[Purpose.SERVER_AUTH]),
    "X6 another purpose alone": lambda ca: ca.issue(GOOD, purposes=[Purpose.EMAIL_PROTECTION]),
    "X8 an empty subject, and names not critical": lambda ca: ca.issue(GOOD, common_name=None),
    "I1 another scheme": lambda ca: ca.issue(f"https://{TRUST_DOMAIN}/agent"),
    "I1 scheme in capitals": lambda ca: ca.issue(f"SPIFFE://{TRUST_DOMAIN}/agent"),
    "I1 trust domain in capitals": lambda ca: ca.issue("spiffe://Example.test/agent"),
    "I1 user information": lambda ca: ca.issue(f"spiffe://user@{TRUST_DOMAIN}/agent"),
    "I1 a port": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}:443/agent"),
    "I1 a query": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/agent?a"),
    "I1 a fragment": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/agent#a"),
    "I1 percent-encoding": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/%61gent"),
    "I1 an empty segment": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/agent//one"),
    "I1 a trailing slash": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/agent/"),
    "I1 a dot": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/agent/./one"),
    "I1 two dots": lambda ca: ca.issue(f"spiffe://{TRUST_DOMAIN}/agent/../one"),
    "I1 an empty trust domain": lambda ca: ca.issue("spiffe:///agent"),
    "I1 a NUL and more": lambda ca: ca.issue(f"{GOOD}\0.elsewhere.test"),
    "I1 a space": lambda ca: ca.issue(f"{GOOD} "),
    "expired": lambda ca: ca.issue(GOOD, begins=2 * PAST, ends=PAST),
    "not valid yet": lambda ca: ca.issue(GOOD, begins=LATER, ends=2 * LATER),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_is_let_in(client, world, case):
    assert client.refusal(ACCEPTED[case](world.agents)) is None


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused_with_an_alert(client, gateway, world, case):
    before = len(gateway.events("connection.refused"))
    refusal = client.refusal(REFUSED[case](world.agents))
    assert refusal and "ALERT" in refusal
    gateway.wait(lambda: len(gateway.events("connection.refused")) > before, "the record of the refusal")


def test_no_certificate_is_refused(client):
    assert "CERTIFICATE_REQUIRED" in client.refusal(None)


def test_a_certificate_of_another_authority_is_refused(client, world, tmp_path):
    assert "ALERT" in client.refusal(Authority(tmp_path).issue(GOOD))


def test_a_certificate_of_the_servers_authority_is_refused(client, world):
    assert "ALERT" in client.refusal(world.servers.issue(GOOD))


def test_an_intermediate_is_followed(client, world, tmp_path):
    """The bundle holds the root only; the client sends the intermediate."""
    middle = Authority(tmp_path, "middle")
    signed = world.agents.issue(
        f"spiffe://{TRUST_DOMAIN}",
        common_name="middle",
        authority=True,
        usage=key_usage("key_cert_sign", "crl_sign"),
        purposes=None,
        key=middle.key,
    )
    assert client.refusal(middle.issue(GOOD, chain=[signed.certificate])) is None
    assert "ALERT" in client.refusal(middle.issue(GOOD))


def test_a_leaf_cannot_issue(client, world, tmp_path):
    """A valid agent signs a certificate for another name with its own key."""
    rogue = Authority(tmp_path, "agent")
    leaf = world.agents.issue(GOOD, common_name="agent", key=rogue.key)
    assert client.refusal(leaf) is None
    assert "ALERT" in client.refusal(rogue.issue(f"spiffe://{TRUST_DOMAIN}/admin", chain=[leaf.certificate]))


def test_each_trust_domain_vouches_for_its_own_only(world, upstream, launch, reach, tmp_path):
    """X4: the anchors of one domain do not reach another, though both are trusted here."""
    partner = Authority(tmp_path, "partner-ca", "spiffe://partner.test")
    trust = [*world.trust, {"name": "partner.test", "bundle_file": str(partner.file)}]
    client = reach(launch(world.configuration(upstream.url, listeners=[listener(free_port(), world.server, trust)])))
    assert client.refusal(world.agents.issue(GOOD)) is None
    assert client.refusal(partner.issue("spiffe://partner.test/agent/one")) is None
    assert "ALERT" in client.refusal(partner.issue(GOOD))
    assert "ALERT" in client.refusal(world.agents.issue("spiffe://partner.test/agent/one"))


@pytest.fixture(scope="module")
def optional(world, the_upstream, launch):
    listeners = [listener(free_port(), world.server, world.trust)]
    listeners[0]["clients"]["certificate"] = "optional"
    return launch(world.configuration(the_upstream.url, listeners=listeners))


def test_an_optional_certificate_may_be_absent_but_nothing_is_bound_then(optional, reach, world, upstream, protocol):
    connection = reach(optional).open(protocol)
    assert connection.call("GET", "/orders/42").code == "credentials-missing"
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent)).code == "invalid-token"
    assert (
        reach(optional).open(protocol, world.agent).call("GET", "/orders/42", world.broker.token(world.agent)).status
        == 200
    )
    assert len(upstream.requests) == 1


def test_a_bad_certificate_is_refused_where_it_is_optional_too(optional, reach, world, tmp_path):
    assert reach(optional).refusal(None) is None
    assert "ALERT" in reach(optional).refusal(Authority(tmp_path).issue(GOOD))
    assert "ALERT" in reach(optional).refusal(world.agents.issue(GOOD, begins=2 * PAST, ends=PAST))


def test_any_identity_takes_what_chains(world, upstream, launch, reach, tmp_path):
    listeners = [listener(free_port(), world.server, world.trust)]
    listeners[0]["clients"]["identity"] = "any"
    client = reach(launch(world.configuration(upstream.url, listeners=listeners)))
    plain = world.agents.issue(dns=["agent.example.test"], purposes=[Purpose.CLIENT_AUTH])
    assert client.refusal(plain) is None
    token = world.broker.token(world.agent, cnf={"x5t#S256": plain.thumbprint}, sub="some-client")
    assert client.http1(plain).call("GET", "/orders/42", token).status == 200
    assert "ALERT" in client.refusal(Authority(tmp_path).issue(dns=["agent.example.test"]))
    assert "ALERT" in client.refusal(None)


# Server names


@pytest.fixture(scope="module")
def two_names(world, the_upstream, launch):
    """Two origins, each with a certificate of its own."""
    port = free_port()
    second = world.servers.server("second.example.test")
    made = listener(port, world.servers.server("localhost"), world.trust)
    made["tls"]["certificates"].append(
        {"certificate_file": str(second.chain_file), "private_key_file": str(second.key_file)}
    )
    made["origins"] = [f"https://localhost:{port}", f"https://second.example.test:{port}"]
    return launch(world.configuration(the_upstream.url, listeners=[made]))


@pytest.mark.parametrize("name", ["localhost", "second.example.test", "SECOND.example.TEST"])
def test_the_certificate_is_chosen_by_name(two_names, reach, world, name):
    connection = reach(two_names).tls(world.agent, name=name)
    assert ("DNS", name.lower()) in connection.getpeercert()["subjectAltName"]


@pytest.mark.parametrize(
    ("name", "authority", "status"),
    [
        ("localhost", "localhost", 200),
        ("second.example.test", "second.example.test", 200),
        ("localhost", "LOCALHOST", 200),
        ("localhost", "second.example.test", 421),
        ("second.example.test", "localhost", 421),
        ("localhost", "elsewhere.example.test", 421),
        ("localhost", "localhost.", 421),
        (None, "localhost", 200),
        (None, "second.example.test", 421),
    ],
)
def test_the_authority_must_be_ours_and_agree_with_the_name(
    two_names, reach, world, upstream, protocol, name, authority, status
):
    connection = reach(two_names).open(protocol, world.agent, name=name)
    told = connection.call("GET", "/orders/42", world.broker.token(world.agent), host=f"{authority}:{two_names.port}")
    assert told.status == status
    assert len(upstream.requests) == (status == 200)
    if status == 421:
        assert told.code == "misdirected"


@pytest.mark.parametrize("authority", ["localhost", "localhost:1", "localhost:0443", "127.0.0.2:{port}"])
def test_another_port_or_address_is_misdirected(gateway, reach, world, upstream, protocol, authority):
    connection = reach(gateway).open(protocol, world.agent)
    told = connection.call(
        "GET", "/orders/42", world.broker.token(world.agent), host=authority.format(port=gateway.port)
    )
    assert told.status in (400, 421)
    assert not upstream.requests


def test_the_name_is_read_from_a_hello_in_many_records(two_names, reach, world):
    """A hello whose name was lost would be shown the first certificate."""
    context = tls_context(world.servers.file, world.agent)
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(coming, going, server_hostname="second.example.test")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    record = going.read()
    hello = record[5:]
    pieces = [hello[start : start + 16] for start in range(0, len(hello), 16)]
    plain = reach(two_names).tcp()
    plain.sendall(b"".join(record[:3] + len(piece).to_bytes(2) + piece for piece in pieces))
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            plain.sendall(going.read())
            coming.write(plain.recv(1 << 16))
    assert ("DNS", "second.example.test") in tls.getpeercert()["subjectAltName"]


# Protocols


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), (["new", "h2"], "h2")],
)
def test_the_protocol_is_the_listeners_choice(client, world, offered, chosen):
    assert client.tls(world.agent, offered).selected_alpn_protocol() == chosen


def test_a_client_of_other_protocols_only_is_refused(client, world):
    with pytest.raises(ssl.SSLError) as refusal:
        client.tls(world.agent, ["spdy/3"])
    assert "no application protocol" in str(refusal.value)


def test_a_listener_of_http1_only_does_not_choose_http2(world, upstream, launch, reach):
    made = listener(free_port(), world.server, world.trust, protocols=["http/1.1"])
    client = reach(launch(world.configuration(upstream.url, listeners=[made])))
    assert client.tls(world.agent, ["h2", "http/1.1"]).selected_alpn_protocol() == "http/1.1"
    with pytest.raises(ssl.SSLError):
        client.tls(world.agent, ["h2"])


def test_tls_1_2_is_spoken_where_it_is_configured(world, upstream, launch, reach, protocol):
    made = listener(free_port(), world.server, world.trust)
    made["tls"]["minimum_version"] = "1.2"
    client = reach(launch(world.configuration(upstream.url, listeners=[made])))
    connection = client.open(protocol, world.agent, version=ssl.TLSVersion.TLSv1_2)
    assert connection.socket.version() == "TLSv1.2"
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent)).status == 200
    assert client.refusal(None, version=ssl.TLSVersion.TLSv1_2) is not None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_not_resumed_where_that_is_off(world, upstream, launch, reach, version):
    made = listener(free_port(), world.server, world.trust)
    made["tls"] |= {"minimum_version": "1.2", "resumption": "off"}
    gateway = launch(world.configuration(upstream.url, listeners=[made]))
    context = tls_context(world.servers.file, world.agent, version=version)
    first = reach(gateway).http1(context=context)
    assert first.call("GET", "/orders/42", world.broker.token(world.agent)).status == 200
    session = first.socket.session
    assert not (session and session.has_ticket)
    with context.wrap_socket(reach(gateway).tcp(), server_hostname="localhost", session=session) as second:
        assert not second.session_reused


# What is not TLS, and what never becomes it


def test_a_silent_client_is_closed(world, upstream, launch, reach):
    gateway = launch(world.configuration(upstream.url, timeouts={"handshake": "200ms"}))
    silent, halfway = reach(gateway).tcp(), reach(gateway).tcp()
    halfway.sendall(b"\x16\x03\x01\x02\x00\x01")
    assert silent.recv(1) == b""
    assert halfway.recv(1) == b""
    assert reach(gateway).refusal(world.agent) is None


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\0" * 1000,
        b"\x16\x03\x01\xff\xff" + b"a" * 70000,
        b"\x80\x2e\x01\0\2",
    ],
)
def test_what_is_not_tls_is_closed(client, world, garbage):
    plain = client.tcp()
    try:
        plain.sendall(garbage)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(1 << 16):
            pass
    except ConnectionError:
        pass
    assert client.refusal(world.agent) is None


def test_half_open_handshakes_hinder_nobody(client, gateway, world, upstream):
    crowd = [client.tcp() for _ in range(200)]
    for one in crowd:
        one.sendall(b"\x16\x03\x01")
    assert client.http1(world.agent).call("GET", "/orders/42", world.broker.token(world.agent)).status == 200


def test_a_certificate_that_expires_meanwhile_makes_the_next_request_401(client, world, upstream, protocol):
    """`notAfter` is compared on every request: calls go on until one of them comes too late."""
    brief = world.agents.agent(ends=datetime.timedelta(seconds=4))
    connection, token = client.open(protocol, brief), world.broker.token(brief)
    told = connection.call("GET", "/orders/42", token)
    assert told.status == 200
    while told.status == 200:
        told = connection.call("GET", "/orders/42", token)
    assert (told.status, told.code) == (401, "invalid-token")
    assert connection.is_closed()
