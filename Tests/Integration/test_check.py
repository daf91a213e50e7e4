"""`sallyport check`: every error at once, with its line and key path, and no socket opened."""

import os
import socket

import pytest

from gateway import CHECKOUT, Gateway, sallyport


def check(directory, configuration):
    return sallyport("check", "--config", str(Gateway(directory, configuration).file))


def test_a_good_file_is_good(world, upstream, tmp_path):
    told = check(tmp_path, world.configuration(upstream.url))
    assert told.returncode == 0, told.stderr


def test_no_socket_is_opened(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configuration["listeners"][0]["address"] = f"127.0.0.1:{taken.getsockname()[1]}"
        assert check(tmp_path, configuration).returncode == 0


def test_the_file_may_be_named_by_the_environment(world, upstream, tmp_path):
    gateway = Gateway(tmp_path, world.configuration(upstream.url))
    assert sallyport("check", env={**os.environ, "SALLYPORT_CONFIG": str(gateway.file)}).returncode == 0


def test_the_example_of_the_readme_is_good(world, tmp_path):
    """It is written as a person would: with relative paths, comments, durations and sizes."""
    for name, source in {
        "server.pem": world.server.chain_file,
        "server.key": world.server.key_file,
        "agents-ca.pem": world.agents.file,
        "broker.jwks.json": world.jwks_file,
    }.items():
        (tmp_path / name).write_bytes(source.read_bytes())
    (tmp_path / "server.key").chmod(0o600)
    example = (CHECKOUT / "README.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    file = tmp_path / "sallyport.yaml"
    file.write_text(example)
    told = sallyport("check", "--config", str(file))
    assert told.returncode == 0, told.stderr
    assert not told.stderr


def test_every_error_is_told_with_its_line_and_key_path(world, upstream, tmp_path):
    file = tmp_path / "sallyport.yaml"
    file.write_text("""listeners:
  - name: agents
    address: "nonsense"
    origins: ["not a url"]
    colour: blue
issuers: []
upstreams:
  - name: orders
    targets: ["gopher://127.0.0.1:9000"]
routes:
  - name: a
    match: { path: "no-slash" }
    upstream: nowhere
limits: { header_bytes: 32XB }
""")
    told = sallyport("check", "--config", str(file))
    assert told.returncode == 1
    for line, key in ((3, "address"), (4, "origins"), (5, "colour"), (9, "targets"), (12, "path"), (13, "upstream")):
        assert any(f":{line}:" in said and key in said for said in told.stderr.splitlines()), (line, key, told.stderr)
    assert any(":14:" in said and "header_bytes" in said for said in told.stderr.splitlines()), told.stderr


def listener(configuration) -> dict:
    return configuration["listeners"][0]


def change(path: str, value):
    """Sets one value of the configuration by its path."""

    def apply(configuration):
        *holders, last = path.split("/")
        for name in holders:
            if name.isdigit():
                configuration = configuration[int(name)]
            else:
                configuration = configuration.setdefault(name, {})
        configuration[last] = value

    return apply


NOT_BUILT_YET = {
    "redis": change("possession", {"replay": {"store": "redis"}}),
    "revocation.store": change("revocation", {"store": {"redis": {"url": "redis://127.0.0.1:6379"}}}),
    "signing_key_file": change("audit/signing_key_file", "audit.key"),
    "checkpoint_interval": change("audit/checkpoint_interval", "10s"),
}


@pytest.mark.parametrize("name", NOT_BUILT_YET)
def test_what_is_not_built_is_refused_by_name(world, upstream, tmp_path, name):
    """Asked for and not given would be weaker than asked for."""
    configuration = world.configuration(upstream.url)
    NOT_BUILT_YET[name](configuration)
    told = check(tmp_path, configuration)
    assert told.returncode == 1
    assert name in told.stderr


WRONG = {
    "an unknown key": (change("listeners/0/colour", "blue"), "colour"),
    "an unknown key deep down": (change("routes/0/require/scopes", "a:b:c"), "scopes"),
    "no listener": (change("listeners", []), "listeners"),
    "no issuer": (change("issuers", []), "issuers"),
    "no origin": (change("listeners/0/origins", []), "origins"),
    "an origin with a path": (change("listeners/0/origins", ["https://localhost/x"]), "origins"),
    "a plain origin": (change("listeners/0/origins", ["http://localhost:8443"]), "origins"),
    "no audience": (change("issuers/0/audiences", []), "audiences"),
    "no algorithm": (change("issuers/0/algorithms", []), "algorithms"),
    "alg none": (change("issuers/0/algorithms", ["none"]), "algorithms"),
    "a symmetric algorithm": (change("issuers/0/algorithms", ["HS256"]), "algorithms"),
    "no trust domain": (change("listeners/0/clients/trust_domains", []), "trust_domains"),
    "an unknown identity": (change("listeners/0/clients/identity", "anyone"), "identity"),
    "no certificate": (change("listeners/0/tls/certificates", []), "certificates"),
    "TLS 1.0": (change("listeners/0/tls/minimum_version", "1.0"), "minimum_version"),
    "an unknown protocol": (change("listeners/0/protocols", ["h3"]), "protocols"),
    "no protocol": (change("listeners/0/protocols", []), "protocols"),
    "no accepted proof": (change("routes/0/require/possession", []), "possession"),
    "an unknown proof": (change("routes/0/require/possession", ["trust"]), "possession"),
    "a route for an unknown issuer": (change("routes/0/require/issuers", ["https://x.test"]), "issuers"),
    "a route without issuers": (change("routes/0/require/issuers", []), "issuers"),
    "a route to an unknown upstream": (change("routes/0/upstream", "nowhere"), "upstream"),
    "a scope of an unknown parameter": (change("routes/0/require/scope", "read:orders:{other}"), "scope"),
    "a scope of two parts": (change("routes/0/require/scope", "read:orders"), "scope"),
    "a parameter twice": (change("routes/0/match/path", "/{a}/{a}"), "path"),
    "a rest that is not last": (change("routes/0/match/path", "/{a...}/b"), "path"),
    "a path without a slash": (change("routes/0/match/path", "orders"), "path"),
    "TLS without authorities": (change("upstreams/0/targets", ["https://127.0.0.1:9000"]), "upstreams[0].tls"),
    "authorities without TLS": (change("upstreams/0/tls", {"ca_file": "ca.pem"}), "upstreams[0].tls"),
    "plain and secret targets": (change("upstreams/0/targets", ["https://a", "http://b"]), "upstreams[0].targets"),
    "a duration without a unit": (change("timeouts", {"head": "10"}), "head"),
    "a negative duration": (change("timeouts", {"head": "-10s"}), "head"),
    "a size of another unit": (change("limits", {"header_bytes": "32KB"}), "header_bytes"),
    "a list for a number": (change("limits", {"streams": [1]}), "streams"),
    "a port past the last": (change("listeners/0/address", "127.0.0.1:65536"), "address"),
    "an address without a port": (change("listeners/0/address", "127.0.0.1"), "address"),
    "a directory that is a file": (change("audit/directory", "sallyport.yaml"), "directory"),
    "keys from two places": (change("issuers/0/jwks_url", "https://broker.example.test/keys"), "jwks_url"),
    "an unknown profile": (change("issuers/0/profile", "saml"), "profile"),
    "AgentWrit with ES256": (change("issuers/0/profile", "agentwrit"), "algorithms"),
    "a WIT-SVID with Ed25519": (change("issuers/0/profile", "wit-svid"), "algorithms"),
    "an unknown nonce mode": (change("possession", {"dpop": {"nonce": "sometimes"}}), "nonce"),
    "a window of an hour": (change("possession", {"dpop": {"accept_window": "1h"}}), "accept_window"),
    "no window": (change("possession", {"dpop": {"accept_window": "0s"}}), "accept_window"),
    "proofs by HMAC": (change("possession", {"dpop": {"algorithms": ["HS256"]}}), "algorithms"),
    "proofs by no algorithm": (change("possession", {"dpop": {"algorithms": []}}), "algorithms"),
    "no room for proofs": (change("possession", {"replay": {"capacity": 0}}), "capacity"),
    "an unknown store of proofs": (change("possession", {"replay": {"store": "disk"}}), "store"),
    "a claim of a map": (change("routes/0/require/claims", {"model": {"suffix": "x"}}), "claims"),
    "a claim of nothing": (change("routes/0/require/claims", {"model": []}), "claims"),
    "a sponsor that is text": (change("routes/0/require/sponsor", "yes"), "sponsor"),
    "an age without a unit": (change("routes/0/require/max_age", "300"), "max_age"),
    "no authentication context": (change("routes/0/require/acr", []), "acr"),
    "an unknown way to forward": (change("routes/0/forward", {"authorization": "pass"}), "authorization"),
    "an unknown durability": (change("audit/durability", "hoped"), "durability"),
    "text for workers": (change("workers", "many"), "workers"),
    "no workers": (change("workers", 0), "workers"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told(world, upstream, tmp_path, case):
    apply, key = WRONG[case]
    configuration = world.configuration(upstream.url)
    apply(configuration)
    told = check(tmp_path, configuration)
    assert told.returncode == 1
    assert key in told.stderr
    assert "sallyport.yaml" in told.stderr


def test_duplicate_names_and_keys_are_errors(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    configuration["upstreams"].append(configuration["upstreams"][0])
    assert check(tmp_path, configuration).returncode == 1
    file = tmp_path / "sallyport.yaml"
    file.write_text('{"workers": 1, "workers": 2}')
    assert sallyport("check", "--config", str(file)).returncode == 1


def test_a_private_key_never_appears_in_what_is_said(world, upstream, tmp_path):
    configuration = world.configuration(upstream.url)
    listener(configuration)["tls"]["certificates"][0]["certificate_file"] = str(world.server.key_file)
    told = check(tmp_path, configuration)
    assert told.returncode == 1
    assert "PRIVATE KEY" not in told.stderr
    assert world.server.key_file.read_text().splitlines()[1] not in told.stderr


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "a: [", "\0", "a: &x [*x]", "text"])
def test_garbage_is_an_error_and_no_crash(tmp_path, content):
    file = tmp_path / "sallyport.yaml"
    file.write_text(content)
    told = sallyport("check", "--config", str(file))
    assert told.returncode == 1
    assert "sallyport.yaml" in told.stderr


@pytest.mark.parametrize("arguments", [["check"], ["run"], ["nothing"], ["check", "--nothing"], ["audit", "verify"]])
def test_wrong_arguments_are_told(arguments):
    told = sallyport(*arguments)
    assert told.returncode not in (0, 1)
    assert told.stderr
