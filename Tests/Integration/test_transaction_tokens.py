"""Transaction tokens for the services behind the gateway, verified as they would: by another library, with the keys served."""

import json
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc import jwt
from joserfc.jwk import KeySet
from jwcrypto.jwk import JWKSet
from jwcrypto.jwt import JWT

from clients import Client
from credentials import ABSENT
from gateway import Gateway, sallyport
from proofs import Holder, await_proofs, presented
from world import route

DOMAIN, MINTER = "internal.example", "https://gateway.example.test"
WORKLOAD = "spiffe://example.test/gateway"


def pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def configuration(world, upstream, key, **changes) -> dict:
    file = world.write(f"txn-{type(key).__name__}.key", pem(key))
    file.chmod(0o600)
    minted = {
        "trust_domain": DOMAIN,
        "issuer": MINTER,
        "signing_key_file": str(file),
        "lifetime": "60s",
        "workload": WORKLOAD,
        **changes,
    }
    routes = [
        route("orders", "/orders/{x}", scope="read:orders:{x}", forward={"txn_token": True}),
        route("bound", "/bound/{x}", possession=["dpop"], forward={"txn_token": True}),
        route("plain", "/plain/{x}"),
    ]
    possession = {"dpop": {"future_skew": "1s"}}
    return world.configuration(upstream.url, routes, transaction_tokens=minted, possession=possession)


KEYS = {"ES256": lambda: ec.generate_private_key(ec.SECP256R1()), "Ed25519": ed25519.Ed25519PrivateKey.generate}


@pytest.fixture(scope="module", params=KEYS)
def gateway(request, world, the_upstream, launch):
    return launch(configuration(world, the_upstream, KEYS[request.param]()))


@pytest.fixture(scope="module")
def connections(gateway, world):
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


def served_keys(connection) -> str:
    told = connection.call("GET", "/.well-known/jwks.json")
    assert told.status == 200
    assert told.header("content-type") in ("application/jwk-set+json", "application/json")
    return told.body.decode()


def verified(connection, token: str):
    """Header and claims, by joserfc and jwcrypto, which must agree."""
    keys = served_keys(connection)
    decoded = jwt.decode(token, KeySet.import_key_set(json.loads(keys)), algorithms=["ES256", "Ed25519"])
    other = JWT(jwt=token, key=JWKSet.from_json(keys), algs=["ES256", "Ed25519"])
    assert json.loads(other.claims) == decoded.claims
    return decoded.header, decoded.claims


def test_a_token_tells_of_the_call(connections, world, upstream, protocol):
    told = connections[protocol].call("GET", "/orders/42?secret=x", world.broker.token(world.agent))
    assert told.status == 200
    header, claims = verified(connections[protocol], upstream.request.header("txn-token"))
    assert header["typ"] == "txntoken+jwt"
    assert claims["iss"] == MINTER and claims["aud"] == DOMAIN
    assert claims["sub"] == world.agent.spiffe_id
    assert claims["txn"] == told.request_id
    assert claims["req_wl"] == WORKLOAD
    assert claims["scope"] == "read:orders:42"
    assert abs(claims["iat"] - time.time()) < 60
    assert claims["exp"] - claims["iat"] == 60
    assert "secret" not in json.dumps(claims)


def test_each_call_has_its_own(connections, world, upstream, protocol):
    token, seen = world.broker.token(world.agent), set()
    for _ in range(3):
        connections[protocol].call("GET", "/orders/42", token)
        seen.add(verified(connections[protocol], upstream.requests[-1].header("txn-token"))[1]["txn"])
    assert len(seen) == 3


def test_it_does_not_outlive_the_access_token(connections, world, upstream, protocol):
    now = int(time.time())
    token = world.broker.token(world.agent, iat=now - 10, exp=now + 20)
    assert connections[protocol].call("GET", "/orders/42", token).status == 200
    assert verified(connections[protocol], upstream.request.header("txn-token"))[1]["exp"] <= now + 20


def test_a_clients_own_is_removed(connections, world, upstream, protocol):
    for target in ("/orders/42", "/plain/1"):
        upstream.clear()
        fields = [("Txn-Token", "from.the.client"), ("txn_token", "from.the.client")]
        assert connections[protocol].call("GET", target, world.broker.token(world.agent), fields).status == 200
        assert "from.the.client" not in [value for _, value in upstream.request.fields]
        assert bool(upstream.request.header("txn-token")) == (target == "/orders/42")


def test_it_holds_no_word_of_the_clients_token(connections, world, upstream, protocol):
    token = world.broker.token(world.agent, note="of-the-client", sponsor=ABSENT)
    assert connections[protocol].call("GET", "/orders/42", token).status == 200
    minted = upstream.request.header("txn-token")
    assert "of-the-client" not in json.dumps(verified(connections[protocol], minted)[1])
    assert upstream.request.header("authorization") is None


def test_it_is_no_access_token_here(connections, world, upstream, protocol):
    """J12: sent back to the gateway, it opens nothing."""
    assert connections[protocol].call("GET", "/orders/42", world.broker.token(world.agent)).status == 200
    minted = upstream.request.header("txn-token")
    assert connections[protocol].call("GET", "/orders/42", minted).code == "invalid-token"
    assert len(upstream.requests) == 1


def test_a_claim_cannot_break_out_of_it(connections, world, upstream, protocol):
    hostile = 'client-7","scope":"read:orders:*","a":"'
    token = world.broker.token(world.agent, sub=hostile)
    told = connections[protocol].call("GET", "/orders/42", token)
    if told.status == 200:
        claims = verified(connections[protocol], upstream.request.header("txn-token"))[1]
        assert claims["sub"] == hostile and claims["scope"] == "read:orders:42"
    else:
        assert told.code == "invalid-token"


def test_it_tells_how_possession_was_proved(connections, gateway, world, upstream, protocol):
    holder = Holder()
    await_proofs(gateway, world, holder)
    upstream.clear()
    token = world.broker.token(world.agent, cnf=holder.cnf)
    proof = holder.proof("GET", f"{gateway.origin}/bound/1", token)
    assert connections[protocol].call("GET", "/bound/1", fields=presented(token, proof)).status == 200
    claims = verified(connections[protocol], upstream.request.header("txn-token"))[1]
    assert claims["rctx"]["possession"] == ["dpop"]
    assert claims["rctx"]["agent"] == world.agent.spiffe_id


def test_only_the_public_key_is_served(connections, protocol):
    keys = json.loads(served_keys(connections[protocol]))["keys"]
    assert len(keys) == 1
    assert not {"d", "p", "q", "k"} & keys[0].keys()
    assert KeySet.import_key_set({"keys": keys}).keys[0].thumbprint() == keys[0]["kid"]


@pytest.mark.parametrize(
    "key", [rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())], ids=["RSA", "P-384"]
)
def test_a_key_of_another_kind_is_refused_by_name(world, upstream, tmp_path, key):
    told = sallyport("check", "--config", str(Gateway(tmp_path, configuration(world, upstream, key)).file))
    assert told.returncode == 1
    assert "signing_key_file" in told.stderr


def test_a_route_cannot_ask_for_what_is_not_configured(world, upstream, tmp_path):
    routes = [route("orders", "/orders/{x}", forward={"txn_token": True})]
    told = sallyport("check", "--config", str(Gateway(tmp_path, world.configuration(upstream.url, routes)).file))
    assert told.returncode == 1
    assert "txn_token" in told.stderr or "transaction_tokens" in told.stderr
