"""Sessions that are resumed: by whom, where, and when no more."""

import datetime
import re
import ssl
import subprocess

import pytest

from clients import tls_context
from credentials import TRUST_DOMAIN, Authority
from gateway import listener
from ports import free_port
from test_reload import changed
from wire import PATIENCE

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


def listening(world, certificates=None, trust=None, **tls) -> dict:
    made = listener(free_port(), world.server, trust or world.trust)
    made["tls"] = {**made["tls"], "minimum_version": "1.2", **tls}
    if certificates:
        made["tls"]["certificates"] = [
            {"certificate_file": str(each.chain_file), "private_key_file": str(each.key_file)} for each in certificates
        ]
    return made


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    return launch(world.configuration(the_upstream.url, listeners=[listening(world)]))


@pytest.fixture(params=VERSIONS, ids=lambda version: version.name)
def version(request):
    return request.param


class Agent:
    """A client that keeps its session, as one TLS context of Python does."""

    def __init__(self, client, world, identity, version):
        self.client = client
        self.token = world.broker.token(identity)
        self.context = tls_context(world.servers.file, identity, version=version)
        self.session = None

    def connect(self, session=None, client=None, name="localhost"):
        client = client or self.client
        plain = client.tcp()
        connection = self.context.wrap_socket(plain, server_hostname=name, session=session)
        client.opened.append(connection)
        return connection

    def call(self, connection, client=None) -> int:
        """The status of a call; the session is kept, which in TLS 1.3 comes with the first bytes."""
        port = (client or self.client).port
        connection.sendall(
            f"GET /orders/42 HTTP/1.1\r\nHost: localhost:{port}\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        )
        status = int(re.match(rb"HTTP/1.1 (\d+)", connection.recv(1 << 16))[1])
        self.session = connection.session
        return status

    def refusal(self, session) -> str | None:
        """Why a call with the session fails below HTTP; `None` if it does not."""
        try:
            self.call(self.connect(session))
        except (ssl.SSLError, ConnectionError) as error:
            return str(error)
        return None


@pytest.fixture
def agent(gateway, reach, world, upstream, version):
    agent = Agent(reach(gateway), world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    assert agent.session.has_ticket
    return agent


def test_every_worker_takes_the_ticket_and_knows_the_agent(agent, gateway, world):
    for _ in range(12):
        connection = agent.connect(agent.session)
        assert connection.session_reused
        assert agent.call(connection) == 200
    record = gateway.events("request.allowed")[-1]
    assert record["certificate"] == world.agent.fingerprint


def test_a_resumed_session_is_the_agents_alone(gateway, reach, world, agent):
    """A token that is bound to another certificate is worth nothing in it."""
    agent.token = world.broker.token(world.other)
    connection = agent.connect(agent.session)
    assert connection.session_reused
    assert agent.call(connection) == 401


def test_nothing_is_resumed_where_that_is_off(world, upstream, launch, reach, version):
    gateway = launch(world.configuration(upstream.url, listeners=[listening(world, resumption="off")]))
    agent = Agent(reach(gateway), world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    assert not (agent.session and agent.session.has_ticket)
    assert not agent.connect(agent.session).session_reused


def test_a_ticket_is_for_one_listener(world, upstream, launch, reach, version):
    """The other listener trusts somebody else: its door is not opened by a ticket from here."""
    first, second = listening(world), listening(world, trust=[partner(world)])
    third = listening(world)
    second["name"], third["name"] = "partners", "more-agents"
    gateway = launch(world.configuration(upstream.url, listeners=[first, second, third]))
    here, there, elsewhere = (client_of(reach, gateway, index) for index in range(3))
    agent = Agent(here, world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    kept = agent.session
    assert agent.connect(kept).session_reused
    agent.client = there
    assert "alert" in agent.refusal(kept).lower()
    agent.client = elsewhere
    connection = agent.connect(kept)
    assert not connection.session_reused
    assert agent.call(connection) == 200


def partner(world) -> dict:
    authority = Authority(world.directory, "resumption-partner-ca", "spiffe://partner.test")
    return {"name": "partner.test", "bundle_file": str(authority.file)}


def client_of(reach, gateway, index: int):
    client = reach(gateway)
    client.port = int(gateway.configuration["listeners"][index]["address"].rpartition(":")[2])
    return client


def test_after_a_reload_that_changes_nothing_tickets_are_taken(agent, gateway):
    gateway.reload()
    connection = agent.connect(agent.session)
    assert connection.session_reused
    assert agent.call(connection) == 200


def reloading(world, upstream, launch):
    return launch(world.configuration(upstream.url, listeners=[listening(world)]))


def test_an_authority_that_is_added_makes_tickets_void(world, upstream, launch, reach, version):
    gateway = reloading(world, upstream, launch)
    agent = Agent(reach(gateway), world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    configuration = changed(gateway)
    configuration["listeners"][0]["clients"]["trust_domains"].append(partner(world))
    gateway.reload(configuration)
    gateway.wait(lambda: not agent.connect(agent.session).session_reused, "the new scope")
    assert agent.call(agent.connect(agent.session)) == 200


def test_a_client_of_an_authority_that_is_gone_is_refused(world, upstream, launch, reach, version, tmp_path):
    gateway = reloading(world, upstream, launch)
    agent = Agent(reach(gateway), world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    successor = Authority(tmp_path, "successor-ca")
    configuration = changed(gateway)
    configuration["listeners"][0]["clients"]["trust_domains"] = [
        {"name": TRUST_DOMAIN, "bundle_file": str(successor.file)}
    ]
    kept = agent.session
    gateway.reload(configuration)
    assert "alert" in gateway.wait(lambda: agent.refusal(kept), "the new bundle").lower()


def test_a_session_ends_with_the_certificate(gateway, world, upstream, reach, version):
    short = world.agents.agent("/agent/short", ends=datetime.timedelta(seconds=4))
    agent = Agent(reach(gateway), world, short, version)
    assert agent.call(agent.connect()) == 200
    kept = agent.session
    assert agent.connect(kept).session_reused
    gateway.wait(lambda: agent.refusal(kept), "the certificate's end")
    # OpenSSL's clients know the ticket's lifetime, and offer it no more; whoever does offer it is refused by us.
    assert "alert" in agent.refusal(kept).lower()


def test_a_ticket_is_void_after_a_restart(world, upstream, launch, reach, version):
    gateway = reloading(world, upstream, launch)
    agent = Agent(reach(gateway), world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    gateway.stop()
    gateway.start()
    connection = agent.connect(agent.session)
    assert not connection.session_reused
    assert agent.call(connection) == 200


def test_a_ticket_is_for_one_server_name(world, upstream, launch, reach, version):
    second = world.servers.server("second.example.test")
    both = world.servers.server("localhost", "third.example.test")
    made = listening(world, [both, second])
    gateway = launch(world.configuration(upstream.url, listeners=[made]))
    agent = Agent(reach(gateway), world, world.agent, version)
    assert agent.call(agent.connect()) == 200
    kept = agent.session
    for name in ["second.example.test", "third.example.test"]:
        connection = agent.connect(kept, name=name)
        assert not connection.session_reused
        assert ("DNS", name) in connection.getpeercert()["subjectAltName"]
    assert agent.connect(kept).session_reused


def s_client(gateway, world, *arguments: str, said=b"Q\n") -> str:
    """What openssl's own client reports of a connection without a call."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{gateway.port}", "-CAfile", str(world.servers.file)]
    command += ["-servername", "localhost", "-alpn", "http/1.1", *arguments]
    done = subprocess.run(command, input=said, capture_output=True, timeout=PATIENCE)
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.mark.parametrize("flag", ["-tls1_2", "-tls1_3"])
def test_openssl_resumes(gateway, world, tmp_path, flag):
    who = ["-cert", str(world.agent.chain_file), "-key", str(world.agent.key_file), flag]
    kept = tmp_path / "session.pem"
    # A request, so that the client stays for the ticket, which in TLS 1.3 comes behind the handshake.
    said = f"GET / HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nConnection: close\r\n\r\n".encode()
    first = s_client(gateway, world, *who, "-sess_out", str(kept), "-ign_eof", said=said)
    assert "New, TLSv1" in first
    again = s_client(gateway, world, *who, "-sess_in", str(kept), "-ign_eof", said=said)
    assert "Reused, TLSv1" in again
    assert "HTTP/1.1 401" in again or "HTTP/1.1 404" in again


def test_no_early_data_is_offered(gateway, world):
    who = ["-cert", str(world.agent.chain_file), "-key", str(world.agent.key_file), "-tls1_3", "-ign_eof"]
    said = f"GET / HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nConnection: close\r\n\r\n".encode()
    told = s_client(gateway, world, *who, said=said)
    assert "Max Early Data: 0" in told
    lifetime = re.search(r"TLS session ticket lifetime hint: (\d+)", told)
    assert 0 < int(lifetime[1]) <= 3600


def test_the_lifetime_that_is_told_ends_with_the_certificate(gateway, world):
    short = world.agents.agent("/agent/short", ends=datetime.timedelta(seconds=100))
    who = ["-cert", str(short.chain_file), "-key", str(short.key_file), "-tls1_3", "-ign_eof"]
    said = f"GET / HTTP/1.1\r\nHost: localhost:{gateway.port}\r\nConnection: close\r\n\r\n".encode()
    lifetime = re.search(r"TLS session ticket lifetime hint: (\d+)", s_client(gateway, world, *who, said=said))
    assert 0 < int(lifetime[1]) <= 100
