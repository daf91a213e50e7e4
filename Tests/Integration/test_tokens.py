"""Every rule on the token alone, over the wire: each refusal differs in one thing from a token that is accepted."""

import base64
import hashlib
import hmac
import json
import time
import zlib

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwe
from joserfc.jwk import OctKey

from clients import Client
from credentials import ABSENT, AUDIENCE, ISSUER, TRUST_DOMAIN, Broker, base64url, cnf, sign

HOSTILE_KEY_IDS = ["../../etc/passwd", "' OR 1=1 --", "ES256\0", "x" * 4000, "", 7, None, ["ES256"], {"kid": "ES256"}]


def now() -> int:
    return int(time.time())


def replaced(token: str, part: int, change) -> str:
    """The token with one of its parts changed after signing."""
    parts = token.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def payload(world, insert: str = "", **changes) -> bytes:
    """The claims as text, with `insert` written before the closing brace: JSON that no library would write."""
    return (
        json.dumps(world.broker.claims(world.agent, **changes)).encode()[:-1]
        + insert.encode("utf-8", "surrogatepass")
        + b"}"
    )


def header(world, insert: str = "", **changes) -> bytes:
    return json.dumps(world.broker.header(**changes)).encode()[:-1] + insert.encode() + b"}"


def forged(world, head=None, claims=None, algorithm="ES256") -> str:
    return world.broker.forge(head or world.broker.header(algorithm), claims or payload(world), algorithm)


def hs256_with_public_key(world) -> str:
    """The classic: the public key's PEM taken for an HMAC secret."""
    pem = world.broker.keys["ES256"].public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = json.dumps({"typ": "at+jwt", "alg": "HS256", "kid": "ES256"}).encode()
    signing_input = f"{base64url(head)}.{base64url(payload(world))}"
    return f"{signing_input}.{base64url(hmac.digest(pem, signing_input.encode(), hashlib.sha256))}"


def signed_by_embedded_key(world) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": base64url(numbers.x.to_bytes(32)), "y": base64url(numbers.y.to_bytes(32))}
    head = json.dumps(world.broker.header(jwk=jwk)).encode()
    signing_input = f"{base64url(head)}.{base64url(payload(world))}"
    return f"{signing_input}.{base64url(sign(key, 'ES256', signing_input.encode()))}"


def encrypted(world, algorithm: str, key, **header) -> str:
    """A JWE whose plaintext is a set of good claims: nobody may take it for a signed token."""
    registry = jwe.JWERegistry(algorithms=[algorithm, "A128GCM"])
    head = {"alg": algorithm, "enc": "A128GCM", "typ": "at+jwt", "kid": "RS256", **header}
    return jwe.encrypt_compact(head, payload(world), key, registry=registry)


def der_signature(world) -> str:
    signing_input = f"{base64url(header(world))}.{base64url(payload(world))}"
    key = world.broker.keys["ES256"].private_key
    return f"{signing_input}.{base64url(key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256())))}"


