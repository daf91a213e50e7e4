"""Tokens that were passed on: chains of an AgentWrit broker, and actors (RFC 8693)."""

import json
import time

import pytest

from chains import chained, delegated, moment, record, records
from clients import Client
from credentials import ABSENT, AUDIENCE, AgentWritBroker, cnf
from gateway import sallyport
from world import ORDERS, route

ISSUER = "https://agentwrit.example.test"
ALL = ["read:orders:*", "write:orders:*"]
READ = ["read:orders:*"]


@pytest.fixture(scope="module")
def broker() -> AgentWritBroker:
    return AgentWritBroker(ISSUER)


@pytest.fixture(scope="module")
def agents(world) -> dict:
    """Who passes on to whom; the last holds the token."""
    names = ("planner", "researcher", "reader")
    return {name: world.agents.agent(f"/agent/orchestration-1/task-1/{name}") for name in names}


def configuration(world, broker, upstream, **changes) -> dict:
    keys = world.write(f"{broker.keys['EdDSA'].thumbprint()}.jwks.json", broker.jwks())
    made = {"issuer": ISSUER, "profile": "agentwrit", "audiences": [AUDIENCE], "jwks_file": str(keys)}
    issuer = {**made, "algorithms": ["EdDSA"], "clock_leeway": "5s", "maximum_token_lifetime": "10m", **changes}
    held = {"issuers": [ISSUER], "possession": ["svid"]}
    routes = [
        route("svid", "/svid/{x}", scope="read:orders:{x}", **held),
        route("shallow", "/shallow/{x}", delegation={"maximum_depth": 1}, **held),
        route("direct", "/direct/{x}", delegation={"maximum_depth": 0}, **held),
        route("deep", "/deep/{x}", delegation={"maximum_depth": 16}, **held),
        ORDERS,
        route("undelegated", "/undelegated/{x}", delegation={"maximum_depth": 0}),
    ]
    return world.configuration(upstream.url, routes, issuers=[world.issuer(), issuer])


@pytest.fixture(scope="module")
def gateway(world, broker, the_upstream, launch):
    return launch(configuration(world, broker, the_upstream))


@pytest.fixture(scope="module")
def connections(gateway, world, agents):
    client = Client(gateway.port, world.servers.file)
    made = {protocol: client.open(protocol, agents["reader"]) for protocol in ("http/1.1", "h2")}
    yield {**made, "agent": client.open("http/1.1", world.agent)}
    client.close()


def three(broker, agents) -> list[dict]:
    return records(broker, (agents["planner"], ALL), (agents["researcher"], READ))


# AgentWrit chains


def test_a_chain_of_three_agents_is_accepted(connections, gateway, broker, agents, upstream, protocol):
    told = connections[protocol].call("GET", "/svid/42", chained(broker, agents["reader"], three(broker, agents)))
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == agents["reader"].spiffe_id
    assert upstream.request.header("sallyport-delegation-depth") == "2"


def test_who_passed_it_on_is_in_every_record(connections, gateway, broker, agents, upstream, protocol):
    token = chained(broker, agents["reader"], three(broker, agents))
    lineage = [
        {"agent": agents["planner"].spiffe_id, "scope": "read:orders:* write:orders:*"},
        {"agent": agents["researcher"].spiffe_id, "scope": "read:orders:*"},
    ]
    for path, events in [("/svid/42", ["request.allowed", "request.completed"]), ("/svid/43", ["request.denied"])]:
        told = connections[protocol].call("GET", path, token)
        for event in events:
            found = gateway.record(told.request_id, event)
            assert found["delegation"] == lineage
            assert found["agent"] == agents["reader"].spiffe_id


def test_without_a_chain_there_is_none_in_the_record(connections, gateway, broker, agents, upstream, protocol):
    told = connections[protocol].call("GET", "/svid/42", broker.token(agents["reader"]))
    assert told.status == 200
    assert "delegation" not in gateway.record(told.request_id, "request.allowed")
    assert upstream.request.header("sallyport-delegation-depth") == "0"


def widened(broker, agents):
    return records(broker, (agents["planner"], READ), (agents["researcher"], ALL))


def tampered(broker, agents):
    first, second = three(broker, agents)
    return [first, {**second, "scope": ["read:orders:42"]}]


def signed_by_another(broker, agents):
    return [three(broker, agents)[0], three(AgentWritBroker(ISSUER), agents)[1]]


def cycle(broker, agents):
    return records(broker, (agents["planner"], ALL), (agents["researcher"], READ), (agents["planner"], READ))


def old(broker, agents, seconds):
    return [record(broker, agents["planner"], ALL, time.time() - seconds)]


BROKEN = {
    "a widened scope": ("scope", lambda b, a: chained(b, a["reader"], widened(b, a))),
    "a token wider than the last link": (
        "scope",
        lambda b, a: chained(b, a["reader"], three(b, a), scope=["read:orders:42", "write:orders:42"]),
    ),
    "a record that was changed": ("signature", lambda b, a: chained(b, a["reader"], tampered(b, a))),
    "a record that another signed": ("signature", lambda b, a: chained(b, a["reader"], signed_by_another(b, a))),
    "a record that was changed under an old hash": (
        "hash",
        lambda b, a: chained(b, a["reader"], tampered(b, a), chain_hash="0" * 64),
    ),
    "a chain without a hash": ("hash", lambda b, a: chained(b, a["reader"], three(b, a), chain_hash=ABSENT)),
    "a hash without a chain": ("missing-link", lambda b, a: chained(b, a["reader"], ABSENT, chain_hash="0" * 64)),
    "the wrong order": ("order", lambda b, a: chained(b, a["reader"], three(b, a)[::-1])),
    "a delegation after the token": ("order", lambda b, a: chained(b, a["reader"], old(b, a, -60))),
    "17 links": (
        "depth",
        lambda b, a: delegated(b, a["reader"], *((f"app:{number}", READ) for number in range(17))),
    ),
    "a cycle": ("cycle", lambda b, a: chained(b, a["reader"], cycle(b, a))),
    "a holder that passed it on itself": ("cycle", lambda b, a: delegated(b, a["reader"], (a["reader"], READ))),
    "a child that outlives its parent": ("outlives-parent", lambda b, a: chained(b, a["reader"], old(b, a, 400))),
    "an agent of another trust domain": (
        "trust-domain",
        lambda b, a: delegated(b, a["reader"], ("spiffe://other.test/planner", READ)),
    ),
    "a chain of strings": ("form", lambda b, a: chained(b, a["reader"], ["x"])),
    "a record with a day that is none": (
        "form",
        lambda b, a: chained(b, a["reader"], [{**three(b, a)[0], "delegated_at": "2026-02-30T00:00:00Z"}]),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_chain_that_does_not_hold_is_refused(connections, gateway, broker, agents, upstream, protocol, name):
    kind, mint = BROKEN[name]
    told = connections[protocol].call("GET", "/deep/42", mint(broker, agents))
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told) == f"lineage.{kind}"
    assert not upstream.requests


TWINS = {
    "a narrowed scope": lambda b, a: delegated(
        b, a["reader"], (a["planner"], ALL), (a["researcher"], ["read:orders:42"])
    ),
    "a token as wide as the last link": lambda b, a: chained(b, a["reader"], three(b, a), scope=READ),
    "16 links": lambda b, a: delegated(b, a["reader"], *((f"app:{number}", READ) for number in range(16))),
    "an old delegation of a short token": lambda b, a: chained(
        b, a["reader"], old(b, a, 400), exp=int(time.time()) + 100
    ),
    "no chain and no hash": lambda b, a: chained(b, a["reader"], ABSENT, chain_hash=ABSENT),
    "an empty chain": lambda b, a: chained(b, a["reader"], []),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_chain_that_holds_is_accepted(connections, broker, agents, upstream, protocol, name):
    assert connections[protocol].call("GET", "/deep/42", TWINS[name](broker, agents)).status == 200


@pytest.mark.parametrize(
    ("path", "links", "passes"),
    [
        ("/direct/42", 0, True),
        ("/direct/42", 1, False),
        ("/shallow/42", 1, True),
        ("/shallow/42", 2, False),
        ("/svid/42", 5, True),
        ("/svid/42", 6, False),
        ("/deep/42", 16, True),
    ],
)
def test_a_route_says_how_deep(connections, gateway, broker, agents, upstream, protocol, path, links, passes):
    token = delegated(broker, agents["reader"], *((f"app:{number}", READ) for number in range(links)))
    told = connections[protocol].call("GET", path, token)
    assert told.status == (200 if passes else 403)
    if not passes:
        assert told.code == "policy"
        assert gateway.reason(told) == "policy.delegation"
        assert not upstream.requests


def test_a_delegated_token_is_for_its_holder_alone(gateway, broker, agents, upstream, reach):
    token = chained(broker, agents["reader"], three(broker, agents))
    client = reach(gateway)
    for name, status in [("reader", 200), ("researcher", 401), ("planner", 401)]:
        assert client.http1(agents[name]).call("GET", "/svid/42", token).status == status


def test_without_leeway_a_token_of_the_same_second_is_accepted(world, upstream, launch, reach, broker, agents):
    """The broker writes records to the nanosecond and tokens to the second: the record is the newer of the two."""
    gateway = launch(configuration(world, broker, upstream, clock_leeway="0s"))
    connection = reach(gateway).http1(agents["reader"])
    issued = int(time.time())
    chain = [record(broker, agents["planner"], READ, issued + 0.9)]
    assert connection.call("GET", "/svid/42", chained(broker, agents["reader"], chain, iat=issued)).status == 200
    chain = [record(broker, agents["planner"], READ, issued + 1)]
    told = connection.call("GET", "/svid/42", chained(broker, agents["reader"], chain, iat=issued))
    assert gateway.reason(told) == "lineage.order"


def test_a_renewed_key_still_vouches_for_old_records(world, upstream, launch, reach, agents):
    former, present = AgentWritBroker(ISSUER), AgentWritBroker(ISSUER)
    both = present.jwks()[:-2] + ", " + former.jwks().partition("[")[2]
    made = configuration(world, present, upstream)
    made["issuers"][1]["jwks_file"] = str(world.write("rotated.jwks.json", both))
    connection = reach(launch(made)).http1(agents["reader"])
    chain = records(former, (agents["planner"], READ))
    assert connection.call("GET", "/svid/42", chained(present, agents["reader"], chain)).status == 200


def test_a_moment_is_written_as_go_writes_it():
    assert moment(1_771_156_800.5) == "2026-02-15T12:00:00.5Z"
    assert moment(1_771_156_800) == "2026-02-15T12:00:00Z"


# Actors (RFC 8693 §4.1)


def acting(world, *former: str, subject="user@example.test", **changes) -> str:
    """A token about a human for whom the world's agent acts, for whom others acted before."""
    act = None
    for name in (*reversed(former), world.agent.spiffe_id):
        act = {"sub": name, **({"act": act} if act else {})}
    return world.broker.token(world.agent, sub=subject, **{"act": act, **changes})


def test_the_outermost_actor_decides(connections, gateway, world, upstream):
    told = connections["agent"].call("GET", "/orders/42", acting(world, "service-2", "service-1"))
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == world.agent.spiffe_id
    assert upstream.request.header("sallyport-delegation-depth") == "3"
    found = gateway.record(told.request_id, "request.allowed")
    assert found["agent"] == world.agent.spiffe_id
    assert found["delegation"] == [
        {"agent": name, "scope": ""} for name in ("user@example.test", "service-1", "service-2")
    ]


def test_an_actor_is_for_its_own_certificate(connections, gateway, world, upstream):
    act = {"sub": world.other.spiffe_id}
    told = connections["agent"].call("GET", "/orders/42", acting(world, act=act))
    assert (told.status, gateway.reason(told)) == (401, "possession.subject-mismatch")
    # The subject is another agent, for whom this one acts.
    told = connections["agent"].call("GET", "/orders/42", acting(world, subject=world.other.spiffe_id))
    assert told.status == 200


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        ({}, "lineage.form"),
        ("agent", "lineage.form"),
        ({"sub": 7}, "lineage.form"),
        ({"sub": "a", "act": None}, "lineage.form"),
        ({"sub": "spiffe://other.test/a"}, "token.trust-domain"),
        ({"sub": "a", "act": {"sub": "spiffe://other.test/a"}}, "lineage.trust-domain"),
    ],
)
def test_what_is_no_actor_is_refused(connections, gateway, world, upstream, act, reason):
    told = connections["agent"].call("GET", "/orders/42", acting(world, act=act))
    assert (told.status, gateway.reason(told)) == (401, reason)
    assert not upstream.requests


