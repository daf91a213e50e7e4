"""PROXY protocol, version 2, read and written by code that is not the gateway's (proxy-protocol.txt of haproxy, §2.2)."""

import ipaddress
import socket
import struct
from dataclasses import dataclass, field

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
ALPN, AUTHORITY, CRC32C, TLS, TLS_VERSION = 0x01, 0x02, 0x03, 0x20, 0x21
SPIFFE_ID, CERTIFICATE = 0xE0, 0xE1  # the gateway's own


@dataclass
class ProxyHeader:
    """What a header tells of the client's connection."""

    command: int
    source: tuple[str, int] | None = None
    destination: tuple[str, int] | None = None
    fields: dict[int, bytes] = field(default_factory=dict)
    has_good_checksum: bool = False

    @property
    def tls_flags(self) -> int:
        return self.fields[TLS][0]

    @property
    def tls_verify(self) -> int:
        return int.from_bytes(self.fields[TLS][1:5])

    @property
    def tls_fields(self) -> dict[int, bytes]:
        return dict(tlvs(self.fields[TLS][5:]))


def read_proxy_header(connection: socket.socket) -> ProxyHeader:
    """Reads exactly a header, and not a byte of what is behind it."""
    fixed = connection.recv(16, socket.MSG_WAITALL)
    assert fixed[:12] == SIGNATURE, f"no PROXY header: {fixed!r}"
    assert fixed[12] >> 4 == 2
    body = connection.recv(int.from_bytes(fixed[14:16]), socket.MSG_WAITALL)
    size = {0x11: 4, 0x21: 16}.get(fixed[13])
    header = ProxyHeader(fixed[12] & 0xF)
    rest = body
    if size:
        addresses = [str(ipaddress.ip_address(body[start : start + size])) for start in (0, size)]
        ports = struct.unpack_from(">HH", body, 2 * size)
        header.source, header.destination = zip(addresses, ports, strict=True)
        rest = body[2 * size + 4 :]
    header.fields = dict(tlvs(rest))
    if (checksum := header.fields.get(CRC32C)) is not None:
        assert body.count(checksum) == 1
        header.has_good_checksum = crc32c(fixed + body.replace(checksum, bytes(4))) == int.from_bytes(checksum)
    return header


def tlvs(data: bytes):
    while data:
        size = int.from_bytes(data[1:3])
        assert len(data) >= 3 + size
        yield data[0], data[3 : 3 + size]
        data = data[3 + size :]


def proxy_header(source: str, destination: str, ports=(1234, 443), local=False, fields=()) -> bytes:
    """A header for a connection between two addresses of one family."""
    addresses = [ipaddress.ip_address(address) for address in (source, destination)]
    family = 0x11 if addresses[0].version == 4 else 0x21
    body = b"".join(address.packed for address in addresses) + struct.pack(">HH", *ports)
    for kind, value in fields:
        body += bytes([kind]) + len(value).to_bytes(2) + value
    if local:
        family, body = 0, b""
    return SIGNATURE + bytes([0x20 if local else 0x21, family]) + len(body).to_bytes(2) + body


def crc32c(data: bytes) -> int:
    """RFC 3720 appendix B.4, bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF
