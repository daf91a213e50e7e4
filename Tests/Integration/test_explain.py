"""`sallyport explain`: a captured request decided offline, phase by phase."""

import json
import os
import time
from datetime import datetime, timedelta, timezone

import pytest

from gateway import Gateway, sallyport
from proofs import Holder, presented
from world import ORDERS, route

PHASES = ["target", "route", "token", "binding", "lineage", "revocation", "policy", "replay"]


class Desk:
    """A configuration and the requests that are put before it."""

    def __init__(self, directory, world):
        self.directory = directory
        self.world = world
        routes = [ORDERS, route("bound", "/bound/{rest...}", possession=["dpop"])]
        self.gateway = Gateway(directory, world.configuration("http://127.0.0.1:9", routes))
        self.origin = self.gateway.origin
        self.holder = Holder()

    def request(self, **changes) -> dict:
        """A good request."""
        request = {
            "method": "GET",
            "url": f"{self.origin}/orders/42?hidden=QUERY",
            "headers": {"Authorization": "Bearer " + self.world.broker.token(self.world.agent)},
            "client_certificate": self.world.agent.chain_file.read_text(),
        }
        return {**request, **changes}

    def bound(self, uri: str | None = None, **changes) -> dict:
        """A good request with a key-bound token and a proof for `uri`."""
        token = self.world.broker.token(self.world.agent, cnf=self.holder.cnf)
        url = f"{self.origin}/bound/1"
        fields = presented(token, self.holder.proof("GET", uri or url, token))
        return self.request(url=url, headers=[list(field) for field in fields], **changes)

    def explain(self, request: dict | str, *arguments, **options):
        file = self.directory / "request"
        file.write_text(request if isinstance(request, str) else json.dumps(request))
        return sallyport("explain", "--config", self.gateway.file, "--request", file, *arguments, **options)


@pytest.fixture
def desk(tmp_path, world) -> Desk:
    return Desk(tmp_path, world)


def steps(told) -> dict[str, str]:
    """What is said of each phase."""
    found = {}
    for line in told.stdout.partition("\n\n")[0].splitlines():
        name, _, rest = line.partition(" ")
        for word in ("passed", "refused", "undecided", "not reached"):
            if rest.strip().startswith(word):
                found.setdefault(name, word)
    assert list(found)[-len(PHASES) :] == PHASES, told.stdout + told.stderr
    return found


def assert_refused(told, phase: str, reason: str, rule: str, status: str) -> None:
    assert told.returncode == 1, told.stdout + told.stderr
    said = steps(told)
    place = PHASES.index(phase)
    assert [said[name] for name in PHASES] == (
        ["passed"] * place + ["refused"] + ["not reached"] * (len(PHASES) - place - 1)
    )
    assert f"verdict     refused: {status}\n" in told.stdout
    assert f"reason      {reason}\n" in told.stdout
    assert f"rule        {rule}" in told.stdout


def test_a_good_request_is_allowed(desk, world):
    told = desk.explain(desk.request())
    assert told.returncode == 0, told.stdout + told.stderr
    assert set(steps(told).values()) == {"passed"}
    for fact in ("read-order", world.agent.spiffe_id, world.agent.fingerprint, "grant read:orders:42", "no delegation"):
        assert fact in told.stdout


def test_a_good_proof_is_new_to_an_empty_memory(desk):
    request = desk.bound()
    for _ in range(2):
        told = desk.explain(request)
        assert told.returncode == 0, told.stdout + told.stderr
        assert "proven by dpop" in told.stdout
        assert "empty memory" in told.stdout


def test_an_expired_token_is_refused(desk, world):
    now = int(time.time())
    token = world.broker.token(world.agent, iat=now - 600, exp=now - 300)
    told = desk.explain(desk.request(headers={"Authorization": f"Bearer {token}"}))
    assert_refused(told, "token", "token.expired", "RFC 7519 §4.1.4", "401 invalid-token")
    assert 'error="invalid_token"' in told.stdout


def test_a_stolen_token_is_refused(desk, world):
    token = world.broker.token(world.other, sub=world.agent.spiffe_id)
    told = desk.explain(desk.request(headers={"Authorization": f"Bearer {token}"}))
    assert_refused(told, "binding", "possession.certificate-mismatch", "RFC 8705 §3", "401 invalid-token")


def test_a_proof_for_another_uri_is_refused(desk):
    told = desk.explain(desk.bound(f"{desk.origin}/bound/2"))
    rule = "RFC 9449 §4.3 step 9: the proof's htu is not the URI of the request\n"
    assert_refused(told, "binding", "dpop.htu", rule, "401 invalid-proof")
    assert 'error="invalid_dpop_proof"' in told.stdout


def test_a_missing_grant_is_refused(desk):
    told = desk.explain(desk.request(url=f"{desk.origin}/orders/43"))
    assert_refused(told, "policy", "policy.scope", "RFC 6750 §3.1", "403 insufficient-scope")
    assert 'scope="read:orders:43"' in told.stdout


def test_an_unknown_path_is_refused(desk):
    told = desk.explain(desk.request(url=f"{desk.origin}/nothing"))
    assert_refused(told, "route", "route.none", "routes", "404 no-route")


def test_another_authority_is_refused(desk):
    told = desk.explain(desk.request(url="https://elsewhere.test/orders/42"))
    assert_refused(told, "target", "target.authority", "RFC 9110 §7.4", "421 misdirected")