def nudged(part: str) -> str:
    """The same bytes with an unused trailing bit set, which a lax decoder does not see."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


def claim(**changes):
    return lambda w: w.broker.token(w.agent, **changes)


def claim_text(insert: str, **changes):
    return lambda w: forged(w, claims=payload(w, insert, **changes))


def parameter(**changes):
    return lambda w: forged(w, head=w.broker.header(**changes))


ACCEPTED = {
    "as it should be": claim(),
    "A1 typ in other case": parameter(typ="AT+JWT"),
    "A1 typ with application/": parameter(typ="application/at+jwt"),
    "A3 one of several audiences": claim(aud=["https://other.example.test", AUDIENCE]),
    "A3 a list of one": claim(aud=[AUDIENCE]),
    "A5 expired within the leeway": lambda w: w.broker.token(w.agent, iat=now() - 60, exp=now() - 5),
    "A5 issued a little in the future": lambda w: w.broker.token(w.agent, iat=now() + 5),
    "A5 nbf in the past": lambda w: w.broker.token(w.agent, nbf=now() - 1),
    "A5 a lifetime of an hour": lambda w: w.broker.token(w.agent, iat=now() - 5, exp=now() + 3595),
    "A5 exp with a fraction": lambda w: w.broker.token(w.agent, exp=now() + 100.5),
    "D22 unknown claims": claim(color="blue", nested={"a": [1, None, True, {"b": "c"}]}),
    "D22 an unknown header parameter": parameter(color="blue"),
    "an escaped claim name": claim_text(', "\\u0063olor": "blue"'),
    "characters beyond ASCII": claim(note="søster 😀"),
}

REFUSED = {
    # RFC 9068
    "A1 no typ": parameter(typ=ABSENT),
    "A1 typ JWT": parameter(typ="JWT"),
    "A1 typ of a proof": parameter(typ="dpop+jwt"),
    "A1 typ with another prefix": parameter(typ="text/at+jwt"),
    "A1 typ a number": parameter(typ=1),
    "A2 unknown issuer, bug 21": lambda w: forged(w, claims=w.broker.claims(w.agent, iss="https://elsewhere.test")),
    "A2 issuer with a slash": lambda w: forged(w, claims=w.broker.claims(w.agent, iss=ISSUER + "/")),
    "A2 issuer in other case": lambda w: forged(w, claims=w.broker.claims(w.agent, iss=ISSUER.upper())),
    "A3 another audience": claim(aud="https://other.example.test"),
    "A3 an audience with a slash": claim(aud=AUDIENCE + "/"),
    "A3 other audiences only": claim(aud=["https://other.example.test"]),
    "A3 an empty list": claim(aud=[]),
    "A3 a number": lambda w: forged(w, claims=w.broker.claims(w.agent, aud=7)),
    "A3 a list with a number": lambda w: forged(w, claims=w.broker.claims(w.agent, aud=[AUDIENCE, 7])),
    "A3 the audience as a name": lambda w: forged(w, claims=w.broker.claims(w.agent, aud={AUDIENCE: True})),
    "A4 another's key": lambda w: Broker().token(w.agent),
    "A4 alg none": lambda w: f"{base64url(header(w, alg='none'))}.{base64url(payload(w))}.",
    "A4 alg none with a signature": parameter(alg="none"),
    "A4 HS256 with the public key, bug 29": hs256_with_public_key,
    "A5 expired": lambda w: w.broker.token(w.agent, iat=now() - 400, exp=now() - 40),
    "A5 not valid yet": lambda w: w.broker.token(w.agent, nbf=now() + 60),
    "A5 issued in the future": lambda w: w.broker.token(w.agent, iat=now() + 120, exp=now() + 240),
    "A5 a lifetime of more than an hour": lambda w: w.broker.token(w.agent, exp=now() + 3700),
    "A5 expires before it was issued": lambda w: w.broker.token(w.agent, iat=now() + 20, exp=now() + 10),
    **{f"A6 no {name}": claim(**{name: ABSENT}) for name in ("exp", "aud", "sub", "client_id", "iat", "jti")},
    "A6 no iss": lambda w: forged(w, claims=w.broker.claims(w.agent, iss=ABSENT)),
    "A6 an empty jti": claim(jti=""),
    "A6 an empty sub": claim(sub=""),
    "A6 sub a number": lambda w: forged(w, claims=w.broker.claims(w.agent, sub=7)),
    "A6 client_id null": lambda w: forged(w, claims=w.broker.claims(w.agent, client_id=None)),
    "A7 five parts": lambda w: f"{base64url(header(w, alg='RSA-OAEP', enc='A128GCM'))}.AAAA.AAAA.AAAA.AAAA",
    "A9 an ID token": lambda w: forged(
        w,
        head=w.broker.header(typ=ABSENT),
        claims=w.broker.claims(w.agent, client_id=ABSENT, nonce="n", azp="orchestrator", auth_time=now()),
    ),
    "A9 an ID token that says so": lambda w: forged(
        w, head=w.broker.header(typ="JWT"), claims=w.broker.claims(w.agent, nonce="n", azp="orchestrator")
    ),
    "T1 a JWT-SVID": lambda w: forged(
        w,
        head={"alg": "ES256", "kid": "ES256", "typ": "JWT"},
        claims={"sub": w.agent.spiffe_id, "aud": [AUDIENCE], "exp": now() + 100, "iat": now(), "iss": ISSUER},
    ),
    # RFC 8725
    "J1 alg of another key": lambda w: forged(w, head=w.broker.header(alg="ES384", kid="ES256")),
    "J1 alg in other case": parameter(alg="es256"),
    "J1 alg noNE": parameter(alg="noNE"),
    "J1 alg unknown": parameter(alg="ES257"),
    "J1 no alg": parameter(alg=ABSENT),
    "J1 kid of another key": parameter(kid="Ed25519"),
    "J1 an RSA key used with another of its algorithms": lambda w: forged(
        w, head=w.broker.header("PS256", kid="RS256"), algorithm="PS256"
    ),
    "J3 an encrypted token, bug 24": lambda w: encrypted(w, "RSA-OAEP-256", w.broker.keys["RS256"]),
    "J13 an encrypted token that costs much to open": lambda w: encrypted(
        w, "PBES2-HS256+A128KW", OctKey.import_key("correct horse battery"), p2s="AAAAAAAAAAA", p2c=100_000
    ),
    "J6 a compressed payload": lambda w: forged(
        w, head=w.broker.header(zip="DEF"), claims=zlib.compress(payload(w), wbits=-15)
    ),
    "J6 a payload that expands": lambda w: forged(
        w, head=w.broker.header(zip="DEF"), claims=zlib.compress(payload(w)[:-1] + b" " * 1_000_000 + b"}", wbits=-15)
    ),
    "J9 no audience of ours, in a list of many": claim(aud=[f"https://{n}.example.test" for n in range(50)]),
    "J12 typ of a workload token": parameter(typ="wit+jwt"),
    "J12 typ of a workload proof": parameter(typ="wpt+jwt"),
    "J12 typ of a transaction token": parameter(typ="txntoken+jwt"),
    "J12 typ of a security event": parameter(typ="secevent+jwt"),
    "J12 typ of a status list": parameter(typ="statuslist+jwt"),
    "J12 typ of a logout token": parameter(typ="logout+jwt"),
    "J7 not UTF-8": lambda w: forged(w, claims=payload(w)[:-1] + b', "note": "\xff\xfe"}'),
    "J7 an overlong encoding": lambda w: forged(w, claims=payload(w)[:-1] + b', "note": "\xc0\xaf"}'),
    "J8 sub of another trust domain": claim(sub="spiffe://elsewhere.test/agent"),
    "J10 an unknown kid": parameter(kid="unknown"),
    **{f"J10 kid {str(value)[:16]!a}": parameter(kid=value) for value in HOSTILE_KEY_IDS},
    "J14 a brace": lambda w: "{" + w.broker.token(w.agent),
    # JOSE
    "P1 exp twice": claim_text(f', "exp": {now() + 200}'),
    "P1 exp twice, once escaped": claim_text(f', "\\u0065xp": {now() + 200}'),
    "P1 alg twice": lambda w: forged(w, head=header(w, ', "alg": "ES256"')),
    "P1 alg twice, once escaped": lambda w: forged(w, head=header(w, ', "al\\u0067": "ES256"')),
    "P1 a duplicate in cnf": lambda w: forged(
        w,
        claims=payload(
            w, f', "cnf": {{"x5t#S256": "{w.agent.thumbprint}", "x5t#S256": "{w.agent.thumbprint}"}}', cnf=ABSENT
        ),
    ),
    "P1 a duplicate deep inside an unknown claim": claim_text(', "a": [{"b": 1, "b": 1}]'),
    "P2 a padded signature": lambda w: w.broker.token(w.agent) + "==",
    "P2 a padded payload": lambda w: replaced(w.broker.token(w.agent), 1, lambda part: part + "="),
    "P2 a trailing bit in the signature": lambda w: replaced(w.broker.token(w.agent), 2, nudged),
    "P2 the alphabet of plain base64": lambda w: forged(w).rpartition(".")[0] + ".+/" + "A" * 84,
    "P2 an impossible length": lambda w: replaced(w.broker.token(w.agent), 2, lambda part: part[:-1]),
    "P3 crit, bug 23": parameter(crit=["exp"]),
    "P3 an empty crit": parameter(crit=[]),
    "P3 crit that names what is there": parameter(crit=["color"], color="blue"),
    "P4 b64 false": parameter(b64=False, crit=["b64"]),
    "P4 b64 false without crit": parameter(b64=False),
    "P5 a signature of zeros, bug 26": lambda w: replaced(forged(w), 2, lambda _: base64url(bytes(64))),
    "P5 a signature in DER": der_signature,
    "P5 a short signature": lambda w: replaced(forged(w), 2, lambda _: base64url(bytes(range(63)))),
    "P5 an empty signature": lambda w: replaced(forged(w), 2, lambda _: ""),
    "P5 a very long signature, bug 25": lambda w: replaced(forged(w), 2, lambda _: "A" * 6000),
    "P5 a changed claim": lambda w: replaced(forged(w), 1, lambda _: base64url(payload(w, scope="read:orders:*"))),
    "P7 an Ed25519 signature with S not reduced": lambda w: replaced(
        w.broker.token(w.agent, "Ed25519"), 2, lambda part: base64url(unreduced(part))
    ),
    "P11 a key in the header, bug 29": signed_by_embedded_key,
    "P11 an address of keys in the header": lambda w: Broker().token(
        w.agent, header={"jku": "http://127.0.0.1:1/jwks"}
    ),
    "P13 exp as a string": lambda w: forged(w, claims=w.broker.claims(w.agent, exp=str(now() + 100))),
    "P13 exp beyond any number": claim_text(', "exp": 1e400', exp=ABSENT),
    "P13 exp huge": claim_text(', "exp": 1e300', exp=ABSENT),
    "P13 exp past all integers": claim_text(', "exp": 99999999999999999999999', exp=ABSENT),
    "P13 exp negative": claim(exp=-1),
    "P13 exp true": lambda w: forged(w, claims=w.broker.claims(w.agent, exp=True)),
    "P13 iat as a string": lambda w: forged(w, claims=w.broker.claims(w.agent, iat=str(now()))),
    "P13 iat negative": claim(iat=-1),
    "P13 nbf null": lambda w: forged(w, claims=w.broker.claims(w.agent, nbf=None)),
    "P13 cnf a list": claim(cnf=[]),
    "P13 cnf a string": claim(cnf="x5t#S256"),
    "P13 scope a number": lambda w: forged(w, claims=w.broker.claims(w.agent, scope=7)),
    "P13 scope a list with a number": lambda w: forged(w, claims=w.broker.claims(w.agent, scope=[7])),
    "P13 a list of scopes in one string": claim(scope=["read:orders:41 read:orders:42"]),
    "P13 deep nesting": claim_text(f', "a": {"[" * 900}{"]" * 900}'),
    "P14 one part": lambda w: base64url(header(w)),
    "P14 two parts": lambda w: forged(w).rpartition(".")[0],
    "P14 four parts": lambda w: forged(w) + ".AAAA",
    "P14 a dot at the end": lambda w: forged(w) + ".",
    "P14 a dot at the start": lambda w: "." + forged(w),
    "P14 an empty header": lambda w: replaced(forged(w), 0, lambda _: ""),
    "P14 an empty payload": lambda w: replaced(forged(w), 1, lambda _: ""),
    "P14 dots alone": lambda w: "..",
    "P15 NaN": claim_text(', "a": NaN'),
    "P15 infinity": claim_text(', "a": Infinity'),
    "P15 a comment": claim_text(" /* so */"),
    "P15 a comma too many": claim_text(","),
    "P15 a byte order mark": lambda w: forged(w, claims=b"\xef\xbb\xbf" + payload(w)),
    "P15 a lone surrogate": claim_text(', "a": "\\ud800"'),
    "P15 something after the end": lambda w: forged(w, claims=payload(w) + b"{}"),
    "P15 a control character in a string": claim_text(', "a": "\n"'),
    "P15 a list for claims": lambda w: forged(w, claims=b"[" + payload(w) + b"]"),
    "P15 a list for a header": lambda w: forged(w, head=b"[" + header(w) + b"]"),
    "P15 an empty object": lambda w: forged(w, claims=b"{}"),
    "P15 UTF-16": lambda w: forged(w, claims=payload(w).decode().encode("utf-16")),
    "not a token": lambda w: "garbage",
}


def unreduced(part: str) -> bytes:
    """The signature with the group's order added to S: equal modulo the order, and forbidden (RFC 8032 §5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    signature = base64.urlsafe_b64decode(part + "==")
    return signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")


