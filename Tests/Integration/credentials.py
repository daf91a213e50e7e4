"""Credentials for the tests, minted by code that is not the gateway's: certificates by cryptography, tokens by joserfc
or jwcrypto."""

import base64
import datetime
import hashlib
import ipaddress
import itertools
import json
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

ISSUER = "https://broker.example.test"
AUDIENCE = "https://orders.example.test"
TRUST_DOMAIN = "example.test"
ABSENT = object()  # given as a claim or header parameter: leave it out

CLIENT_AND_SERVER = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{name: name in names for name in KEY_USAGES})


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, on disk as PEM."""

    certificate: x509.Certificate
    key: object
    chain_file: Path
    key_file: Path

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def fingerprint(self) -> str:
        """Lower-case hex SHA-256, as an audit record names a certificate."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def thumbprint(self) -> str:
        """`x5t#S256` of RFC 8705."""
        return base64url(hashlib.sha256(self.der).digest())

    @property
    def spiffe_id(self) -> str:
        names = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return names.get_values_for_type(x509.UniformResourceIdentifier)[0]


class Authority:
    """A certificate authority that issues whatever it is asked for, however wrong."""

    def __init__(self, directory: Path, name: str = "agents-ca", uri: str | None = f"spiffe://{TRUST_DOMAIN}"):
        self.directory = directory
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.numbers = itertools.count(1)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, subject, self.key.public_key(), *validity())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        builder = builder.add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        if uri:
            builder = builder.add_extension(alternative_names([uri]), critical=False)
        self.certificate = builder.sign(self.key, hashes.SHA256())
        self.file = directory / f"{name}.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(
        self,
        *uris: str,
        dns=(),
        addresses=(),
        other_names=(),
        common_name: str | None = "agent",
        usage: x509.KeyUsage | None = key_usage("digital_signature"),
        usage_critical=True,
        purposes=CLIENT_AND_SERVER,
        authority=False,
        names_critical=False,
        begins=datetime.timedelta(minutes=-5),
        ends=datetime.timedelta(hours=1),
        key=None,
        chain=(),
    ) -> Identity:
        """A certificate; each default is right for an X509-SVID that also serves."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
        builder = self._builder(
            x509.Name(attributes), self.certificate.subject, key.public_key(), *validity(begins, ends)
        )
        builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        if usage is not None:
            builder = builder.add_extension(usage, critical=usage_critical)
        if purposes is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
        if uris or dns or addresses or other_names:
            names = alternative_names(uris, dns, addresses, other_names)
            builder = builder.add_extension(names, critical=names_critical)
        return self._save(builder.sign(self.key, hashes.SHA256()), key, chain)

    def agent(self, path: str = "/agent/task-1/instance-1", **variant) -> Identity:
        """An X509-SVID of the tests' trust domain."""
        return self.issue(f"spiffe://{TRUST_DOMAIN}{path}", **variant)

    def server(self, *names: str, **variant) -> Identity:
        return self.issue(dns=names, addresses=["127.0.0.1"], common_name=names[0], **variant)

    def _builder(self, subject, issuer, public_key, begins, ends) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
        )

    def _save(self, certificate, key, chain) -> Identity:
        stem = self.directory / f"{self.name}-{next(self.numbers)}"
        identity = Identity(certificate, key, stem.with_suffix(".pem"), stem.with_suffix(".key"))
        pem = [link.public_bytes(serialization.Encoding.PEM) for link in (certificate, *chain)]
        identity.chain_file.write_bytes(b"".join(pem))
        identity.key_file.touch(mode=0o600)
        identity.key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return identity


def validity(begins=datetime.timedelta(minutes=-5), ends=datetime.timedelta(hours=1)):
    now = datetime.datetime.now(datetime.timezone.utc)
    return now + begins, now + ends


def alternative_names(uris=(), dns=(), addresses=(), others=()) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier(uri) for uri in uris]
        + [x509.DNSName(name) for name in dns]
        + [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
        + list(others)
    )


def cnf(identity: Identity) -> dict:
    return {"x5t#S256": identity.thumbprint}


LIBRARIES = ("joserfc", "jwcrypto")
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
ALGORITHMS = (*CURVES, "Ed25519", "EdDSA", "PS256", "RS256")


def generate_key(algorithm: str, bits: int = 2048):
    """A key pair of joserfc for a JOSE algorithm."""
    if algorithm in CURVES:
        return ECKey.generate_key(CURVES[algorithm])
    return OKPKey.generate_key("Ed25519") if algorithm.startswith("Ed") else RSAKey.generate_key(bits)


def mint(library: str, header: dict, claims: dict, key, algorithm: str) -> str:
    """A JWT by one of the libraries."""
    if library == "joserfc":
        return jwt.encode(header, claims, key, algorithms=[algorithm])
    made = JWT(header=header, claims=claims)
    made.make_signed_token(JWK(**key.as_dict(private=True)))
    return made.serialize()