def test_actors_are_bounded(connections, gateway, world, upstream):
    """JSON is read sixteen levels deep, and the token itself is one."""
    told = connections["agent"].call("GET", "/orders/42", acting(world, *(f"s-{n}" for n in range(15))))
    assert (told.status, gateway.reason(told)) == (401, "token.payload")
    told = connections["agent"].call("GET", "/orders/42", acting(world, *(f"s-{n}" for n in range(14))))
    assert (told.status, gateway.reason(told)) == (403, "policy.delegation")


def test_an_actor_makes_a_delegated_token(connections, gateway, world, upstream):
    assert connections["agent"].call("GET", "/undelegated/42", world.broker.token(world.agent)).status == 200
    told = connections["agent"].call("GET", "/undelegated/42", acting(world))
    assert (told.status, gateway.reason(told)) == (403, "policy.delegation")


def test_claims_about_no_identity_mean_nothing_in_an_actor(connections, world, upstream):
    act = {"sub": world.agent.spiffe_id, "exp": 0, "aud": "elsewhere", "cnf": cnf(world.other)}
    assert connections["agent"].call("GET", "/orders/42", acting(world, act=act)).status == 200


def test_records_of_a_chain_have_no_place_in_an_access_token(connections, gateway, world, broker, agents, upstream):
    token = world.broker.token(world.agent, delegation_chain=three(broker, agents))
    told = connections["agent"].call("GET", "/orders/42", token)
    assert (told.status, gateway.reason(told)) == (401, "token.delegation-unsupported")


