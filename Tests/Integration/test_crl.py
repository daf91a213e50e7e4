"""Revocation lists of trust domains: who is refused, when, and what a list does to those who are there already."""

import datetime
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crls import ListServer, der, intermediate, pem, publish, revocation_list
from credentials import TRUST_DOMAIN, Authority
from gateway import Gateway, sallyport
from test_reload import changed
from test_resumption import VERSIONS, Agent, listening

SECOND = datetime.timedelta(seconds=1)


class Domain:
    """A trust domain with an authority and lists of its own."""

    def __init__(self, directory, world):
        self.directory, self.world = directory, world
        self.authority = Authority(directory, "crl-ca")
        self.file = directory / "agents.crl"
        self.agent = self.authority.agent()
        self.other = self.authority.agent("/agent/task-2/instance-2")

    @property
    def trust(self) -> dict:
        return {"name": TRUST_DOMAIN, "bundle_file": str(self.authority.file)}

    def publish(self, *revoked, **options) -> None:
        publish(self.file, pem(revocation_list(self.authority, *revoked, **options)))

    def configuration(self, upstream, **keys) -> dict:
        made = listening(self.world, trust=[{**self.trust, **(keys or {"crl_file": str(self.file)})}])
        return self.world.configuration(upstream.url, listeners=[made])


@pytest.fixture
def domain(tmp_path, world) -> Domain:
    made = Domain(tmp_path, world)
    made.publish()
    return made


@pytest.fixture
def gateway(domain, upstream, launch) -> Gateway:
    return launch(domain.configuration(upstream))


def refused(gateway) -> list[str]:
    return [record["reason"] for record in gateway.events("connection.refused")]


def alerts(gateway) -> list[str]:
    return [record["reason"].partition(":")[0] for record in gateway.events("alert.raised")]


def is_revoked(client, agent):
    return client.refusal(agent) == "SSLV3_ALERT_CERTIFICATE_REVOKED"


# Who


@pytest.mark.parametrize("encoding", [pem, der], ids=["pem", "der"])
def test_a_listed_certificate_is_refused_and_no_other(domain, upstream, launch, reach, encoding):
    publish(domain.file, encoding(revocation_list(domain.authority, domain.agent)))
    gateway = launch(domain.configuration(upstream))
    client = reach(gateway)
    assert is_revoked(client, domain.agent)
    assert client.refusal(domain.other) is None
    gateway.wait(lambda: "certificate.revoked" in refused(gateway), "the record")


KEYS = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


@pytest.mark.parametrize("kind", KEYS)
def test_authorities_of_other_keys_sign_lists_too(world, upstream, launch, reach, tmp_path, kind):
    root = Authority(tmp_path, "root-ca")
    between = intermediate(root, "between", KEYS[kind]())
    bad, good = (between.agent(chain=[between.certificate]) for _ in range(2))
    file = publish(tmp_path / "between.crl", pem(revocation_list(between, bad)))
    trust = {"name": TRUST_DOMAIN, "bundle_file": str(root.file), "crl_file": str(file)}
    client = reach(launch(world.configuration(upstream.url, listeners=[listening(world, trust=[trust])])))
    assert is_revoked(client, bad)
    assert client.refusal(good) is None


def test_an_authority_between_may_be_listed(domain, upstream, launch, reach):
    between = intermediate(domain.authority, "between")
    agent = between.agent(chain=[between.certificate])
    lists = [revocation_list(between), revocation_list(domain.authority)]
    publish(domain.file, pem(*lists))
    gateway = launch(domain.configuration(upstream))
    client = reach(gateway)
    assert client.refusal(agent) is None
    publish(domain.file, pem(revocation_list(between), revocation_list(domain.authority, between)))
    gateway.wait(lambda: is_revoked(client, agent), "the new list")
    assert client.refusal(domain.agent) is None


def test_a_client_of_an_issuer_without_a_list_is_refused(domain, gateway, reach):
    between = intermediate(domain.authority, "unlisted")
    client = reach(gateway)
    assert client.refusal(between.agent(chain=[between.certificate])) is not None
    gateway.wait(lambda: refused(gateway) == ["certificate.crl-missing"], "the record")
    assert client.refusal(domain.agent) is None


def test_a_list_for_another_distribution_point_covers_nobody(domain, upstream, launch, reach):
    point = x509.IssuingDistributionPoint(
        [x509.UniformResourceIdentifier("http://ca.example.test/2.crl")], None, False, False, None, False, False
    )
    domain.publish(extensions=[(point, True)])
    gateway = launch(domain.configuration(upstream))
    assert reach(gateway).refusal(domain.agent) is not None
    gateway.wait(lambda: refused(gateway) == ["certificate.crl-missing"], "the record")


def test_the_lists_of_one_trust_domain_are_its_own(domain, world, upstream, launch, reach, tmp_path):
    partner = Authority(tmp_path, "partner-ca", "spiffe://partner.test")
    configuration = domain.configuration(upstream)
    configuration["listeners"][0]["clients"]["trust_domains"].append(
        {"name": "partner.test", "bundle_file": str(partner.file)}
    )
    domain.publish(domain.agent)
    client = reach(launch(configuration))
    assert client.refusal(partner.issue("spiffe://partner.test/agent")) is None
    assert is_revoked(client, domain.agent)