def forge(header, payload, key, algorithm: str) -> str:
    """A JWT of exactly these parts, signed properly: for what a library refuses to write.

    Each part is a dictionary, or the bytes themselves.
    """
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signing_input = ".".join(base64url(part) for part in parts)
    return f"{signing_input}.{base64url(sign(key.private_key, algorithm, signing_input.encode()))}"


def hash_of(text: str) -> str:
    """What `ath`, `wth` and their like hold of another token."""
    return base64url(hashlib.sha256(text.encode()).digest())


class Broker:
    """An issuer of RFC 9068 access tokens, with one key for each algorithm."""

    def __init__(self, issuer: str = ISSUER, algorithms=ALGORITHMS):
        self.issuer = issuer
        self.keys = {algorithm: generate_key(algorithm) for algorithm in algorithms}

    def jwks(self, *algorithms: str) -> str:
        """The public keys, each with its algorithm's name as `kid`."""
        names = algorithms or self.keys.keys()
        return json.dumps({"keys": [self.public_jwk(name) for name in names]})

    def public_jwk(self, algorithm: str) -> dict:
        public = self.keys[algorithm].as_dict(private=False)
        return {**public, "kid": algorithm, "alg": algorithm, "use": "sig"}

    def claims(self, agent: Identity, **changes) -> dict:
        """The claims of a good token for `agent`, with `changes`; `ABSENT` takes one out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": agent.spiffe_id,
            "client_id": "orchestrator",
            "jti": secrets.token_urlsafe(16),
            "iat": now,
            "exp": now + 300,
            "scope": "read:orders:42",
            "cnf": cnf(agent),
            "task_id": "task-1",
            "orchestration_id": "orchestration-1",
            "sponsor": "someone@example.test",
        }
        return present({**claims, **changes})

    def token(self, agent: Identity, algorithm: str = "ES256", header=None, library="joserfc", **changes) -> str:
        """A good token for `agent`, with `changes` to its header and claims, signed by a library."""
        parameters = self.header(algorithm, **(header or {}))
        return mint(library, parameters, self.claims(agent, **changes), self.keys[algorithm], algorithm)

    def forge(self, header, payload, algorithm: str = "ES256") -> str:
        """A token of exactly these parts, signed properly."""
        return forge(header, payload, self.keys[algorithm], algorithm)

    def header(self, algorithm: str = "ES256", **changes) -> dict:
        return present({"typ": "at+jwt", "alg": algorithm, "kid": algorithm, **changes})


class WorkloadBroker(Broker):
    """An issuer of Workload Identity Tokens (draft-ietf-wimse-workload-creds)."""

    def claims(self, agent: Identity, **changes) -> dict:
        now = int(time.time())
        claims = {"iss": self.issuer, "sub": agent.spiffe_id, "jti": secrets.token_urlsafe(16), "iat": now}
        return present({**claims, "exp": now + 300, **changes})

    def header(self, algorithm: str = "ES256", **changes) -> dict:
        return super().header(algorithm, **{"typ": "wit+jwt", **changes})


class AgentWritBroker(Broker):
    """An issuer that writes tokens as AgentWrit does: EdDSA, without a confirmation, the key named by its thumbprint."""

    def __init__(self, issuer: str, algorithms=("EdDSA",)):
        super().__init__(issuer, algorithms)

    def public_jwk(self, algorithm: str) -> dict:
        public = self.keys[algorithm].as_dict(private=False)
        return {**public, "kid": self.keys[algorithm].thumbprint(), "use": "sig"}

    def claims(self, agent: Identity, **changes) -> dict:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": agent.spiffe_id,
            "aud": [AUDIENCE],
            "exp": now + 300,
            "nbf": now,
            "iat": now,
            "jti": secrets.token_hex(16),
            "scope": ["read:orders:42"],
            "task_id": "task-1",
            "orch_id": "orchestration-1",
        }
        return present({**claims, **changes})

    def header(self, algorithm: str = "EdDSA", **changes) -> dict:
        kid = self.keys[algorithm].thumbprint()
        return present({"alg": algorithm, "typ": "JWT", "kid": kid, **changes})

    def token(self, agent: Identity, algorithm: str = "EdDSA", **options) -> str:
        return super().token(agent, algorithm, **options)

    def forge(self, header, payload, algorithm: str = "EdDSA") -> str:
        return super().forge(header, payload, algorithm)


def present(members: dict) -> dict:
    return {name: value for name, value in members.items() if value is not ABSENT}


def sign(key, algorithm: str, message: bytes) -> bytes:
    """A JWS signature in JOSE form, straight from cryptography."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[2:]]
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return key.sign(message, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)
    width = (key.curve.key_size + 7) // 8
    return b"".join(part.to_bytes(width) for part in decode_dss_signature(key.sign(message, ec.ECDSA(digest))))
