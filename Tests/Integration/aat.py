"""Attenuating agent tokens (draft-niyikiza-oauth-attenuating-agent-tokens-02), minted by other code than the gateway's.

    .build/venv/bin/python Tests/Integration/aat.py

(deploy/setup --tests makes that environment) prints an example: a root, two tokens made out of it one after the other, and the call that the last one's holder makes.
"""

import base64
import hashlib
import json
import secrets
import time

try:
    from credentials import ABSENT, AUDIENCE, base64url, forge, generate_key, present
except ModuleNotFoundError as missing:
    if __name__ != "__main__":
        raise
    raise SystemExit(f"{missing}: run deploy/setup --tests, and this with .build/venv/bin/python") from None

ISSUER = "https://roots.example.test"
TYPE = "aat+jwt"
EVERY_ORDER = {"read:orders": {}, "list:orders": {}}


def exact(value) -> dict:
    return {"constraint_type": "exact", "value": value}


def one_of(*values) -> dict:
    return {"constraint_type": "one_of", "values": list(values)}


def details(tools: dict) -> list[dict]:
    return [{"type": "attenuating_agent_token", "tools": tools}]


def name_of(key) -> str:
    """RFC 9278, by the thumbprint of joserfc."""
    return "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + key.thumbprint()


def signing_input_hash(token: str) -> str:
    return base64url(hashlib.sha256(token.rpartition(".")[0].encode()).digest())


class Key:
    """A key pair and the name of its algorithm."""

    def __init__(self, algorithm: str = "Ed25519"):
        self.algorithm = algorithm
        self.pair = generate_key(algorithm)

    @property
    def public(self) -> dict:
        return self.pair.as_dict(private=False)

    def sign(self, header: dict, claims: dict) -> str:
        return forge(header, claims, self.pair, self.algorithm)


class RootIssuer:
    """Who vouches for the first token of each chain."""

    def __init__(self, issuer: str = ISSUER, algorithm: str = "Ed25519"):
        self.issuer = issuer
        self.key = Key(algorithm)

    def jwks(self) -> str:
        return json.dumps({"keys": [{**self.key.public, "kid": "root-1", "alg": self.key.algorithm, "use": "sig"}]})

    def root(self, holder: Key, tools: dict = EVERY_ORDER, header=None, **changes) -> "Chain":
        """A chain of one token for `holder`, with `changes` to its claims; `ABSENT` takes one out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 300,
            "del_depth": 0,
            "del_max_depth": 5,
            "cnf": {"jwk": holder.public},
            "authorization_details": details(tools),
            "sponsor": "someone@example.test",
            "task_id": "task-1",
            "orchestration_id": "orchestration-1",
        }
        parts = {"typ": TYPE, "alg": self.key.algorithm, "kid": "root-1", **(header or {})}
        claims = present({**claims, **changes})
        return Chain((self.key.sign(present(parts), claims),), (holder,), claims)


class Chain:
    """The tokens from a root to the one that is presented, and who holds each of them."""

    def __init__(self, tokens: tuple[str, ...], holders: tuple[Key, ...], claims: dict):
        self.tokens = tokens
        self.holders = holders
        self.claims = claims  # of the last token

    def derive(self, holder: Key, tools: dict | None = None, signer: Key | None = None, header=None, **changes):
        """The chain with one token more, which the last holder makes for `holder`, with `changes` to its claims."""
        signer = signer or self.holders[-1]
        claims = {
            "iss": name_of(self.holders[-1].pair),
            "jti": secrets.token_urlsafe(16),
            "iat": self.claims.get("iat"),
            "exp": self.claims.get("exp"),
            "del_depth": self.claims.get("del_depth", 0) + 1,
            "del_max_depth": self.claims.get("del_max_depth"),
            "par_hash": signing_input_hash(self.tokens[-1]),
            "cnf": {"jwk": holder.public},
            "authorization_details": details(tools) if tools is not None else self.claims["authorization_details"],
        }
        parts = present({"typ": TYPE, "alg": signer.algorithm, **(header or {})})
        claims = present({**claims, **changes})
        return Chain((*self.tokens, signer.sign(parts, claims)), (*self.holders, holder), claims)

    @property
    def leaf(self) -> str:
        return self.tokens[-1]

    @property
    def ancestors(self) -> str:
        """The value of `Delegation-Chain`."""
        return ", ".join(self.tokens[:-1])

    def proof(self, method: str, uri: str, by: Key | None = None) -> str:
        """A DPoP proof by the last holder (RFC 9449)."""
        holder = by or self.holders[-1]
        header = {"typ": "dpop+jwt", "alg": holder.algorithm, "jwk": holder.public}
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": uri,
            "iat": int(time.time()),
            "ath": base64url(hashlib.sha256(self.leaf.encode()).digest()),
        }
        return holder.sign(header, claims)

    def fields(self, method: str, uri: str, by: Key | None = None, chain=ABSENT) -> list[tuple[str, str]]:
        """The fields of a call; `chain` in place of what came before the last token."""
        chain = self.ancestors if chain is ABSENT else chain
        fields = [("Authorization", "DPoP " + self.leaf), ("DPoP", self.proof(method, uri, by))]
        return [*fields, ("Delegation-Chain", chain)] if chain else fields


def example() -> None:
    planner, researcher, reader = Key(), Key(), Key()
    chain = RootIssuer().root(planner)
    chain = chain.derive(researcher, {"read:orders": {"identifier": one_of("42", "43")}})
    chain = chain.derive(reader, {"read:orders": {"identifier": exact("42")}})
    for name, token in zip(("root, for the planner", "for the researcher", "for the reader"), chain.tokens):
        print(f"--- {name}")
        for part in token.split(".")[:2]:
            print(json.dumps(json.loads(decoded(part)), indent=2))
    print("--- the reader's call")
    print("GET /orders/42 HTTP/1.1")
    for name, value in chain.fields("GET", "https://orders.example.test/orders/42"):
        print(f"{name}: {value[:60]}…")


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


if __name__ == "__main__":
    example()