# When


def test_a_list_that_is_replaced_counts_without_a_reload(domain, gateway, reach):
    client = reach(gateway)
    assert client.refusal(domain.agent) is None
    domain.publish(domain.agent)
    gateway.wait(lambda: is_revoked(client, domain.agent), "the new list")
    domain.publish()
    gateway.wait(lambda: client.refusal(domain.agent) is None, "the next list")


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_who_is_there_already_is_cut_off(domain, gateway, reach, world, protocol):
    client = reach(gateway)
    bad, good = client.open(protocol, domain.agent), client.open(protocol, domain.other)
    assert bad.call("GET", "/any/a", world.broker.token(domain.agent)).status == 200
    assert good.call("GET", "/any/a", world.broker.token(domain.other)).status == 200
    domain.publish(domain.agent)
    gateway.wait(lambda: "certificate.revoked" in refused(gateway), "the end of the connection")
    assert bad.is_closed()
    assert good.call("GET", "/any/a", world.broker.token(domain.other)).status == 200


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_a_session_is_not_resumed_once_its_certificate_is_listed(domain, gateway, reach, world, upstream, version):
    agent = Agent(reach(gateway), world, domain.agent, version)
    assert agent.call(agent.connect()) == 200
    kept = agent.session
    assert agent.connect(kept).session_reused
    domain.publish(domain.agent)
    gateway.wait(lambda: "certificate.revoked" in refused(gateway), "the end of the connections")
    assert "revoked" in agent.refusal(kept).lower()


def test_a_reload_that_asks_for_lists_judges_those_who_are_there(domain, world, upstream, launch, reach):
    domain.publish(domain.agent)
    configuration = domain.configuration(upstream)
    bare = domain.trust
    lists = configuration["listeners"][0]["clients"]["trust_domains"]
    configuration["listeners"][0]["clients"]["trust_domains"] = [bare]
    gateway = launch(configuration)
    client = reach(gateway)
    connection = client.http1(domain.agent)
    assert connection.call("GET", "/any/a", world.broker.token(domain.agent)).status == 200
    configuration = changed(gateway)
    configuration["listeners"][0]["clients"]["trust_domains"] = lists
    gateway.reload(configuration)
    gateway.wait(lambda: "certificate.revoked" in refused(gateway), "the end of the connection")
    assert connection.is_closed()
    assert is_revoked(client, domain.agent)
    configuration["listeners"][0]["clients"]["trust_domains"] = [bare]
    gateway.reload(configuration)
    gateway.wait(lambda: client.refusal(domain.agent) is None, "the end of the lists")


# What is wrong with a list


def test_a_broken_file_keeps_the_old_list_and_is_told(domain, upstream, launch, reach):
    domain.publish(domain.agent)
    gateway = launch(domain.configuration(upstream))
    client = reach(gateway)
    publish(domain.file, b"garbage\n")
    gateway.wait(lambda: "crl.rejected" in alerts(gateway), "the alert")
    assert is_revoked(client, domain.agent)
    assert client.refusal(domain.other) is None
    domain.file.unlink()
    gateway.wait(lambda: alerts(gateway).count("crl.rejected") == 2, "the second alert")
    assert is_revoked(client, domain.agent)
    assert gateway.observe("/readyz") == 200
    domain.publish()
    gateway.wait(lambda: client.refusal(domain.agent) is None, "the sound list")


def test_an_older_list_is_ignored_and_told(domain, upstream, launch, reach):
    old = pem(revocation_list(domain.authority, number=1))
    domain.publish(domain.agent, number=2)
    gateway = launch(domain.configuration(upstream))
    client = reach(gateway)
    publish(domain.file, old)
    gateway.wait(lambda: "crl.older" in alerts(gateway), "the alert")
    assert is_revoked(client, domain.agent)
    gateway.reload()
    assert is_revoked(client, domain.agent)


def test_a_list_that_somebody_else_signed_is_refused(domain, upstream, launch, reach):
    domain.publish(domain.agent)
    gateway = launch(domain.configuration(upstream))
    domain.publish(key=ec.generate_private_key(ec.SECP256R1()))
    gateway.wait(lambda: "crl.rejected" in alerts(gateway), "the alert")
    assert is_revoked(reach(gateway), domain.agent)


def test_once_a_list_has_expired_everybody_is_refused_loudly(domain, upstream, launch, reach, world):
    domain.publish(ends=4 * SECOND)
    gateway = launch(domain.configuration(upstream))
    client = reach(gateway)
    connection = client.http1(domain.agent)
    assert connection.call("GET", "/any/a", world.broker.token(domain.agent)).status == 200
    gateway.wait(lambda: "crl.expired" in alerts(gateway), "the alert")
    assert client.refusal(domain.agent) is not None
    assert connection.is_closed()
    assert set(refused(gateway)) == {"certificate.crl-expired"}
    assert gateway.observe("/readyz") == 503
    assert gateway.observe("/healthz") == 200
    domain.publish()
    gateway.wait(lambda: client.refusal(domain.agent) is None, "the current list")
    gateway.wait(lambda: gateway.observe("/readyz") == 200, "to be ready")


