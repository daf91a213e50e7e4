"""Clients that others wrote, as they come: what they do out of the box must work."""

import pytest
import requests
from requests_oauth2client import BearerToken, DPoPKey, DPoPToken
from requests_oauth2client.dpop import InvalidUseDPoPNonceResponse

from credentials import cnf
from world import route

ALGORITHMS = ["ES256", "ES384", "ES512", "EdDSA", "PS256", "RS256"]


@pytest.fixture(scope="module", params=["off", "required"])
def gateway(request, world, the_upstream, launch):
    routes = [
        route("bound", "/bound/{rest...}", possession=["dpop"]),
        route("certificate", "/certificate/{x}"),
    ]
    dpop = {"nonce": request.param, "future_skew": "1s", "algorithms": ALGORITHMS}
    configuration = world.configuration(the_upstream.url, routes, possession={"dpop": dpop})
    configuration["listeners"][0]["clients"]["certificate"] = "optional"
    gateway = launch(configuration)
    client = DPoPClient(gateway, world)
    gateway.wait(lambda: client.get("/bound/0").status_code == 200, "a proof of after the start")
    client.session.close()
    return gateway


class TidyDPoPToken(DPoPToken):
    """The library leaves an answer that asks for a nonce unread, and its connection open; this reads it."""

    def _response_hook(self, response: requests.Response, **options) -> requests.Response:
        assert response.content is not None
        return super()._response_hook(response, **options)


class DPoPClient:
    """requests with the DPoP of requests_oauth2client, which proves each call and follows nonces by itself."""

    def __init__(self, gateway, world, algorithm="ES256", **claims):
        self.origin = gateway.origin
        key = DPoPKey.generate(algorithm)
        self.token = world.broker.token(world.agent, cnf={"jkt": key.dpop_jkt}, **claims)
        self.auth = TidyDPoPToken(access_token=self.token, _dpop_key=key)
        self.session = requests.Session()
        self.session.trust_env = False  # or the environment's authorities would take the place of ours
        self.session.verify = str(world.servers.file)

    def get(self, target: str, **options) -> requests.Response:
        return self.request("GET", target, **options)

    def request(self, method: str, target: str, **options) -> requests.Response:
        return self.session.request(method, self.origin + target, auth=self.auth, **options)


@pytest.fixture
def connect(gateway, world):
    """Makes clients, whose connections are closed after the test."""
    clients = []

    def connect(algorithm: str = "ES256") -> DPoPClient:
        clients.append(DPoPClient(gateway, world, algorithm))
        return clients[-1]

    yield connect
    for client in clients:
        client.session.close()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_requests_oauth2client_makes_calls(connect, upstream, algorithm):
    client = connect(algorithm)
    for target in ("/bound/1", "/bound/a/b?c=d&e=f", "/bound/%C3%A9", "/bound/a%20b", "/bound/a~b", "/bound/a+b"):
        assert client.get(target).status_code == 200, target
    assert client.request("POST", "/bound/1", data=b"hello").status_code == 200
    assert (upstream.requests[-1].method, upstream.requests[-1].body_bytes) == ("POST", 5)


def test_requests_oauth2client_makes_many_calls_on_one_connection(connect, upstream):
    client = connect()
    assert {client.get(f"/bound/{number}").status_code for number in range(50)} == {200}


def test_requests_oauth2client_follows_a_nonce(gateway, connect, upstream):
    """Where one is wanted it calls twice, once; afterwards it knows."""
    client = connect()
    assert client.get("/bound/1").status_code == client.get("/bound/1").status_code == 200
    wanted = gateway.configuration["possession"]["dpop"]["nonce"] == "required"
    assert bool(client.auth.dpop_key.rs_nonce) == wanted
    assert len(upstream.requests) == 2


def test_requests_oauth2client_with_a_stolen_token(connect, upstream):
    """Another's token with a key of one's own."""
    victim, thief = connect(), connect()
    thief.auth = TidyDPoPToken(access_token=victim.token, _dpop_key=thief.auth.dpop_key)
    # The library takes every 401 with a DPoP challenge for a wish for a nonce, and says so where it finds none.
    with pytest.raises(InvalidUseDPoPNonceResponse) as refused:
        thief.get("/bound/1")
    told = refused.value.response
    assert told.status_code == 401
    assert 'error="invalid_token"' in told.headers["WWW-Authenticate"]
    assert not upstream.requests
    assert victim.get("/bound/1").status_code == 200


def test_requests_oauth2client_as_a_bearer(connect, upstream):
    """The same token without its key."""
    client = connect()
    client.auth = BearerToken(client.token)
    assert client.get("/bound/1").status_code == 401
    assert not upstream.requests


def test_requests_with_a_certificate(gateway, world, upstream):
    """RFC 8705 needs nothing of a client but TLS."""
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(world.servers.file)
        session.cert = (str(world.agent.chain_file), str(world.agent.key_file))
        token = BearerToken(world.broker.token(world.agent, cnf=cnf(world.agent)))
        assert session.get(f"{gateway.origin}/certificate/1", auth=token).status_code == 200
        stolen = BearerToken(world.broker.token(world.other))
        assert session.get(f"{gateway.origin}/certificate/1", auth=stolen).status_code == 401
