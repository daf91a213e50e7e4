"""The commands that make a trial set-up: what they make is a set-up that the gateway takes."""

import base64
import contextlib
import json
import os
import shutil
import stat
import subprocess
import time

import pytest

from gateway import BINARY, sallyport
from ports import free_port
from upstreams import wait_for_port
from wire import PATIENCE

ISSUERS = ("broker", "workloads", "agentwrit")
SECRETS = ("ca.key", "server.key", "agents-ca.key", *(f"{name}.key" for name in ISSUERS))
KEY_SETS = tuple(f"{name}.jwks.json" for name in ISSUERS)
FILES = ("ca.pem", "server.pem", "agents-ca.pem", "sallyport.yaml", *KEY_SETS, *SECRETS)


@contextlib.contextmanager
def running(directory, upstream: str, change=lambda text: text):
    """A trial set-up with its gateway running; gives the folder and the origin."""
    port, health = free_port(), free_port()
    options = ["--listen", f"127.0.0.1:{port}", "--observability", f"127.0.0.1:{health}"]
    told = sallyport("dev", "init", str(directory), "--upstream", upstream, *options)
    assert told.returncode == 0, told.stderr
    file = directory / "sallyport.yaml"
    file.write_text(change(file.read_text()))
    process = subprocess.Popen([BINARY, "run", "--config", file], stderr=subprocess.DEVNULL)
    wait_for_port(port, process)
    yield directory, f"https://localhost:{port}"
    process.terminate()
    assert process.wait(PATIENCE) == 0


@pytest.fixture(scope="module")
def trial(tmp_path_factory, the_upstream):
    with running(tmp_path_factory.mktemp("trial") / "certs", the_upstream.url) as started:
        yield started


@pytest.fixture(scope="module")
def nonces(tmp_path_factory, the_upstream):
    """A trial set-up whose gateway wants its nonce repeated."""

    def change(text: str) -> str:
        assert text.count('nonce: "off"') == 1
        return text.replace('nonce: "off"', "nonce: required")

    with running(tmp_path_factory.mktemp("nonces") / "certs", the_upstream.url, change) as started:
        yield started


def agent(directory, *options) -> str:
    told = sallyport("dev", "agent", str(directory), "--orchestration", "o-1", "--task", "t-1", *options)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def decoded(jwt: str, part: int) -> dict:
    return json.loads(base64.urlsafe_b64decode(jwt.split(".")[part] + "=="))


def token_of(directory, name: str) -> str:
    return (directory / "agents" / name / "token").read_text().strip()


def claims(directory, name: str) -> dict:
    return decoded(token_of(directory, name), 1)


def proof(directory, *arguments) -> str:
    told = sallyport("dev", "proof", str(directory), *arguments)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def status(told: subprocess.CompletedProcess) -> int:
    """What `dev call` says of the answer; its exit code must say the same."""
    number = int(told.stdout.splitlines()[0].removeprefix("HTTP "))
    assert told.returncode == (0 if number < 300 else 1)
    return number


def curl(directory, name: str, url: str, *fields: str) -> int:
    """The status that curl gets as an agent with these fields."""
    folder = directory / "agents" / name
    identity = ["--cert", folder / "svid.pem", "--key", folder / "svid.key", "--cacert", directory / "ca.pem"]
    options = [option for field in fields for option in ("-H", field)]
    command = ["curl", "--silent", "--output", os.devnull, "--write-out", "%{http_code}", *identity, *options, url]
    return int(subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True).stdout)


def call(directory, *arguments) -> subprocess.CompletedProcess:
    return sallyport("dev", "call", str(directory), *arguments)


def test_a_set_up_is_whole_and_its_keys_are_private(trial):
    directory, _ = trial
    for name in FILES:
        assert (directory / name).stat().st_size > 0
    for name in SECRETS:
        assert stat.S_IMODE((directory / name).stat().st_mode) == 0o600
    told = sallyport("check", "--config", str(directory / "sallyport.yaml"))
    assert told.returncode == 0, told.stderr


