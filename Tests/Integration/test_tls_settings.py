"""TLS as it is set: versions, suites, groups, and what must not be there; stapling and the key log."""

import datetime
import json
import re
import shutil
import stat
import subprocess

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.x509 import ocsp

from gateway import Gateway, listener, sallyport
from ports import free_port
from test_reload import changed
from wire import PATIENCE

NOW = datetime.datetime.now(datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def rsa(world):
    """A second certificate, so that suites for either kind of key could be chosen."""
    return world.servers.server("rsa.example.test", key=generate_private_key(65537, 2048))


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch, rsa):
    made = listener(free_port(), world.server, world.trust)
    made["tls"]["minimum_version"] = "1.2"
    made["tls"]["certificates"].append(
        {"certificate_file": str(rsa.chain_file), "private_key_file": str(rsa.key_file)}
    )
    return launch(world.configuration(the_upstream.url, listeners=[made]))


def s_client(gateway, world, *arguments: str, said: bytes = b"Q\n", name="localhost") -> str:
    """What openssl's client tells of a connection of the agent."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", str(world.servers.file)]
    command += ["-cert", str(world.agent.chain_file), "-key", str(world.agent.key_file), "-servername", name]
    done = subprocess.run([*command, *arguments], input=said, capture_output=True, timeout=PATIENCE)
    return (done.stdout + done.stderr).decode(errors="replace")


def agreed(told: str) -> str | None:
    """The suite that was agreed on, if any was."""
    found = re.search(r"Cipher is (\S+)", told)
    return None if not found or found[1] == "(NONE)" else found[1]


@pytest.mark.parametrize(("flag", "spoken"), [("-tls1", False), ("-tls1_1", False), ("-tls1_2", True), ("-tls1_3", True)])
def test_old_versions_are_not_spoken(gateway, world, flag, spoken):
    told = s_client(gateway, world, flag, "-cipher", "ALL:@SECLEVEL=0")
    assert (agreed(told) is not None) == spoken


def test_only_suites_with_authentication_and_forward_secrecy_are_agreed_on(gateway, world):
    listed = subprocess.run(
        ["openssl", "ciphers", "-tls1_2", "-s", "ALL:COMPLEMENTOFALL:@SECLEVEL=0"], capture_output=True, text=True
    )
    suites = [suite for suite in listed.stdout.strip().split(":") if not suite.startswith("TLS_")]
    assert len(suites) > 30
    taken = set()
    for name in ["localhost", "rsa.example.test"]:
        for suite in suites:
            told = s_client(gateway, world, "-tls1_2", "-cipher", f"{suite}:@SECLEVEL=0", name=name)
            taken |= {agreed(told)} - {None}
    assert taken == {
        f"ECDHE-{key}-{suite}"
        for key in ["ECDSA", "RSA"]
        for suite in ["AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"]
    }


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_x25519_is_preferred_and_weak_groups_are_not_taken(gateway, world, version):
    def group(*arguments: str) -> str | None:
        # The other name's RSA key, since in TLS 1.2 groups say which curves of certificates are known too.
        told = s_client(gateway, world, version, *arguments, name="rsa.example.test")
        found = re.search(r"Server Temp Key: (?:ECDH, )?([\w-]+)", told)
        return found and found[1]

    assert group() in ("X25519", "X25519MLKEM768")
    assert group("-groups", "P-384") == "secp384r1"
    assert group("-groups", "P-521") is None


def test_in_tls_1_2_the_group_is_our_choice(gateway, world):
    assert "Server Temp Key: X25519" in s_client(gateway, world, "-tls1_2", "-groups", "P-384:P-256:X25519")


def test_there_is_no_compression_and_no_renegotiation(gateway, world):
    told = s_client(gateway, world, "-tls1_2", "-comp")
    assert "Compression: NONE" in told
    assert "Secure Renegotiation IS supported" in told
    told = s_client(gateway, world, "-tls1_2", said=b"R\n")
    assert "no renegotiation" in told


def test_sha1_does_not_sign(gateway, world):
    weak = ["-tls1_2", "-sigalgs", "ECDSA+SHA1:RSA+SHA1", "-cipher", "ALL:@SECLEVEL=0"]
    strong = ["-tls1_2", "-sigalgs", "ECDSA+SHA256", "-cipher", "ALL:@SECLEVEL=0"]
    assert agreed(s_client(gateway, world, *weak)) is None
    assert agreed(s_client(gateway, world, *strong)) is not None


# Stapling


def response(authority, identity, status=ocsp.OCSPCertStatus.GOOD, ends=HOUR) -> bytes:
    """An OCSP response of the authority itself, in DER."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        identity.certificate,
        authority.certificate,
        hashes.SHA1(),
        status,
        NOW - 2 * HOUR,
        NOW + ends,
        NOW - HOUR if status == ocsp.OCSPCertStatus.REVOKED else None,
        None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, authority.certificate)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.fixture
def stapling(world, tmp_path):
    """A configuration that staples what is in a file, and the file."""
    file = tmp_path / "server.ocsp"
    made = listener(free_port(), world.server, world.trust)
    made["tls"]["certificates"][0]["ocsp_file"] = str(file)
    return world.configuration("http://127.0.0.1:1", listeners=[made]), file


