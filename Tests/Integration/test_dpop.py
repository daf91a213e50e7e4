"""RFC 9449 at a resource server, rule by rule: each refused proof differs in one thing from one that is accepted.

The names begin with the rule: D1 to D22 are those of RFC 9449 §4.3 and its neighbours, J those of RFC 8725, P those of
JOSE's own documents; a bug is one that somebody else had.
"""

import base64
import hashlib
import json
import secrets
import time
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, OctKey, RSAKey

from clients import Client
from credentials import ABSENT, ALGORITHMS, LIBRARIES, base64url, cnf, generate_key, hash_of
from proofs import Holder, await_proofs, presented, rsa_key
from world import World, route

ACCEPT_WINDOW, FUTURE_SKEW = 60, 1
PUBLIC_NAME = "gateway.example.test"  # an origin on the default port


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    routes = [
        route("bound", "/bound/{rest...}", possession=["dpop"]),
        route("root", "/", possession=["dpop"]),
        route("either", "/either/{x}", possession=["certificate", "dpop"]),
        route("certificate", "/certificate/{x}"),
        route("scoped", "/orders/{x}", possession=["dpop"], scope="read:orders:{x}"),
        route("kept", "/kept/{x}", possession=["dpop"], forward={"authorization": "keep"}),
        route("bearer", "/bearer/{x}", possession=["dpop"], forward={"authorization": "bearer"}),
    ]
    dpop = {
        "algorithms": list(ALGORITHMS),
        "accept_window": f"{ACCEPT_WINDOW}s",
        "future_skew": f"{FUTURE_SKEW}s",
    }
    configuration = world.configuration(
        the_upstream.url, routes, possession={"dpop": dpop}, limits={"proof_bytes": "8KiB"}
    )
    configuration["listeners"][0]["origins"].append(f"https://{PUBLIC_NAME}")
    gateway = launch(configuration)
    await_proofs(gateway, world, Holder())
    return gateway


@pytest.fixture(scope="module")
def holder() -> Holder:
    return Holder()


@pytest.fixture(scope="module")
def connections(gateway, world):
    """One connection of each protocol for the whole module: a refused proof does not end it."""
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


@dataclass
class Call:
    """What a case has at hand: a holder with a token bound to its key, and the URI that it calls."""

    world: World
    origin: str
    holder: Holder
    token: str

    @property
    def uri(self) -> str:
        return f"{self.origin}/bound/42"

    def proof(self, header=None, holder: Holder | None = None, **claims) -> str:
        """A good proof with changes to its header and claims."""
        parts = {"htm": "GET", "htu": self.uri, **claims}
        return (holder or self.holder).proof(parts.pop("htm"), parts.pop("htu"), self.token, header, **parts)

    def header(self, insert: str = "", **changes) -> bytes:
        return json.dumps(self.holder.header(**changes)).encode()[:-1] + insert.encode() + b"}"

    def payload(self, insert: str = "", **changes) -> bytes:
        """The claims as text, with `insert` written before the closing brace: JSON that no library would write."""
        claims = self.holder.claims("GET", self.uri, self.token, **changes)
        return json.dumps(claims).encode()[:-1] + insert.encode("utf-8", "surrogatepass") + b"}"

    def written(self, header: bytes | None = None, payload: bytes | None = None) -> str:
        return self.holder.sign(header or self.header(), payload or self.payload())

    def jwk(self, **changes) -> str:
        """A proof whose key is written with changes."""
        jwk = {name: value for name, value in {**self.holder.public, **changes}.items() if value is not ABSENT}
        return self.proof(header={"jwk": jwk})


@pytest.fixture
def case(world, gateway, holder) -> Call:
    return Call(world, gateway.origin, holder, world.broker.token(world.agent, cnf=holder.cnf))


def now() -> int:
    return int(time.time())


def claims(**changes):
    return lambda c: c.proof(**changes)


def header(**changes):
    return lambda c: c.proof(header=changes)


def payload_text(insert: str, **changes):
    return lambda c: c.written(payload=c.payload(insert, **changes))


def replaced(proof: str, part: int, change) -> str:
    """The proof with one of its parts changed after signing."""
    parts = proof.split(".")
    parts[part] = change(parts[part])
    return ".".join(parts)


def nudged(part: str) -> str:
    """The same bytes with an unused trailing bit set, which a lax decoder does not see."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


def symmetric(c: Call) -> str:
    """A proof by HMAC, whose key is in the header for all to see."""
    key = OctKey.generate_key(256)
    head = {"typ": "dpop+jwt", "alg": "HS256", "jwk": key.as_dict()}
    payload = c.holder.claims("GET", c.uri, c.token)
    signing_input = ".".join(base64url(json.dumps(part).encode()) for part in (head, payload))
    signature = hashlib.sha256(signing_input.encode()).digest()
    return f"{signing_input}.{base64url(signature)}"


def in_der(c: Call) -> str:
    signing_input = f"{base64url(c.header())}.{base64url(c.payload())}"
    signature = c.holder.key.private_key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    return f"{signing_input}.{base64url(signature)}"


def signed_by_another(c: Call) -> str:
    """The holder's key is in the header, but another one signed."""
    return Holder().sign(c.header(), c.payload())


def shorter_coordinate(c: Call) -> str:
    """A point whose x begins with a zero byte, written without it: the same key under another thumbprint."""
    key = generate_key("ES256")
    while base64.urlsafe_b64decode(key.as_dict(private=False)["x"] + "=")[0] != 0:
        key = generate_key("ES256")
    jwk = key.as_dict(private=False)
    jwk["x"] = base64url(base64.urlsafe_b64decode(jwk["x"] + "=")[1:])
    return c.proof(holder=Holder(key=key), header={"jwk": jwk})


def off_the_curve(c: Call) -> str:
    return c.jwk(y=base64url(bytes(31) + b"\5"))


# The proof itself