def test_a_set_up_is_not_written_over(tmp_path):
    assert sallyport("dev", "init", str(tmp_path)).returncode == 0
    before = (tmp_path / "agents-ca.key").read_bytes()
    told = sallyport("dev", "init", str(tmp_path))
    assert told.returncode == 2
    assert "--force" in told.stderr
    assert (tmp_path / "agents-ca.key").read_bytes() == before
    assert sallyport("dev", "init", str(tmp_path), "--force").returncode == 0
    assert (tmp_path / "agents-ca.key").read_bytes() != before


def test_an_agent_may_call_what_its_scope_holds(trial, upstream):
    directory, origin = trial
    name = agent(directory, "--scope", "read:orders:42", "--sponsor", "ana@example.test")
    told = call(directory, name, "GET", f"{origin}/orders/42")
    assert told.returncode == 0, told.stderr
    assert told.stdout.splitlines()[0].endswith(" 200")
    assert upstream.request.header("sallyport-sponsor") == "ana@example.test"
    assert call(directory, name, "GET", f"{origin}/orders/7").stdout.splitlines()[0].endswith(" 403")


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["--expired-by", "1m"], []),
        (["--binding", "none"], []),
        (["--claim", 'aud="https://elsewhere.test"'], []),
        (["--claim", "client_id="], []),
        ([], ["--no-token"]),
    ],
)
def test_an_agent_may_be_made_to_fail(trial, upstream, options, arguments):
    directory, origin = trial
    name = agent(directory, "--scope", "read:orders:*", *options)
    told = call(directory, name, "GET", f"{origin}/orders/42", *arguments)
    assert told.returncode == 1
    assert told.stdout.splitlines()[0].endswith(" 401")
    assert not upstream.requests


def test_a_thief_or_an_agent_without_a_certificate_fails(trial, upstream):
    directory, origin = trial
    victim, thief = (agent(directory, "--name", name, "--scope", "read:orders:*") for name in ("victim", "thief"))
    assert (victim, thief) == ("victim", "thief")
    told = call(directory, thief, "GET", f"{origin}/orders/42", "--token-of", victim)
    assert (told.returncode, told.stdout.splitlines()[0][-4:]) == (1, " 401")
    told = call(directory, victim, "GET", f"{origin}/orders/42", "--no-certificate")
    assert told.returncode == 1
    assert not told.stdout
    assert not upstream.requests


def test_fields_and_a_body_may_be_sent(trial, upstream):
    directory, origin = trial
    name = agent(directory, "--scope", "write:orders:42")
    told = call(directory, name, "POST", f"{origin}/orders/42", "--header", "X-Color: blue", "--data", "hello")
    assert told.returncode == 0, told.stdout + told.stderr
    assert upstream.request.header("x-color") == "blue"
    assert upstream.request.body == b"hello"


def test_a_token_says_what_was_asked_for(trial):
    directory, _ = trial
    made = claims(
        directory, agent(directory, "--ttl", "10m", "--scope", "a:b:c", "--scope", "d:e:f", "--claim", "x=[1]")
    )
    assert made["exp"] - made["iat"] == 600
    assert made["scope"] == "a:b:c d:e:f"
    assert (made["task_id"], made["orchestration_id"], made["x"]) == ("t-1", "o-1", [1])
    assert made["cnf"]["x5t#S256"]
    assert made["sub"].startswith("spiffe://example.test/")


BOUND = {
    "certificate": (["--scope", "read:orders:1"], "/orders/1", "certificate"),
    "dpop": (["--scope", "read:orders:1"], "/orders/1", "dpop"),
    "both": (["--scope", "read:orders:1"], "/orders/1", "certificate,dpop"),
    "wpt": ([], "/workloads/1/2", "wpt"),
    "svid": (["--scope", "read:tasks:1"], "/tasks/1", "svid"),
}


def recorded(directory, name: str) -> list[str]:
    """What held for each call of an agent that was allowed, by the audit log; that is written in batches."""
    subject = claims(directory, name)["sub"]
    for _ in range(PATIENCE * 20):
        log = "".join(file.read_text() for file in sorted((directory / "audit").glob("audit-*.jsonl")))
        records = [record for line in log.splitlines(True)[:-1] if (record := json.loads(line)).get("agent") == subject]
        if held := [record["possession"] for record in records if record["event"] == "request.allowed"]:
            return held
        time.sleep(0.05)
    return []


@pytest.mark.parametrize("binding", BOUND)
def test_an_agent_may_call_by_what_it_is_bound_to(trial, upstream, binding):
    directory, origin = trial
    options, path, held = BOUND[binding]
    name = agent(directory, "--binding", binding, *options)
    assert status(call(directory, name, "GET", f"{origin}{path}?x=1")) == 200
    assert upstream.request.header("sallyport-agent") == claims(directory, name)["sub"]
    assert upstream.request.header("sallyport-task") == "t-1"
    assert upstream.request.header("sallyport-orchestration") == "o-1"
    assert recorded(directory, name) == [held]


@pytest.mark.parametrize("binding", ["dpop", "both", "wpt"])
@pytest.mark.parametrize("algorithm", ["ES256", "Ed25519"])
def test_a_proof_key_may_be_of_either_kind(trial, upstream, binding, algorithm):
    directory, origin = trial
    options, path, _ = BOUND[binding]
    name = agent(directory, "--binding", binding, "--proof-algorithm", algorithm, *options)
    assert stat.S_IMODE((directory / "agents" / name / "proof.key").stat().st_mode) == 0o600
    assert decoded(proof(directory, name, "GET", f"{origin}{path}"), 0)["alg"] == algorithm
    assert status(call(directory, name, "GET", f"{origin}{path}")) == 200


@pytest.mark.parametrize(("binding", "refusal"), [("dpop", 401), ("both", 401), ("wpt", 400)])
def test_a_token_bound_to_a_key_needs_its_proof(trial, upstream, binding, refusal):
    directory, origin = trial
    options, path, _ = BOUND[binding]
    name = agent(directory, "--binding", binding, *options)
    assert status(call(directory, name, "GET", origin + path, "--no-proof")) == refusal
    assert not upstream.requests
    assert status(call(directory, name, "GET", origin + path)) == 200


@pytest.mark.parametrize(("binding", "refusal"), [("dpop", 401), ("both", 401), ("wpt", 400)])
def test_a_stolen_token_is_of_no_use_without_its_key(trial, upstream, binding, refusal):
    """The thief has everything of the victim's, its certificate too, but the proof key."""
    directory, origin = trial
    options, path, _ = BOUND[binding]
    victim, other = (agent(directory, "--binding", binding, *options) for _ in range(2))
    agents = directory / "agents"
    thief = agents / f"{victim}-thief"
    shutil.copytree(agents / victim, thief)
    assert status(call(directory, thief.name, "GET", origin + path)) == 200
    upstream.clear()
    shutil.copy(agents / other / "proof.key", thief / "proof.key")
    assert status(call(directory, thief.name, "GET", origin + path)) == refusal
    assert not upstream.requests


@pytest.mark.parametrize("binding", ["dpop", "both", "wpt", "svid"])
def test_a_stolen_token_is_of_no_use_to_another_agent(trial, upstream, binding):
    directory, origin = trial
    options, path, _ = BOUND[binding]
    victim, thief = (agent(directory, "--binding", binding, *options) for _ in range(2))
    assert status(call(directory, thief, "GET", origin + path, "--token-of", victim)) == 401
    assert not upstream.requests
    assert status(call(directory, thief, "GET", origin + path)) == 200


@pytest.mark.parametrize("binding", ["certificate", "svid"])
def test_a_report_needs_a_proof(trial, upstream, binding):
    directory, origin = trial
    weaker = agent(directory, "--binding", binding, "--scope", "read:reports:q3")
    assert status(call(directory, weaker, "GET", f"{origin}/reports/q3")) in (401, 403)
    assert not upstream.requests
    stronger = agent(directory, "--binding", "dpop", "--scope", "read:reports:q3")
    assert status(call(directory, stronger, "GET", f"{origin}/reports/q3")) == 200


COMPOSITE = ["--sponsor", "ana@example.test", "--claim", "model=m-1", "--claim", "config_digest=sha256:9f86"]


@pytest.mark.parametrize(
    "missing",
    [
        COMPOSITE[2:],
        [*COMPOSITE, "--claim", "model="],
        [*COMPOSITE, "--claim", "model=m-3"],
        [*COMPOSITE, "--claim", "config_digest=md5:9f86"],
    ],
)
def test_a_model_needs_an_agent_made_as_is_asked(trial, upstream, missing):
    directory, origin = trial
    options = ["--scope", "use:models:large"]
    assert status(call(directory, agent(directory, *options, *missing), "GET", f"{origin}/models/large")) == 403
    assert not upstream.requests
    assert status(call(directory, agent(directory, *options, *COMPOSITE), "GET", f"{origin}/models/large")) == 200


def test_a_proof_serves_curl_once(trial, upstream):
    directory, origin = trial
    name = agent(directory, "--binding", "dpop", "--scope", "read:orders:*")
    url = f"{origin}/orders/42"
    authorization = f"Authorization: DPoP {token_of(directory, name)}"
    fields = authorization, f"DPoP: {proof(directory, name, 'GET', url)}"
    assert curl(directory, name, url, *fields) == 200
    assert curl(directory, name, url, *fields) == 401
    assert len(upstream.requests) == 1
    assert curl(directory, name, url, authorization, f"DPoP: {proof(directory, name, 'GET', url)}") == 200


@pytest.mark.parametrize("made_for", [("POST", "/orders/42"), ("GET", "/orders/43")])
def test_a_proof_serves_its_own_call(trial, upstream, made_for):
    directory, origin = trial
    name = agent(directory, "--binding", "dpop", "--scope", "read:orders:*")
    method, path = made_for
    authorization = f"Authorization: DPoP {token_of(directory, name)}"
    foreign = proof(directory, name, method, origin + path)
    assert curl(directory, name, f"{origin}/orders/42", authorization, f"DPoP: {foreign}") == 401
    assert not upstream.requests
    own = proof(directory, name, "GET", f"{origin}/orders/42?x")
    assert curl(directory, name, f"{origin}/orders/42", authorization, f"DPoP: {own}") == 200


def test_a_workload_proof_serves_curl_once(trial, upstream):
    directory, origin = trial
    name = agent(directory, "--binding", "wpt")
    url = f"{origin}/workloads/42"
    made = proof(directory, name, "GET", url, "--kind", "wpt")
    fields = f"Workload-Identity-Token: {token_of(directory, name)}", f"Workload-Proof-Token: {made}"
    assert curl(directory, name, url, *fields) == 200
    assert curl(directory, name, url, *fields) == 400
    assert len(upstream.requests) == 1


def test_a_proof_is_of_the_kind_that_is_asked_for(trial):
    directory, origin = trial
    name = agent(directory, "--binding", "dpop")
    assert decoded(proof(directory, name, "GET", f"{origin}/x?y"), 0)["typ"] == "dpop+jwt"
    assert decoded(proof(directory, name, "GET", f"{origin}/x", "--kind", "wpt"), 0)["typ"] == "wpt+jwt"
    made = decoded(proof(directory, name, "PUT", f"{origin}/x?y", "--nonce", "n-1"), 1)
    assert (made["htm"], made["htu"], made["nonce"]) == ("PUT", f"{origin}/x", "n-1")


def test_a_nonce_that_is_asked_for_is_repeated(nonces, upstream):
    directory, origin = nonces
    name = agent(directory, "--binding", "dpop", "--scope", "read:orders:*")
    fresh = proof(directory, name, "GET", f"{origin}/orders/42")
    authorization = f"Authorization: DPoP {token_of(directory, name)}"
    assert curl(directory, name, f"{origin}/orders/42", authorization, f"DPoP: {fresh}") == 401
    assert not upstream.requests
    told = call(directory, name, "GET", f"{origin}/orders/42")
    assert status(told) == 200
    assert len(upstream.requests) == 1
    assert told.stdout.count("HTTP ") == 1


