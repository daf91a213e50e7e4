"""Proofs of possession for the tests: DPoP proofs (RFC 9449) and Workload Proof Tokens (draft-ietf-wimse-wpt)."""

import secrets
import time

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import RSAKey

from clients import Client
from credentials import forge, generate_key, hash_of, mint, present
from gateway import Gateway
from world import World


class Holder:
    """A key pair that a token is bound to, and whoever proves that it has it."""

    def __init__(self, algorithm: str = "ES256", key=None):
        self.algorithm = algorithm
        self.key = key or generate_key(algorithm)

    @property
    def public(self) -> dict:
        return self.key.as_dict(private=False)

    @property
    def private(self) -> dict:
        return self.key.as_dict(private=True)

    @property
    def thumbprint(self) -> str:
        """RFC 7638, by joserfc."""
        return self.key.thumbprint()

    @property
    def cnf(self) -> dict:
        return {"jkt": self.thumbprint}

    @property
    def workload_cnf(self) -> dict:
        """The confirmation of a Workload Identity Token, where the key names its algorithm."""
        return {"jwk": {**self.public, "alg": self.algorithm}}

    # DPoP

    def header(self, **changes) -> dict:
        return present({"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.public, **changes})

    def claims(self, method: str, uri: str, token: str, **changes) -> dict:
        """What a good proof says, with `changes`; `ABSENT` takes a claim out."""
        now = int(time.time())
        claims = {"jti": secrets.token_urlsafe(16), "htm": method, "htu": uri, "iat": now, "ath": hash_of(token)}
        return present({**claims, **changes})

    def proof(self, method: str, uri: str, token: str, header=None, library: str | None = None, **changes) -> str:
        """A proof, with `changes` to its header and claims; signed by a library, or as it is written."""
        parts = self.header(**(header or {})), self.claims(method, uri, token, **changes)
        return mint(library, *parts, self.key, self.algorithm) if library else self.sign(*parts)

    # WIMSE

    def workload_proof(self, uri: str, workload_token: str, access_token=None, header=None, library=None, **changes):
        """A Workload Proof Token, with `changes` to its header and claims."""
        claims = {
            "aud": uri,
            "exp": int(time.time()) + 30,
            "jti": secrets.token_urlsafe(16),
            "wth": hash_of(workload_token),
            **({"ath": hash_of(access_token)} if access_token else {}),
        }
        head = present({"typ": "wpt+jwt", "alg": self.algorithm, **(header or {})})
        claims = present({**claims, **changes})
        return mint(library, head, claims, self.key, self.algorithm) if library else self.sign(head, claims)

    def sign(self, header, payload) -> str:
        """Exactly these parts, each a dictionary or bytes, with a good signature."""
        return forge(header, payload, self.key, self.algorithm)


def presented(token: str, *proofs: str, scheme: str = "DPoP ") -> list[tuple[str, str]]:
    """The fields of a call with a key-bound token."""
    return [("Authorization", scheme + token), *(("DPoP", proof) for proof in proofs)]


def await_proofs(gateway: Gateway, world: World, holder: Holder, target: str = "/bound/0") -> None:
    """Returns once proofs made now are accepted: those that may be from before the start are not.

    Where nonces are wanted, to be asked for one will do.
    """
    client = Client(gateway.port, world.servers.file)
    connection = client.http1(world.agent)
    token = world.broker.token(world.agent, cnf=holder.cnf)

    def is_accepted() -> bool:
        proof = holder.proof("GET", gateway.origin + target, token)
        told = connection.call("GET", target, fields=presented(token, proof))
        return told.status == 200 or told.code == "nonce-required"

    gateway.wait(is_accepted, "a proof to be accepted")
    client.close()


def rsa_key(bits: int) -> RSAKey:
    """An RSA key of any size within moments: its primes are those of RFC 3526 and RFC 7919, which everybody knows."""
    p, q = modp_prime(bits // 2), ffdhe_prime(bits // 2)
    exponent = 65537
    d = pow(exponent, -1, (p - 1) * (q - 1))
    public = rsa.RSAPublicNumbers(exponent, p * q)
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    )
    return RSAKey.import_key(numbers.private_key(unsafe_skip_rsa_key_validation=True))


def modp_prime(bits: int) -> int:
    """RFC 3526 §3 to §7."""
    addend = {2048: 124476, 4096: 240904, 8192: 4743158}[bits]
    return 2**bits - 2 ** (bits - 64) - 1 + 2**64 * (pi_times(2 ** (bits - 130)) + addend)


def ffdhe_prime(bits: int) -> int:
    """RFC 7919 appendix A."""
    addend = {2048: 560316, 4096: 5736041, 8192: 10965728}[bits]
    return 2**bits - 2 ** (bits - 64) + 2**64 * (e_times(2 ** (bits - 130)) + addend) - 1


def pi_times(scale: int) -> int:
    """⌊π · scale⌋ by Machin's formula, with digits to spare."""
    scale <<= 64

    def arctangent_of_inverse(number: int) -> int:
        total, power, index = 0, scale // number, 1
        while power:
            total += power // index if index % 4 == 1 else -(power // index)
            power //= number * number
            index += 2
        return total

    return 4 * (4 * arctangent_of_inverse(5) - arctangent_of_inverse(239)) >> 64


def e_times(scale: int) -> int:
    """⌊e · scale⌋ by its series, with digits to spare."""
    scale <<= 64
    total, term, index = 0, scale, 1
    while term:
        total += term
        term //= index
        index += 1
    return total >> 64