ACCEPTED = {
    "as it should be": claims(),
    "D4 typ with application/": header(typ="application/dpop+jwt"),
    "D4 typ in other case": header(typ="DPoP+JWT"),
    "D5 the key names its algorithm": lambda c: c.jwk(alg="ES256"),
    "D5 the key is for signatures": lambda c: c.jwk(use="sig"),
    "D5 the key may verify": lambda c: c.jwk(key_ops=["verify"]),
    "D5 the key has a name": lambda c: c.jwk(kid="key-1"),
    "D7 the members of the key in another order": lambda c: c.proof(
        header={"jwk": dict(reversed(c.holder.public.items()))}
    ),
    "D10 a nonce that nobody asked for": claims(nonce="abc"),
    "D11 a moment in the future": lambda c: c.proof(iat=time.time() + FUTURE_SKEW - 0.5),
    "D11 a fraction of a second": lambda c: c.proof(iat=time.time()),
    "D11 exp to come": lambda c: c.proof(exp=now() + 30),
    "D11 nbf in the past": lambda c: c.proof(nbf=now() - 30),
    "D12 a jti of 256 bytes": lambda c: c.proof(jti=secrets.token_hex(128)),
    "D22 unknown claims": claims(color="blue", nested={"a": [1, None, {"b": "c"}]}),
    "D22 unknown header parameters": header(color="blue", kid="key-1"),
    "P1 an escaped claim name": payload_text(', "\\u0063olor": "blue"'),
    "P9 a key with members beside those of its thumbprint": lambda c: c.jwk(color="blue", x5t="AAAA"),
}

REFUSED = {
    # One JWT, and a well-formed one
    "D2 empty": lambda c: "x",
    "D2 garbage": lambda c: "garbage",
    "D2 two parts": lambda c: c.proof().rpartition(".")[0],
    "D2 four parts": lambda c: c.proof() + ".AAAA",
    "D2 five parts": lambda c: c.proof() + ".AAAA.AAAA",
    "D2 a dot at the end": lambda c: c.proof() + ".",
    "D2 a dot at the start": lambda c: "." + c.proof(),
    "D2 dots alone": lambda c: "..",
    "D2 an empty payload": lambda c: replaced(c.proof(), 1, lambda _: ""),
    "D2 an empty signature": lambda c: replaced(c.proof(), 2, lambda _: ""),
    "D2 quotes around it": lambda c: f'"{c.proof()}"',
    "D2 the JSON serialisation": lambda c: json.dumps({"payload": c.proof().split(".")[1]}).replace(" ", ""),
    "J14 a brace": lambda c: "{" + c.proof(),
    "J14 a slash": lambda c: c.proof() + "/",
    "J14 a tilde": lambda c: c.proof() + "~",
    "J3 an encrypted one, bug 24": lambda c: f"{base64url(c.header(alg='RSA-OAEP', enc='A128GCM'))}.AA.AA.AA.AA",
    # What must be in it
    **{f"D3 no {name}": header(**{name: ABSENT}) for name in ("typ", "alg", "jwk")},
    **{f"D3 no {name}": claims(**{name: ABSENT}) for name in ("jti", "htm", "htu", "iat")},
    "D3 no ath, bug 14": claims(ath=ABSENT),
    "D3 typ a number": header(typ=7),
    "D3 jwk a string": header(jwk="key-1"),
    "D3 jwk a list": lambda c: c.proof(header={"jwk": [c.holder.public]}),
    "D3 jwk null": header(jwk=None),
    "D3 htm a number": claims(htm=7),
    "D3 htm a list": claims(htm=["GET"]),
    "D3 htu a list": lambda c: c.proof(htu=[c.uri]),
    "D3 ath null": claims(ath=None),
    "D3 jti a number": claims(jti=7),
    "D4 typ JWT": header(typ="JWT"),
    "D4 typ at+jwt": header(typ="at+jwt"),
    "D4 typ wpt+jwt": header(typ="wpt+jwt"),
    "D4 typ with another prefix": header(typ="text/dpop+jwt"),
    "D4 typ that goes on": header(typ="dpop+jwt2"),
    "D4 typ with a space": header(typ="dpop+jwt "),
    "J12 an access token in its place": lambda c: c.token,
    # The algorithm and the key
    "D5 alg none": lambda c: replaced(c.proof(header={"alg": "none"}), 2, lambda _: ""),
    "D5 alg none with a signature": header(alg="none"),
    "D5 alg noNE": header(alg="noNE"),
    "D5 alg in other case": header(alg="es256"),
    "D5 alg unknown": header(alg="ES257"),
    "D5 alg a number": header(alg=256),
    "D5 an algorithm that is not listed": lambda c: Holder("PS384", RSAKey.generate_key(2048)).proof(
        "GET", c.uri, c.token
    ),
    "D5 ES256K": header(alg="ES256K"),
    "D5 an HMAC with the key in the header, bug 29": symmetric,
    "D5 HS256 with a public key": header(alg="HS256"),
    "D5 alg of another curve": header(alg="ES384"),
    "D5 alg of another kind of key": header(alg="PS256"),
    "D5 the key is for another algorithm": lambda c: c.jwk(alg="ES384"),
    "D5 the key names an unknown algorithm": lambda c: c.jwk(alg="x"),
    "D5 the key is for encryption": lambda c: c.jwk(use="enc"),
    "D5 the key may only sign": lambda c: c.jwk(key_ops=["sign"]),
    "D5 the key may do nothing": lambda c: c.jwk(key_ops=[]),
    "D6 another key signed": signed_by_another,
    "D6 a changed claim": lambda c: replaced(c.proof(htm="POST"), 1, lambda _: base64url(c.payload())),
    "D6 a signature of zeros, bug 26": lambda c: replaced(c.proof(), 2, lambda _: base64url(bytes(64))),
    "D6 a signature of ones": lambda c: replaced(c.proof(), 2, lambda _: base64url((b"\0" * 31 + b"\1") * 2)),
    "D6 a signature in DER": in_der,
    "D6 a signature of the wrong length": lambda c: replaced(c.proof(), 2, lambda _: base64url(bytes(range(63)))),
    "D6 a very long signature, bug 25": lambda c: replaced(c.proof(), 2, lambda _: "A" * 6000),
    **{
        f"D7 a key with {name}, bug 15": lambda c, name=name: c.jwk(**{name: "AQAB"})
        for name in ("p", "q", "dp", "dq", "qi", "k", "priv")
    },
    "D7 the private key, bug 15": lambda c: c.proof(header={"jwk": c.holder.private}),
    "D7 a key with oth": lambda c: c.jwk(oth=[{"r": "AQAB"}]),
    "D7 a private member of null": lambda c: c.jwk(d=None),
    "D7 a symmetric key": lambda c: c.proof(header={"jwk": {"kty": "oct", "k": "AQAB"}}),
    "J4 a point off the curve": off_the_curve,
    "J4 the point at zero": lambda c: c.jwk(x=base64url(bytes(32)), y=base64url(bytes(32))),
    "J4 a coordinate beyond the field": lambda c: c.jwk(x=base64url(b"\xff" * 32)),
    "P8 a shorter coordinate": shorter_coordinate,
    "P8 a longer coordinate": lambda c: c.jwk(
        x=base64url(b"\0" + base64.urlsafe_b64decode(c.holder.public["x"] + "="))
    ),
    "P8 a padded coordinate": lambda c: c.jwk(x=c.holder.public["x"] + "="),
    "P8 a trailing bit in a coordinate": lambda c: c.jwk(x=nudged(c.holder.public["x"])),
    "P8 no y": lambda c: c.jwk(y=ABSENT),
    "P8 no curve": lambda c: c.jwk(crv=ABSENT),
    "P8 another curve": lambda c: c.jwk(crv="secp256k1"),
    "P8 an unknown kty": lambda c: c.jwk(kty="AKP"),
    "P8 kty in other case": lambda c: c.jwk(kty="ec"),
    "P8 no kty": lambda c: c.jwk(kty=ABSENT),
    "P11 the key by its address": lambda c: c.proof(header={"jwk": ABSENT, "jku": "http://127.0.0.1:1/keys"}),
    "P11 the key by its name": lambda c: c.proof(header={"jwk": ABSENT, "kid": "ES256"}),
    # The method
    "D8 another method": claims(htm="POST"),
    "D8 the method in other case": claims(htm="get"),
    "D8 a space behind the method": claims(htm="GET "),
    "D8 an empty method": claims(htm=""),
    "D8 any method": claims(htm="*"),
    "D8 two methods": claims(htm="GET,POST"),
    # When
    "D11 too old": lambda c: c.proof(iat=now() - ACCEPT_WINDOW - 2),
    "D11 an hour old": lambda c: c.proof(iat=now() - 3600),
    "D11 too far in the future": lambda c: c.proof(iat=now() + FUTURE_SKEW + 3),
    "D11 an hour in the future": lambda c: c.proof(iat=now() + 3600),
    "D11 milliseconds for seconds": lambda c: c.proof(iat=now() * 1000),
    "D11 iat a string": lambda c: c.proof(iat=str(now())),
    "D11 iat null": claims(iat=None),
    "D11 iat true": claims(iat=True),
    "D11 iat a list": lambda c: c.proof(iat=[now()]),
    "D11 iat zero": claims(iat=0),
    "D11 iat negative": lambda c: c.proof(iat=-now()),
    "D11 iat beyond any number": payload_text(', "iat": 1e400', iat=ABSENT),
    "D11 iat huge": payload_text(', "iat": 1e300', iat=ABSENT),
    "D11 iat past all integers": payload_text(', "iat": 99999999999999999999999', iat=ABSENT),
    "D11 iat not a number": payload_text(', "iat": NaN', iat=ABSENT),
    "D11 exp in the past": lambda c: c.proof(exp=now() - 5),
    "D11 exp a string": lambda c: c.proof(exp=str(now() + 30)),
    "D11 nbf to come": lambda c: c.proof(nbf=now() + 30),
    "D12 an empty jti": claims(jti=""),
    "D12 a jti of 257 bytes": claims(jti="x" * 257),
    "D12 a long jti, bug 44": claims(jti="x" * 3000),
    # The token
    "D13 ath of another token": lambda c: c.proof(ath=hash_of("another")),
    "D13 ath padded": lambda c: c.proof(ath=hash_of(c.token) + "="),
    "D13 ath with a trailing bit": lambda c: c.proof(ath=nudged(hash_of(c.token))),
    "D13 ath in hex": lambda c: c.proof(ath=hashlib.sha256(c.token.encode()).hexdigest()),
    "D13 ath by SHA-1": lambda c: c.proof(ath=base64url(hashlib.sha1(c.token.encode()).digest())),
    "D13 ath cut": lambda c: c.proof(ath=hash_of(c.token)[:-2]),
    "D13 ath empty": claims(ath=""),
    "D13 ath the token itself": lambda c: c.proof(ath=c.token),
    # What JOSE asks of any JWT
    "D22 crit": header(crit=["exp"]),
    "D22 crit that names what is there, bug 23": header(crit=["color"], color="blue"),
    "D22 an empty crit": header(crit=[]),
    "P4 b64 false": header(b64=False, crit=["b64"]),
    "P4 b64 false without crit": header(b64=False),
    "P1 htu twice": lambda c: c.written(payload=c.payload(f', "htu": "{c.uri}"')),
    "P1 htu twice, once escaped": lambda c: c.written(payload=c.payload(f', "h\\u0074u": "{c.uri}"')),
    "P1 jwk twice": lambda c: c.written(header=c.header(f', "jwk": {json.dumps(c.holder.public)}')),
    "P1 alg twice, once escaped": lambda c: c.written(header=c.header(', "al\\u0067": "ES256"')),
    "P1 a duplicate inside the key": lambda c: c.written(
        header=c.header(f', "jwk": {json.dumps(c.holder.public)[:-1]}, "kty": "EC"}}', jwk=ABSENT)
    ),
    "P2 a padded payload": lambda c: replaced(c.proof(), 1, lambda part: part + "="),
    "P2 a padded signature": lambda c: c.proof() + "==",
    "P2 a trailing bit in the signature": lambda c: replaced(c.proof(), 2, nudged),
    "P2 the alphabet of plain base64": lambda c: c.proof().rpartition(".")[0] + ".+/" + "A" * 84,
    "P13 deep nesting": payload_text(f', "a": {"[" * 300}{"]" * 300}'),
    "P15 something after the end": lambda c: c.written(payload=c.payload() + b"{}"),
    "P15 a byte order mark": lambda c: c.written(payload=b"\xef\xbb\xbf" + c.payload()),
    "P15 not UTF-8": lambda c: c.written(payload=c.payload()[:-1] + b', "a": "\xff"}'),
    "P15 a lone surrogate": payload_text(', "a": "\\ud800"'),
    "P15 infinity": payload_text(', "a": Infinity'),
    "P15 a comment": payload_text(" /* so */"),
    "P15 a comma too many": payload_text(","),
    "P15 a list for claims": lambda c: c.written(payload=b"[" + c.payload() + b"]"),
    "P15 a list for a header": lambda c: c.written(header=b"[" + c.header() + b"]"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_is_accepted(connections, case, upstream, protocol, name):
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, ACCEPTED[name](case)))
    assert told.status == 200
    assert upstream.request.header("dpop") is None


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(connections, gateway, case, upstream, protocol, name):
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, REFUSED[name](case)))
    assert (told.status, told.code) == (401, "invalid-proof")
    assert parameters(told, "DPoP")["error"] == "invalid_dpop_proof"
    assert gateway.reason(told).startswith(("dpop.", "possession.key"))
    assert not upstream.requests