def test_two_lines_of_one_field_are_shown_as_a_list(desk, world):
    field = ["Authorization", "Bearer " + world.broker.token(world.agent)]
    assert desk.explain(desk.request(headers=[field])).returncode == 0
    told = desk.explain(desk.request(headers=[field, field]))
    reason = "credentials.two-authorization-fields"
    assert_refused(told, "token", reason, "RFC 6750 §2", "400 invalid-request")


@pytest.mark.parametrize("certificate", ["none", "stranger", "expired"])
def test_what_fails_in_the_handshake_is_told(desk, world, certificate, tmp_path):
    request = desk.request()
    if certificate == "none":
        del request["client_certificate"]
    elif certificate == "stranger":
        request["client_certificate"] = type(world.agents)(tmp_path, "strangers").agent().chain_file.read_text()
    else:
        late = world.agents.agent(begins=timedelta(hours=-2), ends=timedelta(hours=-1))
        request["client_certificate"] = late.chain_file.read_text()
    told = desk.explain(request)
    assert told.returncode == 1
    assert "verdict     refused: the handshake fails\n" in told.stdout
    assert {steps(told)[name] for name in PHASES} == {"not reached"}
    reason = {"none": "missing", "stranger": "untrusted", "expired": "expired"}[certificate]
    assert f"reason      certificate.{reason}\n" in told.stdout


def test_it_says_the_same_as_the_gateway(desk, world, launch, reach, upstream):
    """A request that both judge gets the status, the reason and the challenge of the one that serves."""
    gateway = launch(world.configuration(upstream.url))
    desk.gateway, desk.origin = gateway, gateway.origin
    connection = reach(gateway).http1(world.agent)
    for path, changes in [("/orders/42", {}), ("/orders/43", {}), ("/none", {}), ("/orders/42", {"aud": "x"})]:
        fields = [("Authorization", "Bearer " + world.broker.token(world.agent, **changes))]
        answer = connection.call("GET", path, fields=fields)
        told = desk.explain(desk.request(url=gateway.origin + path, headers=[list(field) for field in fields]))
        assert (told.returncode == 0) == (answer.status == 200)
        if answer.status != 200:
            assert f"verdict     refused: {answer.status} {answer.code}\n" in told.stdout
            assert f"reason      {gateway.reason(answer)}\n" in told.stdout


def test_yaml_and_a_raw_head_are_read_too(desk, world):
    request = desk.request()
    (desk.directory / "agent.pem").write_text(request["client_certificate"])
    authorization = request["headers"]["Authorization"]
    yaml = f"method: GET\nurl: {request['url']}\nheaders:\n  Authorization: {authorization}\nlistener: agents\n"
    told = desk.explain(yaml + "client_certificate_file: agent.pem\n")
    assert told.returncode == 0, told.stdout + told.stderr
    authority = desk.origin.removeprefix("https://")
    head = f"GET /orders/42 HTTP/1.1\nHost: {authority}\nAuthorization: {authorization}\n\n"
    told = desk.explain(head + request["client_certificate"])
    assert told.returncode == 0, told.stdout + told.stderr
    assert desk.explain(head).returncode == 1


def test_the_moment_may_be_chosen(desk):
    later = datetime.now(timezone.utc) + timedelta(minutes=20)
    text = later.strftime("%Y-%m-%dT%H:%M:%SZ")
    request = desk.request()
    assert desk.explain(request).returncode == 0
    assert "reason      token.expired\n" in desk.explain({**request, "time": text}).stdout
    assert "reason      token.expired\n" in desk.explain(request, "--time", text).stdout
    environment = {**os.environ, "SALLYPORT_TIME": text}
    assert f"time        {text}\n" in desk.explain(request, env=environment).stdout
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert desk.explain({**request, "time": text}, "--time", now).returncode == 0


def test_nobody_is_asked_for_keys(desk, world):
    configuration = world.configuration("http://127.0.0.1:9")
    issuer = configuration["issuers"][0]
    del issuer["jwks_file"]
    issuer["jwks_url"] = "https://broker.example.test/keys"
    desk.gateway.write(configuration)
    told = desk.explain(desk.request(url=configuration["listeners"][0]["origins"][0] + "/orders/42"))
    assert told.returncode == 1
    assert steps(told)["token"] == "undecided"
    assert "explain asks nobody" in told.stdout


def test_no_secret_is_told(desk):
    request = desk.bound()
    for told in (desk.explain(request), desk.explain({**request, "method": "POST"}), desk.explain(str(request)[1:])):
        said = told.stdout + told.stderr
        for _, value in request["headers"]:
            assert value.rpartition(" ")[2] not in said
            assert value.rpartition(".")[2] not in said
        assert "QUERY" not in said


@pytest.mark.parametrize(
    "case", ["no configuration", "a bad configuration", "no request", "a bad request", "a bad time", "no listener"]
)
def test_what_cannot_be_run_says_so(desk, case):
    request, arguments = desk.request(), []
    assert desk.explain(request).returncode == 0
    if case == "no configuration":
        desk.gateway.file.unlink()
    elif case == "a bad configuration":
        desk.gateway.file.write_text("listeners: []\n")
    elif case == "no request":
        arguments = ["--request", str(desk.directory / "absent")]
    elif case == "a bad request":
        request = {**request, "nothing": 1}
    elif case == "a bad time":
        arguments = ["--time", "yesterday"]
    else:
        request = {**request, "listener": "nobody"}
    told = desk.explain(request, *arguments)
    assert told.returncode == 2, told.stdout + told.stderr
    assert told.stderr
    assert not told.stdout