@pytest.fixture(scope="module")
def connections(gateway, world):
    """One connection of each protocol for the whole module: a refused token does not end it."""
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


@pytest.mark.parametrize("case", ACCEPTED)
def test_is_accepted(connections, world, upstream, protocol, case):
    assert connections[protocol].call("GET", "/orders/42", ACCEPTED[case](world)).status == 200
    assert upstream.request.target == "/orders/42"


@pytest.mark.parametrize("case", REFUSED)
def test_is_refused(connections, gateway, world, upstream, protocol, case):
    told = connections[protocol].call("GET", "/orders/42", REFUSED[case](world))
    assert (told.status, told.code) == (401, "invalid-token")
    assert any(
        challenge.startswith("Bearer ") and 'error="invalid_token"' in challenge for challenge in told.challenges
    )
    assert gateway.reason(told).startswith("token.")
    assert not upstream.requests


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "Ed25519", "EdDSA", "PS256", "RS256"])
def test_every_algorithm_is_understood(connections, world, protocol, algorithm):
    assert connections[protocol].call("GET", "/orders/42", world.broker.token(world.agent, algorithm)).status == 200


@pytest.mark.parametrize("algorithm", ["ES384", "RS256", "EdDSA"])
def test_an_algorithm_that_is_not_listed_is_refused(world, upstream, launch, reach, algorithm):
    configuration = world.configuration(upstream.url, issuers=[world.issuer(algorithms=["ES256", "Ed25519"])])
    connection = reach(launch(configuration)).http1(world.agent)
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent)).status == 200
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent, algorithm)).code == "invalid-token"