@pytest.mark.parametrize("thief", [Holder(), Holder("ES384"), Holder("Ed25519")], ids=lambda holder: holder.algorithm)
def test_D14_the_key_must_be_the_tokens(connections, gateway, case, upstream, protocol, thief):
    """Bug 13: somebody else's token with a good proof by one's own key, of which only the binding is wrong."""
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, case.proof(holder=thief)))
    assert (told.status, told.code) == (401, "invalid-token")
    assert parameters(told, "DPoP")["error"] == "invalid_token"
    assert gateway.reason(told) == "dpop.jkt"
    own = case.world.broker.token(case.world.agent, cnf=thief.cnf)
    told = connections[protocol].call("GET", "/bound/42", fields=presented(own, thief.proof("GET", case.uri, own)))
    assert told.status == 200
    assert len(upstream.requests) == 1


def parameters(told, scheme: str) -> dict[str, str]:
    """The parameters of the only challenge of a scheme."""
    found = [challenge for challenge in told.challenges if challenge.split(" ")[0] == scheme]
    assert len(found) == 1, told.challenges
    pairs = found[0].partition(" ")[2]
    return dict(pair.strip().split("=", 1) for pair in pairs.replace('"', "").split(",") if pair)


@pytest.mark.parametrize("part", ["proof", "token"])
def test_D6_no_change_of_one_character_passes(connections, case, upstream, part):
    """At every place: another letter of the alphabet, a character too few, one too many."""
    connection, proof = connections["h2"], case.proof()
    text = proof if part == "proof" else case.token
    streams = []
    for place in range(1, len(text)):
        other = "B" if text[place] in "A." else "A"
        for changed in (text[:place] + other + text[place + 1 :], text[:place] + text[place + 1 :], text[:place]):
            pair = (case.token, changed) if part == "proof" else (changed, proof)
            streams.append(connection.start("GET", "/bound/42", fields=presented(*pair)))
        statuses = {connection.response(stream).status for stream in streams[-3:]}
        assert statuses == {401}, place
    assert not upstream.requests
    assert connection.call("GET", "/bound/42", fields=presented(case.token, proof)).status == 200


# D5, P6, P7: every kind of key


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_D5_every_kind_of_key_by_two_libraries(connections, world, gateway, upstream, protocol, algorithm, library):
    holder = Holder(algorithm)
    token = world.broker.token(world.agent, algorithm, library=library, cnf=holder.cnf)
    proof = holder.proof("GET", f"{gateway.origin}/bound/42", token, library=library)
    assert connections[protocol].call("GET", "/bound/42", fields=presented(token, proof)).status == 200
    assert connections[protocol].call("GET", "/bound/42", fields=presented(token, proof)).code == "invalid-proof"


RSA_SIZES = {1024: False, 2048: True, 4096: True, 8192: True, 16384: False}


@pytest.fixture(scope="module", params=RSA_SIZES)
def rsa_holder(request) -> tuple[Holder, bool]:
    bits = request.param
    small = bits < 4096
    key = RSAKey.import_key(rsa.generate_private_key(65537, bits)) if small else rsa_key(bits)
    return Holder("PS256", key), RSA_SIZES[bits]


def test_P6_an_RSA_key_has_2048_to_8192_bits(connections, world, gateway, upstream, protocol, rsa_holder):
    """Bug 44: to verify a signature of a larger one costs so much that it would be a weapon."""
    holder, is_fine = rsa_holder
    token = world.broker.token(world.agent, cnf=holder.cnf)
    proof = holder.proof("GET", f"{gateway.origin}/bound/42", token)
    told = connections[protocol].call("GET", "/bound/42", fields=presented(token, proof))
    assert told.status == (200 if is_fine else 401)
    assert is_fine or (told.code, gateway.reason(told)) == ("invalid-proof", "dpop.key")


RSA_FAULTS = {
    "an exponent of one": {"e": base64url(b"\1")},
    "an even exponent": {"e": base64url(b"\4")},
    "an even modulus": {"n": base64url(b"\xc0" + bytes(255))},
    "a modulus with a leading zero": {"n": base64url(bytes(1) + b"\xc1" * 256)},
    "no exponent": {"e": ABSENT},
    "no modulus": {"n": ABSENT},
    "a modulus of nothing": {"n": ""},
}


@pytest.mark.parametrize("name", RSA_FAULTS)
def test_P6_a_malformed_RSA_key_is_refused(connections, world, gateway, upstream, rsa_2048, name):
    token = world.broker.token(world.agent, cnf=rsa_2048.cnf)
    jwk = {key: value for key, value in {**rsa_2048.public, **RSA_FAULTS[name]}.items() if value is not ABSENT}
    proof = rsa_2048.proof("GET", f"{gateway.origin}/bound/42", token, header={"jwk": jwk})
    told = connections["h2"].call("GET", "/bound/42", fields=presented(token, proof))
    assert (told.status, told.code, gateway.reason(told)) == (401, "invalid-proof", "dpop.key")
    whole = rsa_2048.proof("GET", f"{gateway.origin}/bound/42", token)
    assert connections["h2"].call("GET", "/bound/42", fields=presented(token, whole)).status == 200


@pytest.fixture(scope="module")
def rsa_2048() -> Holder:
    return Holder("RS256")


def test_D5_an_algorithm_is_the_operators_choice(world, upstream, launch, reach):
    configuration = world.configuration(
        upstream.url,
        [route("bound", "/bound/{x}", possession=["dpop"])],
        possession={"dpop": {"algorithms": ["ES256"], "future_skew": "1s"}},
    )
    gateway = launch(configuration)
    await_proofs(gateway, world, Holder())
    connection = reach(gateway).http1(world.agent)
    for algorithm, status in (("ES256", 200), ("Ed25519", 401), ("RS256", 401)):
        holder = Holder(algorithm)
        token = world.broker.token(world.agent, cnf=holder.cnf)
        proof = holder.proof("GET", f"{gateway.origin}/bound/42", token)
        told = connection.call("GET", "/bound/42", fields=presented(token, proof))
        assert told.status == status, algorithm
        assert status == 200 or parameters(told, "DPoP")["algs"] == "ES256"


def test_P7_an_ed25519_signature_is_reduced(connections, world, gateway, upstream):
    holder = Holder("Ed25519")
    token = world.broker.token(world.agent, cnf=holder.cnf)
    proof = holder.proof("GET", f"{gateway.origin}/bound/42", token)
    order = 2**252 + 27742317777372353535851937790883648493
    signature = base64.urlsafe_b64decode(proof.split(".")[2] + "==")
    unreduced = signature[:32] + (int.from_bytes(signature[32:], "little") + order).to_bytes(32, "little")
    other = f"{proof.rpartition('.')[0]}.{base64url(unreduced)}"
    assert connections["h2"].call("GET", "/bound/42", fields=presented(token, other)).code == "invalid-proof"
    assert connections["h2"].call("GET", "/bound/42", fields=presented(token, proof)).status == 200