def test_a_nonce_helps_nobody_with_another_key(nonces, upstream):
    directory, origin = nonces
    victim, thief = (agent(directory, "--binding", "dpop", "--scope", "read:orders:*") for _ in range(2))
    assert status(call(directory, thief, "GET", f"{origin}/orders/42", "--token-of", victim)) == 401
    assert not upstream.requests
    assert status(call(directory, victim, "GET", f"{origin}/orders/42")) == 200


def test_options_may_come_from_the_environment(trial):
    directory, _ = trial
    twins = {"SALLYPORT_ORCHESTRATION": "o-9", "SALLYPORT_TASK": "t-9", "SALLYPORT_NAME": "from-environment"}
    told = sallyport("dev", "agent", str(directory), env={**os.environ, **twins})
    assert told.stdout.strip() == "from-environment"
    assert claims(directory, "from-environment")["task_id"] == "t-9"
    twins = {**twins, "SALLYPORT_BINDING": "dpop", "SALLYPORT_PROOF_ALGORITHM": "Ed25519"}
    assert sallyport("dev", "agent", str(directory), env={**os.environ, **twins}).returncode == 0
    assert claims(directory, "from-environment")["cnf"].keys() == {"jkt"}
    asked = ["dev", "proof", str(directory), "from-environment", "GET", "https://localhost:1/"]
    made = sallyport(*asked, env={**os.environ, "SALLYPORT_NONCE": "n-1"}).stdout
    assert (decoded(made, 0)["alg"], decoded(made, 1)["nonce"]) == ("Ed25519", "n-1")
    made = sallyport(*asked, env={**os.environ, "SALLYPORT_KIND": "wpt"}).stdout
    assert decoded(made, 0)["typ"] == "wpt+jwt"


@pytest.mark.parametrize(
    "arguments",
    [
        ["call", "{trial}", "nobody", "GET", "https://localhost:1/"],
        ["call", "{trial}", "nobody", "GET", "http://localhost/"],
        ["agent", "{trial}", "--task", "t-1"],
        ["agent", "{trial}", "--orchestration", "o", "--task", "t", "--name", "../escape"],
        ["agent", "{trial}", "--orchestration", "a/b", "--task", "t"],
        ["agent", "{trial}", "--orchestration", "o", "--task", "t", "--ttl", "soon"],
        ["agent", "/nowhere", "--orchestration", "o", "--task", "t"],
        ["agent", "{trial}", "--orchestration", "o", "--task", "t", "--binding", "trust"],
        ["agent", "{trial}", "--orchestration", "o", "--task", "t", "--binding", "dpop", "--proof-algorithm", "RS256"],
        ["agent", "{trial}", "--orchestration", "o", "--task", "t", "--binding", "wpt", "--scope", "read:orders:1"],
        ["agent", "{trial}", "--orchestration", "o", "--task", "t", "--claim", "x={{"],
        ["proof", "{trial}", "nobody", "GET", "https://localhost:1/"],
        ["proof", "{trial}", "keyless", "GET", "https://localhost:1/"],
        ["proof", "{trial}", "keyed", "GET", "http://localhost:1/"],
        ["proof", "{trial}", "keyed", "GET", "https://localhost:1/", "--kind", "mac"],
        ["proof", "{trial}", "keyed", "GET", "https://localhost:1/", "--kind", "wpt", "--nonce", "n-1"],
        ["upstream", "--listen", "nonsense"],
        ["init", "/proc/nowhere"],
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(trial, arguments):
    agent(trial[0], "--name", "keyless")
    agent(trial[0], "--name", "keyed", "--binding", "dpop")
    told = sallyport("dev", *(argument.format(trial=trial[0]) for argument in arguments))
    assert told.returncode == 2
    assert told.stderr.startswith("sallyport: ")
    assert len(told.stderr.splitlines()) == 1