# explain


def explain(gateway, tmp_path, agent, token, path="/svid/42"):
    request = {
        "method": "GET",
        "url": gateway.origin + path,
        "headers": {"Authorization": f"Bearer {token}"},
        "client_certificate": agent.chain_file.read_text(),
    }
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request))
    return sallyport("explain", "--config", gateway.file, "--request", file)


def drawn(told) -> list[str]:
    """The lines of the chain, without its heading."""
    chain = told.stdout.split("\n\n")[1]
    assert chain.startswith("chain  "), told.stdout
    return [line[12:] for line in chain.splitlines()[1:]]


def test_explain_draws_a_chain(gateway, broker, agents, tmp_path):
    told = explain(gateway, tmp_path, agents["reader"], chained(broker, agents["reader"], three(broker, agents)))
    assert told.returncode == 0, told.stdout + told.stderr
    assert "lineage     passed       passed on 2 times\n" in told.stdout
    assert drawn(told) == [
        f"{agents['planner'].spiffe_id} (read:orders:* write:orders:*)",
        f"+- {agents['researcher'].spiffe_id} (read:orders:*)",
        f"   +- {agents['reader'].spiffe_id} (read:orders:42, holds the token)",
    ]


def test_explain_draws_where_a_chain_breaks(gateway, broker, agents, tmp_path):
    told = explain(gateway, tmp_path, agents["reader"], chained(broker, agents["reader"], widened(broker, agents)))
    assert told.returncode == 1, told.stdout + told.stderr
    assert "lineage     refused      lineage.scope\n" in told.stdout
    assert "binding     not reached\n" in told.stdout
    assert "as the token says, which is not verified" in told.stdout
    assert ["breaks here: lineage.scope" in line for line in drawn(told)] == [False, True, False]
    assert "reason      lineage.scope\nrule        AgentWrit delegation_chain: " in told.stdout


def test_explain_draws_actors(gateway, world, tmp_path):
    told = explain(gateway, tmp_path, world.agent, acting(world, "service-1"), "/orders/42")
    assert told.returncode == 0, told.stdout + told.stderr
    assert drawn(told) == [
        "user@example.test (no scope told)",
        "+- service-1 (no scope told)",
        f"   +- {world.agent.spiffe_id} (read:orders:42, holds the token)",
    ]


def test_explain_draws_nothing_of_a_token_that_nobody_passed_on(gateway, broker, agents, tmp_path):
    told = explain(gateway, tmp_path, agents["reader"], broker.token(agents["reader"]))
    assert told.returncode == 0, told.stdout + told.stderr
    assert "lineage     passed       no delegation\n" in told.stdout
    assert "\nchain " not in told.stdout
