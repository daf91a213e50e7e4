"""Services behind TLS: who they are is checked by name or SPIFFE ID, and they may ask who the gateway is."""

import datetime
import socket
import ssl
import warnings

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose

from credentials import Authority
from ports import free_port
from upstreams import Upstream
from upstreams_http2 import Http2Upstream
from wire import PATIENCE
from world import route

SIDECAR = "spiffe://example.test/service/orders"
PAST = datetime.timedelta(hours=-1)


@pytest.fixture(scope="module")
def services(world):
    """TLS services by the certificate that they have."""
    others = Authority(world.directory, "others-ca", uri=None)
    agents, servers = world.agents, world.servers
    made = {
        "named": Upstream(servers.server("localhost")),
        "otherwise named": Upstream(servers.issue(dns=["elsewhere.test"], common_name="localhost")),
        "by address": Upstream(servers.issue(addresses=["127.0.0.1"])),
        "of another authority": Upstream(others.server("localhost")),
        "expired": Upstream(servers.server("localhost", begins=2 * PAST, ends=PAST)),
        "not valid yet": Upstream(servers.server("localhost", begins=-PAST, ends=-2 * PAST)),
        "for clients only": Upstream(servers.server("localhost", purposes=[Purpose.CLIENT_AUTH])),
        "sidecar": Upstream(agents.issue(SIDECAR)),
        "other sidecar": Upstream(agents.issue("spiffe://example.test/service/other")),
        "two identities": Upstream(agents.issue(SIDECAR, "spiffe://example.test/service/other")),
        "identity as a name": Upstream(agents.issue(dns=["localhost"], other_names=[])),
        "identity of another authority": Upstream(others.issue(SIDECAR)),
        "expired sidecar": Upstream(agents.issue(SIDECAR, begins=2 * PAST, ends=PAST)),
        "asking": Upstream(servers.server("localhost"), clients=agents.file),
        "asking over h2": Http2Upstream(servers.server("localhost"), clients=agents.file),
        "asking sidecar": Upstream(agents.issue(SIDECAR), clients=agents.file),
    }
    yield made
    for service in made.values():
        service.close()


@pytest.fixture(scope="module")
def us(world):
    """What the gateway presents to a service that asks."""
    return world.agents.agent("/gateway/one")


@pytest.fixture(scope="module")
def cases(world, services, us) -> dict:
    """Upstreams by name: the service, and what is said of its TLS."""
    servers, agents = {"ca_file": str(world.servers.file)}, {"ca_file": str(world.agents.file)}
    spiffe = {**agents, "spiffe_ids": [SIDECAR]}
    present = {"certificate_file": str(us.chain_file), "private_key_file": str(us.key_file)}
    stranger = Authority(world.directory, "strangers-ca").agent("/gateway/one")
    wrong = {"certificate_file": str(stranger.chain_file), "private_key_file": str(stranger.key_file)}
    return {
        "good-name": ("named", servers),
        "good-server-name": ("otherwise named", {**servers, "server_name": "elsewhere.test"}),
        "good-spiffe": ("sidecar", spiffe),
        "good-one-of-many": ("sidecar", {**agents, "spiffe_ids": ["spiffe://example.test/service/first", SIDECAR]}),
        "good-asking": ("asking", {**servers, **present}),
        "good-asking-h2": ("asking over h2", {**servers, **present}),
        "good-mutual": ("asking sidecar", {**spiffe, **present}),
        "good-unasked": ("named", {**servers, **present}),
        "bad-authority": ("of another authority", servers),
        "bad-bundle": ("named", agents),
        "bad-name": ("otherwise named", servers),
        "bad-server-name": ("named", {**servers, "server_name": "elsewhere.test"}),
        "bad-expired": ("expired", servers),
        "bad-not-yet": ("not valid yet", servers),
        "bad-purpose": ("for clients only", servers),
        "bad-spiffe": ("other sidecar", spiffe),
        "bad-two-ids": ("two identities", spiffe),
        "bad-name-for-id": ("identity as a name", spiffe),
        "bad-id-for-name": ("sidecar", agents),
        "bad-spiffe-authority": ("identity of another authority", spiffe),
        "bad-spiffe-expired": ("expired sidecar", spiffe),
        "bad-no-certificate": ("asking", servers),
        "bad-no-certificate-h2": ("asking over h2", servers),
        "bad-certificate": ("asking", {**servers, **wrong}),
        "bad-mutual": ("asking sidecar", spiffe),
    }


@pytest.fixture(scope="module")
def gateway(world, services, cases, launch):
    upstreams = []
    for name, (service, tls) in cases.items():
        protocol = "h2" if isinstance(services[service], Http2Upstream) else "http/1.1"
        upstreams.append({"name": name, "targets": [services[service].url], "protocol": protocol, "tls": tls})
    routes = [{**route(name, f"/{name}/{{x...}}"), "upstream": name} for name in cases]
    return launch(world.configuration(upstreams[0]["targets"][0], routes, upstreams=upstreams))


@pytest.fixture
def token(world) -> str:
    return world.broker.token(world.agent)


GOOD = ["name", "server-name", "spiffe", "one-of-many", "asking", "asking-h2", "mutual", "unasked"]
BAD = [
    *("authority", "bundle", "name", "server-name", "expired", "not-yet", "purpose"),
    *("spiffe", "two-ids", "name-for-id", "id-for-name", "spiffe-authority", "spiffe-expired"),
    *("no-certificate", "no-certificate-h2", "certificate", "mutual"),
]


def test_every_case_is_tried(cases):
    assert list(cases) == [*(f"good-{name}" for name in GOOD), *(f"bad-{name}" for name in BAD)]


