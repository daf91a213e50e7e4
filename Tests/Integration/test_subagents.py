"""Agents of a trial set-up that delegate to each other, and what the gateway makes of that."""

import base64
import hashlib
import json
import re

import pytest

from gateway import sallyport
from test_development import agent, call, claims, running, status, token_of


@pytest.fixture(scope="module")
def trial(tmp_path_factory, the_upstream):
    with running(tmp_path_factory.mktemp("trial") / "certs", the_upstream.url) as started:
        yield started


def subagent(directory, delegator: str, *options) -> str:
    told = sallyport("dev", "agent", str(directory), "--delegate-from", delegator, *options)
    assert told.returncode == 0, told.stderr
    return told.stdout.strip()


@pytest.fixture
def hops(trial) -> tuple[str, str, str]:
    """A planner, a researcher that works for it, and a reader that works for that."""
    directory, _ = trial
    planner = agent(directory, "--binding", "svid", "--scope", "read:tasks:*", "--sponsor", "ana@example.test")
    researcher = subagent(directory, planner, "--scope", "read:tasks:42", "--scope", "read:tasks:43")
    return planner, researcher, subagent(directory, researcher, "--scope", "read:tasks:42")


def test_three_hops_are_allowed_and_each_may_less(trial, upstream, hops):
    directory, origin = trial
    allowed = {
        name: [status(call(directory, name, "GET", f"{origin}/tasks/{task}")) for task in (42, 43, 44)] for name in hops
    }
    assert list(allowed.values()) == [[200, 200, 200], [200, 200, 403], [200, 403, 403]]


def test_the_service_is_told_how_far_it_came_and_for_whom(trial, upstream, hops):
    directory, origin = trial
    assert status(call(directory, hops[2], "GET", f"{origin}/tasks/42")) == 200
    request = upstream.request
    assert request.header("sallyport-delegation-depth") == "2"
    assert request.header("sallyport-sponsor") == "ana@example.test"
    assert request.header("sallyport-agent") == claims(directory, hops[2])["sub"]
    assert request.header("sallyport-scope") == "read:tasks:42"


def test_the_chain_is_written_as_its_hash_says(trial, hops):
    directory, _ = trial
    payload = token_of(directory, hops[2]).split(".")[1]
    text = base64.urlsafe_b64decode(payload + "==").decode()
    chain = re.search(r'"delegation_chain":(\[.*\]),"chain_hash"', text)[1]
    told = claims(directory, hops[2])
    assert hashlib.sha256(chain.encode()).hexdigest() == told["chain_hash"]
    assert [record["agent"] for record in json.loads(chain)] == [claims(directory, name)["sub"] for name in hops[:2]]


@pytest.mark.parametrize("forgery", ["widen", "tamper"])
def test_a_forged_chain_is_refused(trial, upstream, hops, forgery):
    directory, origin = trial
    scope = "read:tasks:44" if forgery == "widen" else "read:tasks:42"
    forged = subagent(directory, hops[1], "--scope", scope, "--forge", forgery)
    assert status(call(directory, forged, "GET", f"{origin}/tasks/{scope[-2:]}")) == 401
    assert not upstream.requests
    honest = subagent(directory, hops[1], "--scope", "read:tasks:42")
    assert status(call(directory, honest, "GET", f"{origin}/tasks/42")) == 200


def test_a_chain_that_is_too_deep_for_the_route_is_refused(trial, upstream):
    directory, origin = trial
    name = agent(directory, "--binding", "svid", "--scope", "read:tasks:42")
    outcomes = []
    for _ in range(6):
        name = subagent(directory, name, "--scope", "read:tasks:42")
        outcomes.append(status(call(directory, name, "GET", f"{origin}/tasks/42")))
    assert outcomes == [200] * 5 + [403]


REFUSED = {
    "more than it holds": ["--scope", "read:tasks:44"],
    "a longer life": ["--ttl", "30m"],
    "another task": ["--task", "t-2"],
    "another orchestration": ["--orchestration", "o-2"],
    "another sponsor": ["--sponsor", "eve@example.test"],
    "a bound token": ["--binding", "dpop"],
    "an unknown forgery": ["--forge", "everything"],
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_sub_agent_may_not_be_given(trial, hops, what):
    directory, _ = trial
    told = sallyport("dev", "agent", str(directory), "--delegate-from", hops[1], *REFUSED[what])
    assert told.returncode == 2
    assert told.stderr.strip() and not told.stdout
    assert subagent(directory, hops[1], "--scope", "read:tasks:43", "--ttl", "1m")


def test_only_what_can_be_delegated_is(trial):
    directory, _ = trial
    bound = agent(directory, "--scope", "read:tasks:*")
    told = sallyport("dev", "agent", str(directory), "--delegate-from", bound, "--scope", "read:tasks:1")
    assert told.returncode == 2
    assert "--binding svid" in told.stderr


def test_revoking_the_middle_stops_what_grew_out_of_it(trial, upstream, hops):
    """With the command, found through the configuration that dev init wrote."""
    directory, origin = trial
    configuration = ["--config", str(directory / "sallyport.yaml")]
    middle = claims(directory, hops[1])["sub"]
    assert status(call(directory, hops[2], "GET", f"{origin}/tasks/42")) == 200
    told = sallyport("revoke", *configuration, "chain", middle, "--reason", "a trial")
    assert told.returncode == 0, told.stderr
    assert status(call(directory, hops[2], "GET", f"{origin}/tasks/42")) == 401
    assert call(directory, hops[1], "GET", f"{origin}/tasks/42").returncode == 1
    assert status(call(directory, hops[0], "GET", f"{origin}/tasks/42")) == 200
    assert middle in sallyport("revoke", *configuration, "--list").stdout
    assert sallyport("status", *configuration).returncode == 0
