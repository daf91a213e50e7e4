"""What the tests of revocation share: an administered gateway, an operator, and agents that differ in one thing only."""

import contextlib
import datetime
import secrets
import time
from dataclasses import dataclass, field

from joserfc.jwk import ECKey

from admin import ADMIN, Admin
from chains import delegated
from credentials import AUDIENCE, ISSUER, AgentWritBroker, Identity
from gateway import Gateway
from proofs import Holder, presented
from world import World, route

AGENTWRIT = "https://agentwrit.example.test"
REVOCATION = {"store": {"path": "state/revocations.db"}}


# The operator


@contextlib.contextmanager
def operating(gateway: Gateway):
    """The admin API over one connection."""
    operator = Admin(gateway)
    yield operator
    operator.close()


def entry_of(operator: Admin, identifier: str) -> dict | None:
    """What is revoked under this id."""
    return next((each for each in operator.revocations() if each["id"] == identifier), None)


def administered(world: World, upstream: str, routes: list[dict] | None = None, **sections) -> dict:
    """A configuration with an admin socket and a store, which takes tokens of both issuers."""
    sections = {"admin": ADMIN, "revocation": REVOCATION, "issuers": issuers(world), **sections}
    return world.configuration(upstream, routes or [anybody("any", "/any/{rest...}")], **sections)


def anybody(name: str, path: str, **changes) -> dict:
    """A route for the tokens of both issuers, however they are bound."""
    made = route(name, path, issuers=[ISSUER, AGENTWRIT], possession=["certificate", "dpop", "svid"])
    return {**made, **changes}


def issuers(world: World) -> list[dict]:
    if not hasattr(world, "agentwrit"):
        world.agentwrit = AgentWritBroker(AGENTWRIT)
    file = world.write("agentwrit.jwks.json", world.agentwrit.jwks())
    agentwrit = {
        "issuer": AGENTWRIT,
        "profile": "agentwrit",
        "audiences": [AUDIENCE],
        "jwks_file": str(file),
        "algorithms": ["EdDSA"],
    }
    return [world.issuer(), agentwrit]


# Those who call


@dataclass
class Party:
    """An agent with a token, which may be bound to a key."""

    identity: Identity
    token: str
    holder: Holder | None = None

    def fields(self, gateway: Gateway, method: str, target: str) -> list[tuple[str, str]]:
        """What goes along with one call."""
        if not self.holder:
            return [("Authorization", f"Bearer {self.token}")]
        return presented(self.token, self.holder.proof(method, gateway.origin + target, self.token))


@dataclass
class Case:
    """Somebody who is to be revoked, somebody else who is as like as can be, and what to tell the operator."""

    victim: Party
    bystander: Party | None
    level: str
    value: str
    members: dict = field(default_factory=dict)
    closes: bool = False  # whether it hits the client itself, and with that its connections

    def revoke(self, operator: Admin) -> dict:
        return operator.revoke(self.level, self.value, **self.members)


def instance(world: World, **variant) -> Identity:
    """An agent that no other test knows."""
    return world.agents.agent(f"/agent/{secrets.token_hex(4)}/task/{secrets.token_hex(8)}", **variant)


def by_token(world: World) -> Case:
    agent, jti = instance(world), secrets.token_urlsafe(16)
    victim, bystander = world.broker.token(agent, jti=jti), world.broker.token(agent)
    return Case(Party(agent, victim), Party(agent, bystander), "token", jti, {"issuer": ISSUER})


def by_token_of_another_issuer(world: World) -> Case:
    """The identifier is another issuer's too, whose token stays good."""
    agent, jti = instance(world), secrets.token_urlsafe(16)
    victim, bystander = world.agentwrit.token(agent, jti=jti), world.broker.token(agent, jti=jti)
    return Case(Party(agent, victim), Party(agent, bystander), "token", jti, {"issuer": AGENTWRIT})


def by_agent(world: World) -> Case:
    agent, other = instance(world), instance(world)
    victim, bystander = Party(agent, world.broker.token(agent)), Party(other, world.broker.token(other))
    return Case(victim, bystander, "agent", agent.spiffe_id, closes=True)


def by_subject(world: World) -> Case:
    """The agent is who the token says, where that is no SPIFFE ID."""
    agent, robot = instance(world), f"robot-{secrets.token_hex(8)}"
    victim, bystander = (world.broker.token(agent, sub=name) for name in (robot, f"{robot}-2"))
    return Case(Party(agent, victim), Party(agent, bystander), "agent", robot)