def test_an_expired_list_at_the_start_is_a_warning(domain, upstream, launch, reach):
    domain.publish(begins=-10 * SECOND, ends=-SECOND)
    made = Gateway(domain.directory, domain.configuration(upstream))
    told = sallyport("check", "--config", made.file)
    assert told.returncode == 0
    assert "crl_file" in told.stdout + told.stderr and "has expired" in told.stdout + told.stderr
    gateway = launch(domain.configuration(upstream), until="/healthz")
    assert gateway.observe("/readyz") == 503
    assert reach(gateway).refusal(domain.agent) is not None


@pytest.mark.parametrize("file", ["missing", "garbage", "forged"])
def test_a_list_that_cannot_be_used_refuses_the_start(domain, upstream, tmp_path, file):
    if file == "missing":
        domain.file.unlink()
    elif file == "garbage":
        publish(domain.file, b"garbage\n")
    else:
        domain.publish(key=ec.generate_private_key(ec.SECP256R1()))
    told = sallyport("check", "--config", Gateway(tmp_path, domain.configuration(upstream)).file)
    assert told.returncode == 1
    assert "crl_file" in told.stderr


def test_expired_lists_let_clients_in_where_that_is_said(domain, upstream, launch, reach, tmp_path):
    """What is listed stays revoked."""
    domain.publish(domain.agent, begins=-10 * SECOND, ends=-SECOND)
    configuration = {**domain.configuration(upstream), "revocation": {"when_stale": "allow"}}
    assert "dangerous" in str(sallyport("check", "--config", Gateway(tmp_path, configuration).file))
    client = reach(launch(configuration))
    assert is_revoked(client, domain.agent)
    assert client.refusal(domain.other) is None


# From a URL


@pytest.fixture
def server(domain, world):
    made = ListServer(world.server, der(revocation_list(domain.authority)))
    yield made
    made.close()


def fetching(domain, world, upstream, server) -> dict:
    return domain.configuration(
        upstream, crl_url=server.location, crl_refresh="10s", crl_ca_file=str(world.servers.file)
    )


def test_a_list_is_fetched_and_fetched_again(domain, world, upstream, server, launch, reach):
    gateway = launch(fetching(domain, world, upstream, server))
    client = reach(gateway)
    assert client.refusal(domain.agent) is None
    server.publish(der(revocation_list(domain.authority, domain.agent)))
    gateway.wait(lambda: is_revoked(client, domain.agent), "the next fetch")
    gateway.wait(lambda: len(server.requests) > 2, "a fetch that brings nothing new")
    assert server.requests[-1].header("if-none-match") == server.tag
    assert is_revoked(client, domain.agent)


def test_before_the_first_list_everybody_is_refused(domain, world, upstream, server, launch, reach):
    server.publish(b"out of order", status=503)
    gateway = launch(fetching(domain, world, upstream, server), until="/healthz")
    client = reach(gateway)
    assert client.refusal(domain.agent) is not None
    assert gateway.observe("/readyz") == 503
    gateway.wait(lambda: "crl.rejected" in alerts(gateway), "the alert")
    assert "certificate.crl-missing" in refused(gateway)
    server.publish(pem(revocation_list(domain.authority)))
    gateway.wait(lambda: client.refusal(domain.agent) is None, "the first list")
    gateway.wait(lambda: gateway.observe("/readyz") == 200, "to be ready")


def test_a_server_that_nobody_vouches_for_is_not_believed(domain, world, upstream, server, launch, reach):
    configuration = fetching(domain, world, upstream, server)
    configuration["listeners"][0]["clients"]["trust_domains"][0]["crl_ca_file"] = str(domain.authority.file)
    gateway = launch(configuration, until="/healthz")
    gateway.wait(lambda: "crl.rejected" in alerts(gateway), "the alert")
    assert reach(gateway).refusal(domain.agent) is not None


# Explained


def test_explain_knows_the_list(domain, world, upstream, tmp_path):
    domain.publish(domain.agent)
    gateway = Gateway(tmp_path, domain.configuration(upstream))
    request = {
        "method": "GET",
        "url": f"{gateway.origin}/any/a",
        "headers": {"Authorization": "Bearer " + world.broker.token(domain.agent)},
        "client_certificate": domain.agent.chain_file.read_text(),
    }
    file = tmp_path / "request"
    file.write_text(json.dumps(request))
    assert "certificate.revoked" in sallyport("explain", "--config", gateway.file, "--request", file).stdout
    request["client_certificate"] = domain.other.chain_file.read_text()
    file.write_text(json.dumps(request))
    assert "certificate.revoked" not in sallyport("explain", "--config", gateway.file, "--request", file).stdout