def test_a_response_is_stapled_and_a_newer_one_after_a_reload(world, launch, stapling):
    configuration, file = stapling
    file.write_bytes(response(world.servers, world.server))
    gateway = launch(configuration)
    told = s_client(gateway, world, "-status")
    assert "OCSP Response Status: successful" in told
    assert "Cert Status: good" in told
    newer = response(world.servers, world.server, ends=2 * HOUR)
    file.write_bytes(newer)
    end = ocsp.load_der_ocsp_response(newer).next_update_utc.strftime("%b %e %H:%M:%S %Y")
    gateway.reload()
    gateway.wait(lambda: f"Next Update: {end}" in s_client(gateway, world, "-status"), "the newer response")


def test_without_a_file_nothing_is_stapled(gateway, world):
    assert "OCSP response: no response sent" in s_client(gateway, world, "-status")


def test_a_stale_response_is_told_of_and_not_sent(world, launch, stapling):
    configuration, file = stapling
    file.write_bytes(response(world.servers, world.server, ends=-HOUR))
    gateway = launch(configuration)
    assert "not of this time" in gateway.said
    assert "OCSP response: no response sent" in s_client(gateway, world, "-status")


REFUSED = {
    "not about this certificate": lambda world: response(world.servers, world.agent),
    "says that the certificate is revoked": lambda world: response(
        world.servers, world.server, ocsp.OCSPCertStatus.REVOKED
    ),
    "does not know the certificate": lambda world: response(
        world.servers, world.server, ocsp.OCSPCertStatus.UNKNOWN
    ),
    "holds no OCSP response": lambda world: b"garbage",
    "did not answer": lambda world: ocsp.OCSPResponseBuilder.build_unsuccessful(
        ocsp.OCSPResponseStatus.TRY_LATER
    ).public_bytes(serialization.Encoding.DER),
}


@pytest.mark.parametrize("told", REFUSED)
def test_another_response_is_refused_before_the_start(world, tmp_path, stapling, told):
    configuration, file = stapling
    file.write_bytes(REFUSED[told](world))
    done = sallyport("check", "--config", str(Gateway(tmp_path, configuration).file))
    assert done.returncode != 0
    assert "ocsp_file" in done.stdout + done.stderr
    assert told in done.stdout + done.stderr


# The key log


def test_secrets_are_logged_only_where_that_is_asked_for_and_loudly(world, launch, upstream, reach, tmp_path):
    file = tmp_path / "keys.log"
    file.write_text("# older\n")
    file.chmod(0o644)
    made = listener(free_port(), world.server, world.trust)
    made["tls"]["dangerously_log_tls_keys"] = str(file)
    gateway = launch(world.configuration(upstream.url, listeners=[made]))
    assert "DANGER" in gateway.said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    connection = reach(gateway).http1(world.agent)
    assert connection.call("GET", "/orders/42", world.broker.token(world.agent)).status == 200
    lines = file.read_text().splitlines()
    assert lines[0] == "# older"
    labels = {line.split()[0] for line in lines[1:]}
    assert {"CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"} <= labels
    assert all(re.fullmatch(r"[A-Z_0-9]+ [0-9a-f]{64} [0-9a-f]{64,96}", line) for line in lines[1:])


def test_the_key_log_decrypts_nothing_of_other_listeners(gateway, world):
    assert "DANGER" not in gateway.said


# Others' judgement


@pytest.mark.skipif(not shutil.which("sslyze"), reason="sslyze is not installed")
def test_sslyze_finds_nothing(gateway, world, tmp_path):
    told = tmp_path / "sslyze.json"
    subprocess.run(
        ["sslyze", "--json_out", str(told), "--sni", "localhost", "--cert", str(world.agent.chain_file)]
        + ["--key", str(world.agent.key_file), "--mozilla_config", "disable"]
        + ["--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--heartbleed", "--openssl_ccs", "--robot", "--reneg", "--compression"]
        + ["--early_data", "--elliptic_curves", "--fallback", f"127.0.0.1:{gateway.port}"],
        capture_output=True,
        timeout=6 * PATIENCE,
    )
    result = json.loads(told.read_text())["server_scan_results"][0]["scan_result"]
    for old in ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"]:
        assert result[f"{old}_cipher_suites"]["result"]["accepted_cipher_suites"] == []
    assert not result["heartbleed"]["result"]["is_vulnerable_to_heartbleed"]
    assert not result["openssl_ccs_injection"]["result"]["is_vulnerable_to_ccs_injection"]
    assert result["robot"]["result"]["robot_result"].startswith("NOT_VULNERABLE")
    assert not result["session_renegotiation"]["result"]["is_vulnerable_to_client_renegotiation_dos"]
    assert result["session_renegotiation"]["result"]["supports_secure_renegotiation"]
    assert not result["tls_compression"]["result"]["supports_compression"]
    assert not result["tls_1_3_early_data"]["result"]["supports_early_data"]
    curves = {each["name"] for each in result["elliptic_curves"]["result"]["supported_curves"]}
    assert curves <= {"X25519", "X25519MLKEM768", "secp256r1", "prime256v1", "secp384r1"}