def test_a_cached_token_is_refused_once_it_has_expired(world, upstream, launch, reach, protocol):
    """The token is accepted from the cache again and again, until its time is over."""
    configuration = world.configuration(upstream.url, issuers=[world.issuer(clock_leeway="0s")])
    connection = reach(launch(configuration)).open(protocol, world.agent)
    token = world.broker.token(world.agent, iat=now() - 60, exp=now() + 3)
    told = connection.call("GET", "/orders/42", token)
    assert told.status == 200
    while told.status == 200:
        told = connection.call("GET", "/orders/42", token)
    assert (told.status, told.code) == (401, "invalid-token")


def test_a_token_of_one_issuer_signed_by_another_is_refused(world, upstream, launch, reach, protocol):
    """Both issuers are trusted, each for its own tokens."""
    second = Broker("https://second.example.test")
    file = world.write("second.jwks.json", second.jwks())
    issuers = [world.issuer(), world.issuer(issuer=second.issuer, jwks_file=str(file))]
    configuration = world.configuration(upstream.url, issuers=issuers)
    configuration["routes"][0]["require"]["issuers"].append(second.issuer)
    connection = reach(launch(configuration)).open(protocol, world.agent)
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent)).status == 200
    assert connection.call("GET", "/orders/42", second.token(world.agent)).status == 200
    assert connection.call("GET", "/orders/42", second.token(world.agent, iss=ISSUER)).code == "invalid-token"
    assert (
        connection.call("GET", "/orders/42", world.broker.token(world.agent, iss=second.issuer)).code == "invalid-token"
    )


def test_an_issuer_may_be_kept_to_trust_domains(world, upstream, launch, reach):
    """The issuer may name subjects of a domain that is not the listener's, and no other."""
    routes = [{**world.configuration(upstream.url)["routes"][0]}]
    routes[0]["require"]["dangerously_allow_subject_mismatch"] = True
    issuers = [world.issuer(trust_domains=["partner.test"])]
    connection = reach(launch(world.configuration(upstream.url, routes=routes, issuers=issuers))).http1(world.agent)
    partner = world.broker.token(world.agent, sub="spiffe://partner.test/agent", cnf=cnf(world.agent))
    assert connection.call("GET", "/orders/42", partner).status == 200
    ours = world.broker.token(world.agent, sub=f"spiffe://{TRUST_DOMAIN}/agent")
    assert connection.call("GET", "/orders/42", ours).code == "invalid-token"
