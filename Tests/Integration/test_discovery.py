"""How a client that knows nothing finds its way: protected resource metadata (RFC 9728), as MCP clients follow it."""

import json
import urllib.request
from urllib.parse import urlsplit

import pytest

from clients import Client
from credentials import ISSUER, Broker
from world import route

PATH = "/.well-known/oauth-protected-resource"
PUBLIC_NAME = "gateway.example.test"
SECOND = "https://second.example.test"


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    second = Broker(SECOND, ("ES256",))
    hosted = route("hosted", "/hosted/{x}", issuers=[SECOND], possession=["dpop"])
    hosted["match"]["host"] = PUBLIC_NAME
    routes = [
        route("orders", "/orders/{order_id}", ["GET"], scope="read:orders:{order_id}"),
        route("things", "/things/{x}", possession=["certificate", "dpop"], scope="write:things:{x}"),
        hosted,
    ]
    issuers = [
        world.issuer(),
        world.issuer(issuer=SECOND, jwks_file=str(world.write("discovery.jwks.json", second.jwks()))),
    ]
    dpop = {"algorithms": ["ES256", "Ed25519"]}
    configuration = world.configuration(the_upstream.url, routes, issuers=issuers, possession={"dpop": dpop})
    configuration["listeners"][0]["origins"].append(f"https://{PUBLIC_NAME}")
    return launch(configuration)


@pytest.fixture(scope="module")
def connections(gateway, world):
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


def read(challenge: str) -> dict[str, str]:
    """A challenge's parameters, by the parser of Python's library."""
    items = urllib.request.parse_http_list(challenge.partition(" ")[2])
    return urllib.request.parse_keqv_list(items)


def test_the_metadata_says_what_a_client_needs(connections, gateway, upstream, protocol):
    told = connections[protocol].call("GET", PATH)
    assert told.status == 200
    assert told.header("content-type") == "application/json"
    assert told.json["resource"] == gateway.origin
    assert told.json["authorization_servers"] == [ISSUER]
    assert told.json["bearer_methods_supported"] == ["header"]
    assert set(told.json["scopes_supported"]) == {"read:orders:*", "write:things:*"}
    assert told.json["dpop_signing_alg_values_supported"] == ["ES256", "Ed25519"]
    assert told.json["tls_client_certificate_bound_access_tokens"] is True
    assert told.json["dpop_bound_access_tokens_required"] is False
    assert not upstream.requests


def test_each_origin_has_its_own(client, world, protocol):
    told = client.open(protocol, world.agent, name=PUBLIC_NAME).call("GET", PATH, host=PUBLIC_NAME)
    assert told.json["resource"] == f"https://{PUBLIC_NAME}"
    assert set(told.json["authorization_servers"]) == {ISSUER, SECOND}


def test_a_client_finds_its_way_from_a_challenge(connections, gateway, upstream, protocol):
    """As the MCP specification has it: call, be refused, read where, read which issuer, and what scope to ask for."""
    refused = connections[protocol].call("GET", "/orders/42")
    assert refused.status == 401
    challenge = next(read(value) for value in refused.challenges if value.startswith("Bearer "))
    assert challenge["scope"] == "read:orders:42"
    url = urlsplit(challenge["resource_metadata"])
    assert f"{url.scheme}://{url.netloc}" == gateway.origin
    metadata = connections[protocol].call("GET", url.path).json
    assert metadata["resource"] == gateway.origin
    assert metadata["authorization_servers"] == [ISSUER]


@pytest.mark.parametrize("target", ["/orders/42", "/things/1"])
def test_every_challenge_names_it(connections, gateway, world, protocol, target):
    tokens = [None, "garbage", world.broker.token(world.agent, scope="x:y:z"), world.broker.token(world.other)]
    for token in tokens:
        told = connections[protocol].call("GET", target, token) if token else connections[protocol].call("GET", target)
        assert told.status in (401, 403)
        for challenge in told.challenges:
            assert read(challenge)["resource_metadata"] == f"{gateway.origin}{PATH}"


def test_the_challenge_follows_the_origin_not_the_client(client, world, protocol):
    """B4: nothing of what the client says of itself is in it."""
    connection = client.open(protocol, world.agent, name=PUBLIC_NAME)
    fields = [("X-Forwarded-Host", "elsewhere.test"), ("Forwarded", "host=elsewhere.test")]
    told = connection.call("GET", "/orders/42", fields=fields, host=PUBLIC_NAME)
    assert [read(value)["resource_metadata"] for value in told.challenges] == [f"https://{PUBLIC_NAME}{PATH}"]


def test_another_authority_has_none(connections, protocol):
    assert connections[protocol].call("GET", PATH, host="elsewhere.test").code == "misdirected"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_can_only_be_read(connections, upstream, protocol, method):
    told = connections[protocol].call(method, PATH, body=b"x")
    assert told.status in (404, 405)
    assert not upstream.requests


def test_its_head_may_be_asked_for(connections, protocol):
    told = connections[protocol].call("HEAD", PATH)
    assert told.status in (200, 404) and not told.body


@pytest.mark.parametrize("target", [f"{PATH}?a=1", "/.well-known/./oauth-protected-resource", "/x/..%2f.well-known"])
def test_its_path_is_read_like_any_other(connection, upstream, target):
    told = connection.attempt("GET", target)
    assert told is None or told.status in (200, 400, 404)
    assert not upstream.requests


def test_a_certificate_is_still_needed_to_read_it(client):
    assert client.refusal() is not None


def test_nothing_that_is_secret_is_in_it(connections, world, protocol):
    text = json.dumps(connections[protocol].call("GET", PATH).json)
    for secret in (str(world.directory), "127.0.0.1:", "jwks_file", "audit"):
        assert secret not in text


def test_no_key_set_is_served_where_no_tokens_are_minted(connections, upstream, protocol):
    assert connections[protocol].call("GET", "/.well-known/jwks.json").status == 404
    assert not upstream.requests