def by_task(world: World) -> Case:
    agent, task = instance(world), f"task-{secrets.token_hex(8)}"
    victim, bystander = (world.broker.token(agent, task_id=name) for name in (task, f"{task}-2"))
    return Case(Party(agent, victim), Party(agent, bystander), "task", task)


def by_task_of_an_orchestration(world: World) -> Case:
    """The task of the same name in another orchestration goes on."""
    agent, task = instance(world), f"task-{secrets.token_hex(8)}"
    victim, bystander = (world.broker.token(agent, task_id=task, orchestration_id=name) for name in ("o-1", "o-2"))
    return Case(Party(agent, victim), Party(agent, bystander), "task", f"o-1/{task}")


def by_chain(world: World) -> Case:
    """What grew out of an agent, and that agent."""
    agent, other = instance(world), instance(world)
    victim, bystander = Party(agent, world.broker.token(agent)), Party(other, world.broker.token(other))
    return Case(victim, bystander, "chain", agent.spiffe_id, closes=True)


def through(world: World, agent: Identity, *ancestors: Identity) -> Party:
    """A token that came to the agent through others."""
    hops = [(ancestor, ["read:orders:*"]) for ancestor in ancestors]
    return Party(agent, delegated(world.agentwrit, agent, *hops))


def by_root(world: World) -> Case:
    agent, root, other, middle = (instance(world) for _ in range(4))
    victim, bystander = through(world, agent, root, middle), through(world, agent, other, middle)
    return Case(victim, bystander, "chain", root.spiffe_id)


def by_middle(world: World) -> Case:
    agent, root, middle, other = (instance(world) for _ in range(4))
    victim, bystander = through(world, agent, root, middle), through(world, agent, root, other)
    return Case(victim, bystander, "chain", middle.spiffe_id)


def by_agent_of_the_chain(world: World) -> Case:
    agent, root, middle, other = (instance(world) for _ in range(4))
    victim, bystander = through(world, agent, root, middle), through(world, agent, root, other)
    return Case(victim, bystander, "agent", middle.spiffe_id)


def twins(world: World) -> tuple[Identity, Identity]:
    """Two certificates of one SPIFFE ID."""
    path = f"/agent/{secrets.token_hex(4)}/task/{secrets.token_hex(8)}"
    return world.agents.agent(path), world.agents.agent(path)


def by_certificate(world: World) -> Case:
    one, other = twins(world)
    victim, bystander = Party(one, world.broker.token(one)), Party(other, world.broker.token(other))
    return Case(victim, bystander, "certificate", one.fingerprint, closes=True)


def by_serial_number(world: World) -> Case:
    one, other = twins(world)
    victim, bystander = Party(one, world.broker.token(one)), Party(other, world.broker.token(other))
    serial = format(one.certificate.serial_number, "x")
    issuer = one.certificate.issuer.rfc4514_string()
    return Case(victim, bystander, "certificate", serial, {"issuer": issuer}, closes=True)


def by_key(world: World) -> Case:
    agent, holders = instance(world), (Holder(), Holder("Ed25519"))
    victim, bystander = (Party(agent, world.broker.token(agent, cnf=holder.cnf), holder) for holder in holders)
    return Case(victim, bystander, "key", victim.holder.thumbprint)


def by_key_of_the_certificate(world: World) -> Case:
    one, other = twins(world)
    victim, bystander = Party(one, world.broker.token(one)), Party(other, world.broker.token(other))
    thumbprint = ECKey.import_key(one.key_file.read_bytes()).thumbprint()
    return Case(victim, bystander, "key", thumbprint, closes=True)


def by_everything(world: World) -> Case:
    agent = instance(world)
    return Case(Party(agent, world.broker.token(agent)), None, "everything", "*", closes=True)


CASES = {
    made.__name__.removeprefix("by_").replace("_", " "): made
    for made in (
        by_token,
        by_token_of_another_issuer,
        by_agent,
        by_subject,
        by_task,
        by_task_of_an_orchestration,
        by_chain,
        by_root,
        by_middle,
        by_agent_of_the_chain,
        by_certificate,
        by_serial_number,
        by_key,
        by_key_of_the_certificate,
    )
}


def moment(seconds: float) -> str:
    """So many seconds from now, as RFC 3339 has it."""
    time_then = datetime.datetime.fromtimestamp(time.time() + seconds, datetime.timezone.utc)
    return time_then.isoformat(timespec="milliseconds").replace("+00:00", "Z")