# D9: the target

SAME_URI = {
    "as it is": lambda o: f"{o}/bound/a~b",
    "the scheme in capitals": lambda o: f"{o}/bound/a~b".replace("https", "HTTPS"),
    "the host in capitals": lambda o: f"{o}/bound/a~b".replace("localhost", "LOCALHOST"),
    "an unreserved character encoded": lambda o: f"{o}/b%6Fund/a~b",
    "a tilde encoded": lambda o: f"{o}/bound/a%7Eb",
    "the encoding in lower case": lambda o: f"{o}/bound/a%7eb",
    "dot segments": lambda o: f"{o}/x/../bound/./a~b",
    "dot segments, encoded": lambda o: f"{o}/x/%2e%2E/bound/a~b",
    "a query": lambda o: f"{o}/bound/a~b?a=1",
    "a fragment": lambda o: f"{o}/bound/a~b#a",
    "both": lambda o: f"{o}/bound/a~b?a=1#b",
}

OTHER_URI = {
    "another path": lambda o: f"{o}/bound/b",
    "a longer path": lambda o: f"{o}/bound/a~b/c",
    "a trailing slash": lambda o: f"{o}/bound/a~b/",
    "two slashes": lambda o: f"{o}//bound/a~b",
    "the path in other case": lambda o: f"{o}/BOUND/a~b",
    "an encoded slash": lambda o: f"{o}/bound%2Fa~b",
    "a backslash": lambda o: f"{o}\\bound\\a~b",
    "an escape that is none": lambda o: f"{o}/bound/a~b%",
    "an encoded percent sign": lambda o: f"{o}/bound/a%257Eb",
    "a NUL behind it": lambda o: f"{o}/bound/a~b\0",
    "a space behind it": lambda o: f"{o}/bound/a~b ",
    "parameters of a segment": lambda o: f"{o}/bound/a~b;x=1",
    "another scheme": lambda o: f"{o}/bound/a~b".replace("https:", "http:"),
    "no scheme": lambda o: f"{o}/bound/a~b".removeprefix("https:"),
    "no origin, bug 19": lambda o: "/bound/a~b",
    "one slash": lambda o: f"{o}/bound/a~b".replace("//", "/", 1),
    "another host": lambda o: f"{o}/bound/a~b".replace("localhost", "elsewhere.test"),
    "another origin of ours": lambda o: f"{o}/bound/a~b".replace("localhost", "127.0.0.1"),
    "a longer host": lambda o: f"{o}/bound/a~b".replace("localhost", "localhost.elsewhere.test"),
    "a dot behind the host": lambda o: f"{o}/bound/a~b".replace("localhost", "localhost."),
    "user information": lambda o: f"{o}/bound/a~b".replace("localhost", "user@localhost"),
    "our host as user information": lambda o: f"{o}@elsewhere.test/bound/a~b",
    "no port": lambda o: f"{o.rpartition(':')[0]}/bound/a~b",
    "another port": lambda o: f"{o.rpartition(':')[0]}:1/bound/a~b",
    "a port with a zero before it": lambda o: f"{o.rpartition(':')[0]}:0{o.rpartition(':')[2]}/bound/a~b",
    "a port beyond all ports": lambda o: f"{o.rpartition(':')[0]}:{int(o.rpartition(':')[2]) + 65536}/bound/a~b",
    "the origin alone": lambda o: o,
    "an empty string": lambda o: "",
    "a star": lambda o: "*",
    "the query of a redirect": lambda o: f"https://elsewhere.test/?{o}/bound/a~b",
}


@pytest.mark.parametrize("name", SAME_URI)
def test_D9_is_the_same_uri(connections, case, upstream, protocol, name):
    proof = case.proof(htu=SAME_URI[name](case.origin))
    assert connections[protocol].call("GET", "/bound/a~b", fields=presented(case.token, proof)).status == 200


@pytest.mark.parametrize("name", OTHER_URI)
def test_D9_is_another_uri(connections, gateway, case, upstream, protocol, name):
    proof = case.proof(htu=OTHER_URI[name](case.origin))
    told = connections[protocol].call("GET", "/bound/a~b", fields=presented(case.token, proof))
    assert (told.status, told.code) == (401, "invalid-proof")
    assert gateway.reason(told).startswith("dpop.")
    assert not upstream.requests


@pytest.mark.parametrize("target", ["/bound/%61", "/bound/a?x=1", "/bound/./a", "/bound/b/../a"])
def test_D9_the_requests_own_spelling_does_not_matter(connections, case, upstream, protocol, target):
    for htu in (f"{case.origin}/bound/a", f"{case.origin}{target}"):
        proof = case.proof(htu=htu)
        assert connections[protocol].call("GET", target, fields=presented(case.token, proof)).status == 200


@pytest.mark.parametrize("htu, status", [("", 200), ("/", 200), ("?a", 200), ("#a", 200), ("//", 401), ("/.", 200)])
def test_D9_an_empty_path_is_a_slash(connections, case, upstream, protocol, htu, status):
    proof = case.proof(htu=case.origin + htu)
    assert connections[protocol].call("GET", "/", fields=presented(case.token, proof)).status == status


@pytest.mark.parametrize(
    "origin, status",
    [
        (f"https://{PUBLIC_NAME}", 200),
        (f"https://{PUBLIC_NAME}:443", 200),
        (f"https://{PUBLIC_NAME}:", 200),
        (f"https://{PUBLIC_NAME}:80", 401),
        (f"http://{PUBLIC_NAME}:443", 401),
    ],
)
def test_D9_a_default_port_may_be_left_out(client, world, case, upstream, protocol, origin, status):
    connection = client.open(protocol, world.agent, name=PUBLIC_NAME)
    for host in (PUBLIC_NAME, f"{PUBLIC_NAME}:443"):
        fields = presented(case.token, case.proof(htu=f"{origin}/bound/42"))
        assert connection.call("GET", "/bound/42", fields=fields, host=host).status == status


def test_D9_the_origin_is_the_configured_one(client, world, case, upstream, protocol):
    """A proof for one origin is none for another of the same listener, whatever the fields of other proxies say."""
    connection = client.open(protocol, world.agent, name=PUBLIC_NAME)
    fields = [("X-Forwarded-Host", f"localhost:{client.port}"), ("X-Forwarded-Proto", "https")]
    fields += [("Forwarded", f"host=localhost:{client.port};proto=https"), *presented(case.token, case.proof())]
    assert connection.call("GET", "/bound/42", fields=fields, host=PUBLIC_NAME).code == "invalid-proof"


