"""The commands that make a trial set-up: what they make is a set-up that the gateway takes."""

import base64
import json
import os
import stat
import subprocess

import pytest

from gateway import BINARY, sallyport
from ports import free_port
from upstreams import wait_for_port
from wire import PATIENCE

SECRETS = ("ca.key", "server.key", "agents-ca.key", "broker.key")
FILES = ("ca.pem", "server.pem", "agents-ca.pem", "broker.jwks.json", "sallyport.yaml", *SECRETS)


@pytest.fixture(scope="module")
def trial(tmp_path_factory, the_upstream):
    """A trial set-up with its gateway running; gives the folder and the origin."""
    directory = tmp_path_factory.mktemp("trial") / "certs"
    port, health = free_port(), free_port()
    options = ["--listen", f"127.0.0.1:{port}", "--observability", f"127.0.0.1:{health}"]
    told = sallyport("dev", "init", str(directory), "--upstream", the_upstream.url, *options)
    assert told.returncode == 0, told.stderr
    process = subprocess.Popen([BINARY, "run", "--config", directory / "sallyport.yaml"], stderr=subprocess.DEVNULL)
    wait_for_port(port, process)
    yield directory, f"https://localhost:{port}"
    process.terminate()
    assert process.wait(PATIENCE) == 0


def agent(directory, *options) -> str:
    told = sallyport("dev", "agent", str(directory), "--orchestration", "o-1", "--task", "t-1", *options)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


def claims(directory, name: str) -> dict:
    payload = (directory / "agents" / name / "token").read_text().split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


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
        (["--bind", "none"], []),
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


def test_options_may_come_from_the_environment(trial):
    directory, _ = trial
    twins = {"SALLYPORT_ORCHESTRATION": "o-9", "SALLYPORT_TASK": "t-9", "SALLYPORT_NAME": "from-environment"}
    told = sallyport("dev", "agent", str(directory), env={**os.environ, **twins})
    assert told.stdout.strip() == "from-environment"
    assert claims(directory, "from-environment")["task_id"] == "t-9"


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
        ["upstream", "--listen", "nonsense"],
        ["init", "/proc/nowhere"],
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(trial, arguments):
    told = sallyport("dev", *(argument.format(trial=trial[0]) for argument in arguments))
    assert told.returncode == 2
    assert told.stderr.startswith("sallyport: ")
    assert len(told.stderr.splitlines()) == 1
