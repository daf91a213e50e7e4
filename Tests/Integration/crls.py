"""Revocation lists for the tests, made by Python's cryptography, and a server that publishes them."""

import datetime
import itertools
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from credentials import Authority, Identity, key_usage
from upstreams import Upstream

HOUR = datetime.timedelta(hours=1)
SERIALS = itertools.count(1)


def revocation_list(
    authority: Authority,
    *revoked: Identity,
    number: int | None = None,
    begins=datetime.timedelta(minutes=-5),
    ends=HOUR,
    key=None,
    name: x509.Name | None = None,
    extensions=(),
) -> x509.CertificateRevocationList:
    """A list by an authority; each default is right. Without a number it gets the next of all."""
    now = datetime.datetime.now(datetime.timezone.utc)
    key = key or authority.key
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or authority.certificate.subject)
        .last_update(now + begins)
        .next_update(now + ends)
        .add_extension(x509.CRLNumber(next(SERIALS) if number is None else number), critical=False)
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    for identity in revoked:
        certificate = getattr(identity, "certificate", identity)
        entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(now)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


def pem(*lists: x509.CertificateRevocationList) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in lists)


def der(made: x509.CertificateRevocationList) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


def publish(file: Path, content: bytes) -> Path:
    """Replaces a file at one stroke, as whoever publishes lists should."""
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    os.rename(fresh, file)
    return file


def intermediate(root: Authority, name: str, key=None) -> Authority:
    """An authority under another, whose clients bring its certificate along."""
    made = Authority.__new__(Authority)
    made.directory, made.name, made.numbers = root.directory, name, itertools.count(1)
    usage = key_usage("key_cert_sign", "crl_sign")
    identity = root.issue(common_name=name, usage=usage, purposes=None, authority=True, key=key)
    made.key, made.certificate, made.file = identity.key, identity.certificate, identity.chain_file
    return made


class ListServer(Upstream):
    """Serves a revocation list over TLS, with an ETag; counts who asks, and can be broken."""

    def __init__(self, identity: Identity, content: bytes):
        super().__init__(identity)
        self.answer = self.serve
        self.publish(content)

    def publish(self, content: bytes, status: int = 200) -> None:
        self.content, self.status = content, status
        self.tag = f'"{abs(hash(content))}"'

    @property
    def location(self) -> str:
        return f"{self.url}/agents.crl"

    def serve(self, opened, request) -> None:
        if request.header("if-none-match") == self.tag and self.status == 200:
            opened.send(f"HTTP/1.1 304 Not Modified\r\nETag: {self.tag}\r\n\r\n".encode())
        else:
            opened.answer(self.status, self.content, ("ETag", self.tag), ("Content-Type", "application/pkix-crl"))