def test_D9_the_spelling_of_the_authority_does_not_matter(connections, gateway, case, upstream, protocol):
    fields = presented(case.token, case.proof())
    assert connections[protocol].call("GET", "/bound/42", fields=fields, host=f"LOCALHOST:{gateway.port}").status == 200


# D8: the method

METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "PURGE"]


@pytest.mark.parametrize("method", METHODS)
def test_D8_the_method_is_the_requests(connections, case, upstream, protocol, method):
    connection = connections[protocol]
    other = METHODS[METHODS.index(method) - 1]
    assert connection.call(method, "/bound/42", fields=presented(case.token, case.proof(htm=other))).status == 401
    assert connection.call(method, "/bound/42", fields=presented(case.token, case.proof(htm=method))).status == 200
    assert upstream.request.method == method


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_D8_a_field_does_not_change_the_method(connections, case, upstream, protocol, name):
    override = (name, "DELETE")
    fields = [override, *presented(case.token, case.proof(htm="DELETE"))]
    assert connections[protocol].call("GET", "/bound/42", fields=fields).code == "invalid-proof"
    fields = [override, *presented(case.token, case.proof())]
    assert connections[protocol].call("GET", "/bound/42", fields=fields).status == 200
    assert "DELETE" not in dict(upstream.request.fields).values()


# D11: when


def test_D11_a_proof_is_accepted_while_its_window_lasts(world, upstream, launch, reach, protocol):
    """Each is a new one, but all say that they were made at the same moment."""
    routes = [route("bound", "/bound/{x}", possession=["dpop"])]
    possession = {"dpop": {"accept_window": "2s", "future_skew": "0s"}}
    gateway = launch(world.configuration(upstream.url, routes, possession=possession))
    holder = Holder()
    token = world.broker.token(world.agent, cnf=holder.cnf)
    await_proofs(gateway, world, holder)
    connection, made, told = reach(gateway).open(protocol, world.agent), time.time(), None
    while told is None or told.status == 200:
        asked = time.time()
        proof = holder.proof("GET", f"{gateway.origin}/bound/1", token, iat=made)
        told = connection.call("GET", "/bound/1", fields=presented(token, proof))
        assert told.status == 200 or time.time() > made + 2
        assert told.status == 401 or asked < made + 2
    assert (told.code, gateway.reason(told)) == ("invalid-proof", "dpop.iat-past")


# D1, D15, D16, D17: where token and proof stand


def test_D1_two_proofs_are_refused(connections, gateway, case, upstream, protocol):
    for proofs in ([case.proof(), case.proof()], [case.proof()] * 2, [case.proof(), ""]):
        told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, *proofs))
        assert (told.status, told.code) == (400, "invalid-request")
        assert parameters(told, "DPoP")["error"] == parameters(told, "Bearer")["error"] == "invalid_request"
    assert not upstream.requests


@pytest.mark.parametrize("name", ["DPOP", "dpop", "dPoP"])
def test_D1_the_case_of_the_name_hides_no_second_proof(client, world, case, upstream, name):
    connection = client.http1(world.agent)
    two = [*presented(case.token, case.proof()), (name, case.proof())]
    assert connection.call("GET", "/bound/42", fields=two).code == "invalid-request"
    one = [("Authorization", f"DPoP {case.token}"), (name, case.proof())]
    assert connection.call("GET", "/bound/42", fields=one).status == 200


@pytest.mark.parametrize("between", [",", ", ", " ", "\t", ";", " , "])
def test_D1_two_proofs_in_one_field_are_refused(connections, case, upstream, protocol, between):
    told = connections[protocol].call(
        "GET", "/bound/42", fields=presented(case.token, case.proof() + between + case.proof())
    )
    assert (told.status, told.code) == (401, "invalid-proof")
    assert not upstream.requests


@pytest.mark.parametrize("value", ["{},", ",{}", "{} x", "x {}"])
def test_D1_a_list_of_one_is_refused(connections, case, upstream, protocol, value):
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, value.format(case.proof())))
    assert (told.status, told.code) == (401, "invalid-proof")
    assert not upstream.requests


def test_D1_no_proof_is_refused(connections, gateway, case, upstream, protocol):
    """A bound token without a proof is worth nothing, whatever scheme it is under."""
    for scheme in ("DPoP ", "Bearer "):
        told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, scheme=scheme))
        assert (told.status, told.code) == (401, "invalid-proof")
        assert parameters(told, "DPoP")["error"] == "invalid_dpop_proof"
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, ""))
    assert (told.status, told.code) == (401, "invalid-proof")
    assert not upstream.requests


@pytest.mark.parametrize("scheme", ["DPoP ", "dpop ", "DPOP ", "dPoP "])
def test_D15_the_schemes_case_does_not_matter(connections, case, upstream, protocol, scheme):
    fields = presented(case.token, case.proof(), scheme=scheme)
    assert connections[protocol].call("GET", "/bound/42", fields=fields).status == 200


@pytest.mark.parametrize(
    "scheme",
    ["DPoP  ", "DPoP\t", "DPoP \t", "DPoP\v", "DPoP\xa0", "DPoP,", "DPoP=", "DPoP:", "DPoP", "DPoP, ", "D PoP "],
)
def test_D15_exactly_one_space_stands_between(connection, case, upstream, scheme):
    """Bug 20: a tab was read as a space by one side only."""
    told = connection.attempt("GET", "/bound/42", fields=presented(case.token, case.proof(), scheme=scheme))
    assert told is None or told.status in (400, 401)
    assert not upstream.requests
    fields = presented(case.token, case.proof())
    assert connection.attempt("GET", "/bound/42", fields=fields) is None or upstream.requests


@pytest.mark.parametrize("after", [" x", ",x", ", DPoP x", ", Bearer x", ";a=b", "\tx", "=x"])
def test_D15_nothing_stands_behind(connections, case, upstream, protocol, after):
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token + after, case.proof()))
    assert told.status in (400, 401)
    assert not upstream.requests


FOLDED = {
    "the scheme and the token": "Authorization: DPoP\r\n {token}\r\nDPoP: {proof}",
    "behind the token": "Authorization: DPoP {token}\r\n x\r\nDPoP: {proof}",
    "the proof": "Authorization: DPoP {token}\r\nDPoP:\r\n {proof}",
    "a second proof": "Authorization: DPoP {token}\r\nDPoP: {proof}\r\n\t{proof}",
    "a field before them": "X-A: a\r\n b\r\nAuthorization: DPoP {token}\r\nDPoP: {proof}",
}


