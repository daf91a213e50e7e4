"""AgentWrit tokens that were passed on: chains of records as the broker writes them, and as it never would."""

import hashlib
import json
import time
from datetime import datetime, timezone

from credentials import ABSENT, AgentWritBroker, Identity, sign


def name(agent: Identity | str) -> str:
    return agent if isinstance(agent, str) else agent.spiffe_id


def moment(seconds: float) -> str:
    """A moment as Go's RFC3339Nano writes it."""
    whole = datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{int(seconds % 1 * 1_000_000_000):09}".rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def record(broker: AgentWritBroker, agent: Identity | str, scopes: list[str], at: float) -> dict:
    """One delegation, signed by the broker."""
    text = f"{name(agent)}|{','.join(scopes)}|{moment(at)}"
    signature = sign(broker.keys["EdDSA"].private_key, "EdDSA", text.encode()).hex()
    return {"agent": name(agent), "scope": scopes, "delegated_at": moment(at), "signature": signature}


def records(broker: AgentWritBroker, *hops: tuple[Identity | str, list[str]]) -> list[dict]:
    """A record for each who passed on, with what it held, a second after the one before; the last one a second ago."""
    now = time.time()
    return [record(broker, agent, scopes, now - len(hops) + place) for place, (agent, scopes) in enumerate(hops)]


def chained(broker: AgentWritBroker, holder: Identity, chain, chain_hash: str | object | None = None, **changes) -> str:
    """A token at the end of a chain, exactly as it stands, with the hash of its bytes unless another one is given."""
    text = "" if chain is ABSENT else json.dumps(chain, separators=(",", ":"))
    claims = broker.claims(holder, **changes)
    if chain_hash is not ABSENT:
        claims["chain_hash"] = chain_hash or hashlib.sha256(text.encode()).hexdigest()
    payload = json.dumps(claims)[:-1] + (f', "delegation_chain": {text}}}' if chain is not ABSENT else "}")
    return broker.forge(broker.header(), payload.encode())


def delegated(broker: AgentWritBroker, holder: Identity, *hops: tuple[Identity | str, list[str]], **changes) -> str:
    """A token that came to `holder` through those, each with what it held."""
    return chained(broker, holder, records(broker, *hops), **changes)
