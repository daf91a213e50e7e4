"""Memory of a large revocation list; `Benchmarks/crl` runs it.

A gateway is started with a list of one entry. Then OpenSSL's `ca -gencrl` makes one of some megabytes, with random serial numbers
of 20 bytes and a reason, as authorities write them; it takes the first one's place. What is measured is the process's resident
memory (/proc/PID/status) before, the most of it until the list counts and 3 s more, and after that; then the same once more with
the list's successor, which is read while the first is in force. "Counts" is the time from the renaming of the file to the
first handshake that is refused for it.
"""

import argparse
import secrets
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from clients import Client
from crls import pem, publish, revocation_list
from credentials import Authority, TRUST_DOMAIN
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from gateway import Gateway
from test_resumption import listening
from world import World

CONFIGURATION = """
[ca]
default_ca = made
[made]
database = {0}/index.txt
crlnumber = {0}/number
certificate = {0}/crl-ca.pem
private_key = {0}/key.pem
unique_subject = no
default_md = sha256
default_crl_days = 30
"""


class LargeLists:
    """An authority whose lists OpenSSL makes."""

    def __init__(self, directory: Path, entries: int):
        self.directory, self.entries = directory, entries
        self.authority = Authority(directory, "crl-ca")
        key = self.authority.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (directory / "key.pem").write_bytes(key)
        (directory / "number").write_text("1000\n")
        (directory / "openssl.cnf").write_text(CONFIGURATION.format(directory))

    def make(self, revoked) -> bytes:
        """A list in DER that names one certificate and as many others as are wanted."""
        numbers = [f"{revoked.certificate.serial_number:x}"] + [f"4{secrets.token_hex(19)}0" for _ in range(self.entries)]
        lines = [f"R\t361101000000Z\t261101000000Z,keyCompromise\t{_even(number)}\tunknown\t/CN=a" for number in numbers]
        (self.directory / "index.txt").write_text("\n".join(lines) + "\n")
        made = self.directory / "made.crl"
        arguments = ["openssl", "ca", "-gencrl", "-config", self.directory / "openssl.cnf", "-out", made]
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        return x509.load_pem_x509_crl(made.read_bytes()).public_bytes(serialization.Encoding.DER)


def _even(number: str) -> str:
    return number.upper().zfill(len(number) + len(number) % 2)


def measure(world: World, directory: Path, entries: int) -> dict:
    lists = LargeLists(directory, entries)
    file = publish(directory / "agents.crl", pem(revocation_list(lists.authority, number=1)))
    trust = {"name": TRUST_DOMAIN, "bundle_file": str(lists.authority.file), "crl_file": str(file)}
    (directory / "gateway").mkdir()
    configuration = world.configuration("http://127.0.0.1:9", listeners=[listening(world, trust=[trust])])
    gateway = Gateway(directory / "gateway", configuration).start()
    client = Client(gateway.port, world.servers.file)
    figures = {}
    try:
        assert client.refusal(lists.authority.agent()) is None
        for name in ("first", "second"):
            agent = lists.authority.agent()
            assert client.refusal(agent) is None
            content = lists.make(agent)
            before = gateway.memory()
            begin = time.monotonic()
            publish(file, content)
            gateway.wait(lambda: client.refusal(agent) is not None, "the list")
            figures[f"{name} counts"] = time.monotonic() - begin
            time.sleep(3)
            figures[f"{name} peak"] = gateway.peak_memory() - before
            figures[f"{name} stays"] = gateway.memory() - before
            figures["bytes"] = len(content)
    finally:
        client.close()
        gateway.stop()
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    entries = int(options.megabytes * 1e6 / 55)
    rounds = []
    for _ in range(options.rounds):
        with tempfile.TemporaryDirectory() as directory:
            world_directory = Path(directory) / "world"
            world_directory.mkdir()
            rounds.append(measure(World(world_directory), Path(directory), entries))
    median = {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}
    mebibyte = 1 << 20
    print(f"A list of {median['bytes'] / 1e6:.1f} MB with {entries + 1:,} entries:\n")
    print("| | stays | to the file | at most while it is read | to the file | counts after |")
    print("|---|---:|---:|---:|---:|---:|")
    for name in ("first", "second"):
        stays, peak = median[f"{name} stays"], median[f"{name} peak"]
        print(
            f"| the {name} | {stays / mebibyte:.1f} MiB | {stays / median['bytes']:.2f} | {peak / mebibyte:.1f} MiB "
            f"| {peak / median['bytes']:.2f} | {median[f'{name} counts']:.1f} s |"
        )
    print(f"\nMedians of {options.rounds} rounds.")


if __name__ == "__main__":
    main()