@pytest.mark.parametrize("name", FOLDED)
def test_D15_folded_lines_are_refused(client, world, case, upstream, name):
    """RFC 9112 §5.2."""
    connection = client.http1(world.agent)
    lines = FOLDED[name].format(token=case.token, proof=case.proof())
    connection.send(f"GET /bound/42 HTTP/1.1\r\nHost: {connection.authority}\r\n{lines}\r\n\r\n")
    told = connection.reader.response()
    assert (told.status, told.code) == (400, "malformed-request")
    assert connection.is_closed()
    assert not upstream.requests
    connection = client.http1(world.agent)
    lines = FOLDED["the proof"].format(token=case.token, proof=case.proof()).replace("\r\n ", " ")
    connection.send(f"GET /bound/42 HTTP/1.1\r\nHost: {connection.authority}\r\n{lines}\r\n\r\n")
    assert connection.reader.response().status == 200


@pytest.mark.parametrize("spaces", ["", " ", "\t", "   "])
def test_D15_space_around_a_value_is_not_part_of_it(client, world, case, upstream, spaces):
    connection = client.http1(world.agent)
    fields = f"Authorization:{spaces}DPoP {case.token}{spaces}\r\nDPoP:{spaces}{case.proof()}{spaces}"
    connection.send(f"GET /bound/42 HTTP/1.1\r\nHost: {connection.authority}\r\n{fields}\r\n\r\n")
    assert connection.reader.response().status == 200


def test_D16_a_bound_token_is_no_bearer_token(connections, gateway, case, upstream, protocol):
    """Not even with a good proof beside it (bug 19)."""
    fields = presented(case.token, case.proof(), scheme="Bearer ")
    told = connections[protocol].call("GET", "/bound/42", fields=fields)
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told)
    assert not upstream.requests


def test_D16_an_unbound_token_is_no_dpop_token(connections, gateway, world, case, upstream, protocol):
    """Its confirmation is the certificate's, and holds: it is the scheme that is wrong."""
    token = world.broker.token(world.agent)
    for proofs in ([], [case.holder.proof("GET", f"{gateway.origin}/either/1", token)]):
        told = connections[protocol].call("GET", "/either/1", fields=presented(token, *proofs))
        assert (told.status, told.code) == (401, "invalid-token")
        assert parameters(told, "DPoP")["error"] == "invalid_token"
    assert not upstream.requests
    assert connections[protocol].call("GET", "/either/1", token).status == 200


def test_D16_a_proof_beside_a_token_that_needs_none_is_removed(connections, world, upstream, protocol):
    token = world.broker.token(world.agent)
    for value in ("garbage", "", "a.b.c"):
        told = connections[protocol].call("GET", "/certificate/1", token, [("DPoP", value)])
        assert told.status == 200
        assert upstream.requests[-1].header("dpop") is None


@pytest.mark.parametrize(
    "fields",
    [
        lambda c: [*presented(c.token, c.proof()), ("Authorization", f"Bearer {c.token}")],
        lambda c: [("Authorization", f"Bearer {c.token}"), *presented(c.token, c.proof())],
        lambda c: [*presented(c.token, c.proof()), ("Authorization", f"DPoP {c.token}")],
        lambda c: [*presented(c.token, c.proof()), ("authorization", "")],
        lambda c: [*presented(c.token, c.proof()), ("AUTHORIZATION", "Basic dTpw")],
    ],
    ids=["both schemes", "both, Bearer first", "DPoP twice", "an empty one", "another scheme"],
)
def test_D17_two_authorization_fields_are_refused(connections, case, upstream, protocol, fields):
    told = connections[protocol].call("GET", "/bound/42", fields=fields(case))
    assert (told.status, told.code) == (400, "invalid-request")
    assert parameters(told, "DPoP")["error"] == parameters(told, "Bearer")["error"] == "invalid_request"
    assert not upstream.requests


@pytest.mark.parametrize("query", ["access_token={}", "a=1&access_token={}", "access%5Ftoken={}"])
def test_B1_a_bound_token_in_the_query_is_refused(connections, case, upstream, protocol, query):
    target = "/bound/42?" + query.format(case.token)
    told = connections[protocol].call("GET", target, fields=[("DPoP", case.proof())])
    assert (told.status, told.code) == (400, "invalid-request")
    told = connections[protocol].call("GET", target, fields=presented(case.token, case.proof()))
    assert (told.status, told.code) == (400, "invalid-request")
    assert not upstream.requests


@pytest.mark.parametrize("name", ["Proxy-Authorization", "X-Authorization", "Authentication"])
def test_D19_no_other_field_takes_its_place(connections, case, upstream, protocol, name):
    fields = [(name, f"DPoP {case.token}"), ("DPoP", case.proof())]
    told = connections[protocol].call("GET", "/bound/42", fields=fields)
    assert (told.status, told.code) == (401, "credentials-missing")
    assert "proxy-authenticate" not in told.names
    assert not upstream.requests


# D18: what the client is told


def test_D18_without_credentials_no_error_is_told(connections, gateway, upstream, protocol):
    told = connections[protocol].call("GET", "/bound/42")
    assert (told.status, told.code) == (401, "credentials-missing")
    dpop = parameters(told, "DPoP")
    assert "error" not in dpop
    assert set(dpop["algs"].split(" ")) == set(ALGORITHMS)
    assert dpop["resource_metadata"] == f"{gateway.origin}/.well-known/oauth-protected-resource"


def test_D18_a_proof_alone_is_no_credential(connections, case, upstream, protocol):
    told = connections[protocol].call("GET", "/bound/42", fields=[("DPoP", case.proof())])
    assert (told.status, told.code) == (401, "credentials-missing")


def test_D18_only_schemes_that_help_are_named(connections, upstream, protocol):
    def schemes(target: str) -> set[str]:
        return {challenge.split(" ")[0] for challenge in connections[protocol].call("GET", target).challenges}

    assert schemes("/bound/1") == {"DPoP"}
    assert schemes("/certificate/1") == {"Bearer"}
    assert schemes("/either/1") == {"Bearer", "DPoP"}


def test_D18_a_fault_of_the_token_is_told_as_such(connections, gateway, world, case, upstream, protocol):
    token = world.broker.token(world.agent, cnf=case.holder.cnf, iat=now() - 400, exp=now() - 100)
    proof = case.holder.proof("GET", case.uri, token)
    told = connections[protocol].call("GET", "/bound/42", fields=presented(token, proof))
    assert (told.status, told.code) == (401, "invalid-token")
    assert parameters(told, "DPoP")["error"] == "invalid_token"
    assert parameters(told, "DPoP")["algs"]
    assert gateway.reason(told) == "token.expired"


def test_D18_a_scope_that_is_short_is_told_as_such(connections, gateway, world, case, upstream, protocol):
    for scope, status in (("read:orders:7", 403), ("read:orders:42", 200)):
        token = world.broker.token(world.agent, cnf=case.holder.cnf, scope=scope)
        proof = case.holder.proof("GET", f"{gateway.origin}/orders/42", token)
        told = connections[protocol].call("GET", "/orders/42", fields=presented(token, proof))
        assert told.status == status
        if status == 403:
            assert told.code == "insufficient-scope"
            assert parameters(told, "DPoP")["error"] == "insufficient_scope"
            assert parameters(told, "DPoP")["scope"] == "read:orders:42"


def test_D18_what_the_answer_says_is_the_same_whatever_the_reason(connections, case, upstream, protocol):
    """D20: nothing tells which check came first."""
    answers = set()
    for name in ("D6 another key signed", "D8 another method", "D11 too old", "D13 ath of another token", "D2 garbage"):
        told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, REFUSED[name](case)))
        answers.add((told.status, tuple(told.challenges), told.problem["title"], told.problem["type"]))
    assert len(answers) == 1


def test_B4_a_challenge_repeats_nothing_of_a_proof(connections, case, upstream, protocol):
    proof = case.proof(jti='x", error="y', htu='https://elsewhere.test/", realm="mine')
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, proof))
    assert told.status == 401
    assert not any("mine" in value or 'error="y' in value or "elsewhere" in value for _, value in told.fields)
    assert b"elsewhere" not in told.body


# What is on record, and what is forwarded


def test_an_allowed_call_is_on_record_with_its_proof(connections, gateway, case, upstream, protocol):
    jti = secrets.token_urlsafe(16)
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, case.proof(jti=jti)))
    record = gateway.record(told.request_id, "request.allowed")
    assert record["possession"] == "dpop"
    assert jti.encode() not in b"".join(gateway.lines())


def test_no_proof_reaches_the_upstream(connections, case, upstream, protocol):
    """In no spelling; and `bearer` and `keep` do what they say."""
    for target, value in (("/bound/1", None), ("/kept/1", f"DPoP {case.token}"), ("/bearer/1", f"Bearer {case.token}")):
        upstream.clear()
        proof = case.proof(htu=case.origin + target)
        fields = [*presented(case.token, proof), ("d_p_o_p", "x")]
        assert connections[protocol].call("GET", target, fields=fields).status == 200
        assert upstream.request.header("authorization") == value
        assert upstream.request.header("dpop") is None
        assert proof.encode() not in upstream.received


def test_size_is_judged_before_anything_else(connections, case, upstream, protocol):
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, case.proof(x="x" * 9000)))
    assert (told.status, told.code) == (431, "too-large")
    told = connections[protocol].call("GET", "/bound/42", fields=presented(case.token, case.proof(x="x" * 4000)))
    assert told.status == 200


# Bug 27 and the certificate beside the key


def test_bug_27_a_token_that_expires_between_two_calls(world, upstream, launch, reach, protocol):
    configuration = world.configuration(
        upstream.url,
        [route("bound", "/bound/{x}", possession=["dpop"])],
        issuers=[world.issuer(clock_leeway="0s")],
    )
    gateway = launch(configuration)
    holder = Holder()
    await_proofs(gateway, world, holder)
    connection = reach(gateway).open(protocol, world.agent)
    token = world.broker.token(world.agent, cnf=holder.cnf, iat=now() - 60, exp=now() + 3)
    statuses = []
    while not statuses or statuses[-1] == 200:
        proof = holder.proof("GET", f"{gateway.origin}/bound/1", token)
        told = connection.call("GET", "/bound/1", fields=presented(token, proof))
        statuses.append(told.status)
    assert (told.status, told.code) == (401, "invalid-token")
    assert len(statuses) > 1


def test_C3_certificate_and_key_must_both_hold(client, gateway, world, case, upstream, protocol):
    both = {**cnf(world.agent), **case.holder.cnf}
    token = world.broker.token(world.agent, cnf=both, sub="client-7")
    for target in ("/bound/42", "/either/1", "/certificate/1"):
        uri = gateway.origin + target
        owner, thief = client.open(protocol, world.agent), client.open(protocol, world.other)
        told = thief.call("GET", target, fields=presented(token, case.holder.proof("GET", uri, token)))
        assert (told.status, told.code) == (401, "invalid-token")
        assert gateway.reason(told) == "possession.certificate-mismatch"
        told = owner.call("GET", target, fields=presented(token, Holder().proof("GET", uri, token)))
        assert (told.status, told.code) == (401, "invalid-token")
        told = owner.call("GET", target, token)
        assert (told.status, told.code) == (401, "invalid-proof")
        assert not upstream.requests
        told = owner.call("GET", target, fields=presented(token, case.holder.proof("GET", uri, token)))
        assert told.status == 200
        upstream.clear()


def test_a_proof_that_the_route_does_not_take_is_a_matter_of_policy(connections, gateway, case, upstream, protocol):
    proof = case.proof(htu=f"{gateway.origin}/certificate/1")
    told = connections[protocol].call("GET", "/certificate/1", fields=presented(case.token, proof))
    assert (told.status, told.code) == (403, "policy")
    assert gateway.reason(told).startswith("policy.")
    assert not upstream.requests


def test_the_subject_is_still_the_peers(client, gateway, world, case, upstream, protocol):
    """A key-bound token of one workload is not for another, even if it has the key."""
    stranger = client.open(protocol, world.other)
    told = stranger.call("GET", "/bound/42", fields=presented(case.token, case.proof()))
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told) == "possession.subject-mismatch"
    token = world.broker.token(world.other, cnf=case.holder.cnf)
    proof = case.holder.proof("GET", case.uri, token)
    assert stranger.call("GET", "/bound/42", fields=presented(token, proof)).status == 200


def test_P9_the_thumbprint_is_of_the_required_members_only(connections, world, gateway, case, upstream, protocol):
    """Computed by joserfc and, for the same key, by jwcrypto."""
    from jwcrypto.jwk import JWK

    holder = Holder(key=ECKey.generate_key("P-256"))
    by_jwcrypto = JWK(**{**holder.public, "kid": "x", "use": "sig"}).thumbprint()
    assert by_jwcrypto == holder.thumbprint
    token = world.broker.token(world.agent, cnf={"jkt": by_jwcrypto})
    proof = holder.proof("GET", case.uri, token)
    assert connections[protocol].call("GET", "/bound/42", fields=presented(token, proof)).status == 200