@pytest.mark.parametrize("name", GOOD)
def test_a_service_that_is_who_it_should_be_is_called(connection, services, cases, token, name):
    service = services[cases[f"good-{name}"][0]]
    service.clear()
    for _ in range(2):
        assert connection.call("GET", f"/good-{name}/a", token).status == 200


@pytest.mark.parametrize("name", BAD)
def test_a_service_that_is_not_is_502_and_told_nothing(connection, gateway, services, cases, token, name):
    service = services[cases[f"bad-{name}"][0]]
    service.clear()
    told = connection.call("GET", f"/bad-{name}/a", token)
    assert (told.status, told.code) == (502, "upstream-failed")
    # A refusal of our certificate comes behind the handshake of TLS 1.3, where it is an end like any other.
    reasons = ["upstream.tls", "upstream.broken"] if "asking" in cases[f"bad-{name}"][0] else ["upstream.tls"]
    assert gateway.record(told.request_id, "request.completed")["reason"] in reasons
    assert not getattr(service, "requests", None) and not getattr(service, "calls", None)


@pytest.mark.parametrize(
    ("name", "asks"), [("asking", True), ("asking-h2", True), ("mutual", True), ("unasked", False)]
)
def test_the_gateway_presents_its_certificate_to_who_asks(client, world, services, cases, us, token, name, asks):
    service = services[cases[f"good-{name}"][0]]
    service.clear()
    assert client.http1(world.agent).call("GET", f"/good-{name}/a", token).status == 200
    presented = [connection.certificate for connection in service.connections if connection.is_open]
    assert presented and set(presented) == {us.der if asks else None}


def test_a_connection_is_kept_for_the_next_call(client, world, services, token):
    """One handshake, many calls; a call by another route to the same service does not use it."""
    service = services["named"]
    service.clear()
    connection = client.http1(world.agent)
    assert {connection.call("GET", "/good-name/a", token).status for _ in range(10)} == {200}
    count = len(service.connections)
    assert {connection.call("GET", "/good-name/a", token).status for _ in range(10)} == {200}
    assert len(service.connections) == count
    assert connection.call("GET", "/bad-server-name/a", token).status == 502


def test_the_name_is_sent_along(client, world, launch, reach, token):
    """SNI: the host of the target, or `server_name`."""
    names = []
    service = Upstream(world.servers.server("localhost", "elsewhere.test"))
    service.context.sni_callback = lambda connection, name, context: names.append(name)
    tls = {"ca_file": str(world.servers.file)}
    upstreams = [
        {"name": "service", "targets": [service.url], "tls": tls},
        {"name": "renamed", "targets": [service.url], "tls": {**tls, "server_name": "elsewhere.test"}},
    ]
    routes = [route("plain", "/plain"), {**route("renamed", "/renamed"), "upstream": "renamed"}]
    gateway = launch(world.configuration(service.url, routes, upstreams=upstreams))
    connection = reach(gateway).http1(world.agent)
    assert connection.call("GET", "/plain", token).status == 200
    assert connection.call("GET", "/renamed", token).status == 200
    service.close()
    assert names == ["localhost", "elsewhere.test"]


def test_old_tls_is_not_spoken(world, launch, reach, token):
    """TLS 1.2 is the least."""
    for version, status in ((ssl.TLSVersion.TLSv1_2, 200), (ssl.TLSVersion.TLSv1_1, 502)):
        service = Upstream(world.servers.server("localhost"))
        with warnings.catch_warnings(action="ignore"):
            service.context.minimum_version = service.context.maximum_version = version
        service.context.set_ciphers("ALL:@SECLEVEL=0")
        entry = {"name": "service", "targets": [service.url], "tls": {"ca_file": str(world.servers.file)}}
        gateway = launch(world.configuration(service.url, upstreams=[entry]))
        assert reach(gateway).http1(world.agent).call("GET", "/any/a", token).status == status
        service.close()


def test_a_reload_with_another_authority_does_not_use_old_connections(world, launch, reach, token):
    """What was trusted before is no reason to send anything after."""
    service = Upstream(world.servers.server("localhost"))
    entry = {"name": "service", "targets": [service.url], "tls": {"ca_file": str(world.servers.file)}}
    gateway = launch(world.configuration(service.url, upstreams=[entry], workers=1))
    connection = reach(gateway).http1(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    trusting = {**gateway.configuration, "upstreams": [{**entry, "tls": {"ca_file": str(world.agents.file)}}]}
    gateway.reload(trusting)
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 502, "the old authority to go")
    service.clear()
    assert connection.call("GET", "/any/a", token).status == 502
    assert not service.requests
    service.close()


def test_a_target_that_is_not_tls_is_502(world, upstream, launch, reach, token):
    url = f"https://localhost:{upstream.port}"
    entry = {"name": "service", "targets": [url], "tls": {"ca_file": str(world.servers.file)}}
    gateway = launch(world.configuration(url, upstreams=[entry], timeouts={"upstream_connect": "300ms"}))
    told = reach(gateway).http1(world.agent).call("GET", "/any/a", token)
    assert told.status in (502, 504)
    assert not upstream.requests


def test_a_service_that_never_finishes_its_handshake_is_not_waited_for(world, launch, reach, token):
    """`upstream_connect` is for TCP and TLS together."""
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        url = f"https://localhost:{silent.getsockname()[1]}"
        entry = {"name": "service", "targets": [url], "tls": {"ca_file": str(world.servers.file)}}
        timeouts = {"upstream_connect": "300ms", "upstream_response": f"{2 * PATIENCE}s"}
        gateway = launch(world.configuration(url, upstreams=[entry], timeouts=timeouts))
        told = reach(gateway).http1(world.agent).call("GET", "/any/a", token)
        assert told.status in (502, 504)
