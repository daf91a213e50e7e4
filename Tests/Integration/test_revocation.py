"""What is revoked: refused from the answer on, by every worker and on every connection, and for as long as it should be."""

import contextlib
import datetime
import json
import re
import secrets
import shutil
import sqlite3
import stat
import threading
import time

import pytest

from admin import Admin
from clients import Client
from credentials import ISSUER
from gateway import Gateway, sallyport
from proofs import Holder, await_proofs
from revoking import (
    CASES,
    REVOCATION,
    Case,
    Party,
    administered,
    anybody,
    by_everything,
    by_token,
    entry_of,
    instance,
    moment,
    operating,
    through,
)
from test_reload import changed
from wire import PATIENCE
from world import route

TARGET = "/any/a"


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    routes = [anybody("any", "/any/{rest...}"), anybody("bound", "/bound/{x}")]
    gateway = launch(administered(world, the_upstream.url, routes))
    await_proofs(gateway, world, Holder())
    return gateway


@pytest.fixture
def operator(gateway):
    with operating(gateway) as operator:
        yield operator


@pytest.fixture(params=CASES)
def case(request, world) -> Case:
    return CASES[request.param](world)


def call(gateway, connection, party: Party, target=TARGET):
    return connection.call("GET", target, fields=party.fields(gateway, "GET", target))


def is_refused(gateway, connection, party: Party) -> bool:
    """Whether a call is refused: with 401, or because the connection is closed."""
    told = connection.attempt("GET", TARGET, fields=party.fields(gateway, "GET", TARGET))
    assert told is None or told.status in (200, 401)
    return told is None or told.status == 401


# From the answer on


def test_the_next_call_is_refused_on_the_connection_that_is_there(case, gateway, client, operator, protocol, upstream):
    connections = {party.token: client.open(protocol, party.identity) for party in (case.victim, case.bystander)}
    victim, bystander = connections[case.victim.token], connections[case.bystander.token]
    assert call(gateway, victim, case.victim).status == 200
    assert call(gateway, bystander, case.bystander).status == 200
    told = case.revoke(operator)
    if case.closes:
        assert told["connections_closed"] == 1
        assert victim.is_closed()
    else:
        assert told["connections_closed"] == 0
        refused = call(gateway, victim, case.victim)
        assert (refused.status, refused.code) == (401, "invalid-token")
        assert gateway.reason(refused) == f"revocation.{case.level}"
        assert call(gateway, victim, case.bystander).status == 200
    assert call(gateway, bystander, case.bystander).status == 200


def test_a_new_connection_is_no_way_around_it(case, gateway, client, operator, protocol, upstream):
    """Neither worker lets it in, whichever the connection comes to."""
    assert call(gateway, client.open(protocol, case.victim.identity), case.victim).status == 200
    case.revoke(operator)
    for _ in range(8):
        if case.closes:
            assert "REVOKED" in (client.refusal(case.victim.identity) or "let in").upper()
        else:
            assert call(gateway, client.open(protocol, case.victim.identity), case.victim).status == 401
        assert call(gateway, client.open(protocol, case.bystander.identity), case.bystander).status == 200


def test_what_nobody_has_met_yet_is_refused_too(case, gateway, client, operator, upstream):
    """No token was cached, and no certificate seen."""
    case.revoke(operator)
    if case.closes:
        assert client.refusal(case.victim.identity)
    else:
        assert call(gateway, client.http1(case.victim.identity), case.victim).status == 401
    assert call(gateway, client.http1(case.bystander.identity), case.bystander).status == 200
    assert len(upstream.requests) == 1


def test_taken_back_it_is_good_again(case, gateway, client, operator, protocol, upstream):
    entry = case.revoke(operator)["id"]
    assert is_refused(gateway, Later(client, protocol, case.victim), case.victim)
    operator.unrevoke(entry)
    assert call(gateway, client.open(protocol, case.victim.identity), case.victim).status == 200
    assert entry_of(operator, entry) is None
    assert operator.call("DELETE", f"/v1/revocations/{entry}").status == 404


class Later:
    """A connection that is opened with the first call, whose handshake may be refused."""

    def __init__(self, client: Client, protocol: str, party: Party):
        self.client, self.protocol, self.party = client, protocol, party

    def attempt(self, *arguments, **options):
        if self.client.refusal(self.party.identity):
            return None
        return self.client.open(self.protocol, self.party.identity).attempt(*arguments, **options)


def test_no_call_that_begins_after_the_answer_is_allowed(gateway, world, reach, operator, upstream):
    """Sixteen callers at full speed, over both protocols, on both workers."""
    case = by_token(world)
    over, allowed, refused, threads = threading.Event(), [], [], []

    def speak(protocol):
        connection = reach(gateway).open(protocol, case.victim.identity)
        while not over.is_set():
            began = time.monotonic()
            (refused if is_refused(gateway, connection, case.victim) else allowed).append(began)

    for number in range(16):
        threads.append(threading.Thread(target=speak, args=(["http/1.1", "h2"][number % 2],)))
        threads[-1].start()
    gateway.wait(lambda: len(allowed) > 200, "callers at speed")
    case.revoke(operator)
    answered = time.monotonic()
    gateway.wait(lambda: sum(began > answered for began in refused) > 200, "refusals at speed")
    over.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert max(allowed) < answered


# What is told


def test_the_answer_and_the_entry_tell_what_was_done(gateway, world, operator):
    case = by_token(world)
    before = time.time()
    told = operator.revoke(case.level, case.value, issuer=ISSUER, reason="it went astray")
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", told["id"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", told["effective_at"])
    entry = entry_of(operator, told["id"])
    said = {"level": "token", "value": case.value, "issuer": ISSUER, "reason": "it went astray"}
    assert said.items() <= entry.items()
    assert entry["source"] == "admin"
    assert re.match(r"unix:uid=\d+,pid=\d+$", entry["by"])
    assert before - 1 < seconds(entry["created_at"]) < seconds(entry["expires_at"])


def seconds(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def test_it_is_on_record_who_revoked_and_who_took_it_back(gateway, world, operator):
    case = by_token(world)
    entry = operator.revoke(case.level, case.value, issuer=ISSUER, reason="it went astray")["id"]

    def recorded(event: str) -> dict:
        found = gateway.wait(lambda: [each for each in gateway.events(event) if entry in json.dumps(each)], event)
        assert len(found) == 1
        return found[0]

    made = recorded("credential.revoked")
    assert "uid=" in json.dumps(made)
    assert made["level"] == "token"
    operator.unrevoke(entry)
    assert "uid=" in json.dumps(recorded("credential.unrevoked"))


def test_the_same_again_is_the_same_entry(gateway, world, client, operator, upstream):
    """And ends when the later of the two would."""
    case = by_token(world)
    first = operator.revoke(case.level, case.value, issuer=ISSUER, expires_at=moment(60))
    second = operator.revoke(case.level, case.value, issuer=ISSUER, expires_at=moment(600))
    third = operator.revoke(case.level, case.value, issuer=ISSUER, expires_at=moment(30))
    assert first["id"] == second["id"] == third["id"]
    assert seconds(entry_of(operator, first["id"])["expires_at"]) > time.time() + 500
    operator.unrevoke(first["id"])
    assert call(gateway, client.http1(case.victim.identity), case.victim).status == 200


def test_entries_come_page_by_page(gateway, world, operator):
    made = {by_token(world).revoke(operator)["id"] for _ in range(7)}
    found, after = [], ""
    while True:
        page = operator.call("GET", f"/v1/revocations?limit=3{after}").json
        assert len(page["revocations"]) <= 3
        found += [entry["id"] for entry in page["revocations"]]
        if not page.get("next"):
            break
        after = f"&after={page['next']}"
    assert made <= set(found)
    assert len(found) == len(set(found)) == page["total"]
    assert all(entry["level"] == "task" for entry in operator.revocations(level="task"))


BAD = {
    "no level": {"value": "x"},
    "an unknown level": {"level": "planet", "value": "x"},
    "no value": {"level": "agent"},
    "an empty value": {"level": "agent", "value": ""},
    "a token without its issuer": {"level": "token", "value": "x"},
    "a certificate that is no fingerprint": {"level": "certificate", "value": "AB" * 32},
    "a key that is no thumbprint": {"level": "key", "value": "x"},
    "a SPIFFE ID that is none": {"level": "agent", "value": "spiffe://example.test/a//b"},
    "an end that has passed": {"level": "agent", "value": "x", "expires_at": "2020-01-01T00:00:00Z"},
    "an end that is no moment": {"level": "agent", "value": "x", "expires_at": "tomorrow"},
    "everything by another name": {"level": "everything", "value": "all"},
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_meant_revokes_nothing(gateway, operator, what):
    before = operator.revocations()
    told = operator.call("POST", "/v1/revocations", BAD[what])
    assert told.status == 400
    assert " " in told.detail  # a sentence
    assert operator.revocations() == before


def test_a_preview_changes_nothing(gateway, world, client, operator, protocol, upstream):
    agent = instance(world)
    party = Party(agent, world.broker.token(agent))
    connection = client.open(protocol, agent)
    assert call(gateway, connection, party).status == 200
    told = operator.preview("agent", agent.spiffe_id)
    assert (told["connections"], told["agents"]) == (1, [agent.spiffe_id])
    assert call(gateway, connection, party).status == 200


# Whose it is


def test_two_entries_that_hit_the_same_are_taken_back_one_by_one(gateway, world, client, operator, upstream):
    agent = instance(world)
    party = Party(agent, world.broker.token(agent, task_id="t-both", orchestration_id=agent.spiffe_id[-16:]))
    qualified = operator.revoke("task", f"{agent.spiffe_id[-16:]}/t-both")["id"]
    bare = operator.revoke("task", "t-both")["id"]
    connection = client.http1(agent)
    assert call(gateway, connection, party).status == 401
    operator.unrevoke(qualified)
    assert call(gateway, connection, party).status == 401
    operator.unrevoke(bare)
    assert call(gateway, connection, party).status == 200


def test_a_certificate_by_its_two_names_is_taken_back_one_by_one(gateway, world, client, operator, upstream):
    case = CASES["serial number"](world)
    by_serial = case.revoke(operator)["id"]
    by_digest = operator.revoke("certificate", case.victim.identity.fingerprint)["id"]
    operator.unrevoke(by_serial)
    assert client.refusal(case.victim.identity)
    operator.unrevoke(by_digest)
    assert call(gateway, client.http1(case.victim.identity), case.victim).status == 200


def test_what_a_feed_and_an_operator_revoke_is_taken_back_one_by_one(world, upstream, launch, reach, tmp_path):
    """A push of Shared Signals for the same agent: two entries, of two sources."""
    secret = tmp_path / "push.secret"
    secret.write_text("Bearer of-the-broker")
    feed = {
        **{"name": "signals", "type": "set_push", "listener": "agents", "path": "/events"},
        **{"issuer": ISSUER, "audience": "https://gateway.example.test", "authorization_file": str(secret)},
    }
    gateway = launch(administered(world, upstream.url, revocation={**REVOCATION, "feeds": [feed]}))
    client = reach(gateway)
    case = CASES["agent"](world)

    def is_in() -> bool:
        return not is_refused(gateway, Later(client, "http/1.1", case.victim), case.victim)

    assert is_in()
    with operating(gateway) as operator:
        told = push(world, client, case.value)
        assert told.status == 202, told.body
        assert not is_in()
        by_operator = case.revoke(operator)["id"]
        entries = {each["source"]: each["id"] for each in operator.revocations() if each["value"] == case.value}
        assert entries == {"admin": by_operator, "feed:signals": entries["feed:signals"]}
        operator.unrevoke(entries["feed:signals"])
        assert not is_in()
        operator.unrevoke(by_operator)
        assert is_in()
        assert push(world, client, case.value).status == 202
        assert not is_in()
        assert [each["source"] for each in operator.revocations()] == ["feed:signals"]


def push(world, client, agent: str):
    """Delivers a security event that ends the agent's sessions (RFC 8935, CAEP)."""
    claims = {
        **{"iss": ISSUER, "aud": "https://gateway.example.test", "iat": int(time.time())},
        **{"jti": secrets.token_hex(8), "sub_id": {"format": "uri", "uri": agent}},
        "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}},
    }
    event = world.broker.forge({"typ": "secevent+jwt", "alg": "ES256", "kid": "ES256"}, claims)
    fields = [("Authorization", "Bearer of-the-broker"), ("Content-Type", "application/secevent+jwt")]
    return client.http1(world.other).call("POST", "/events", None, fields, event.encode())


def test_a_key_that_signed_tokens_takes_them_all_along(world, upstream, launch, reach):
    """An issuer's key that is known to others: what it signed is refused, what its other keys signed is not."""
    gateway = launch(administered(world, upstream.url))
    client = reach(gateway)
    agent = instance(world)
    connection = client.http1(agent)
    victim, bystander = (Party(agent, world.broker.token(agent, name)) for name in ("PS256", "ES256"))
    with operating(gateway) as operator:
        assert call(gateway, connection, victim).status == 200
        operator.revoke("key", world.broker.keys["PS256"].thumbprint())
        assert call(gateway, connection, victim).status == 401
        assert call(gateway, connection, bystander).status == 200


def test_everything_is_everything_and_can_be_taken_back(world, upstream, launch, reach, protocol):
    """A gateway of its own: all others would be refused too."""
    gateway = launch(administered(world, upstream.url))
    client = reach(gateway)
    case = by_everything(world)
    connection = client.open(protocol, case.victim.identity)
    assert call(gateway, connection, case.victim).status == 200
    with operating(gateway) as operator:
        entry = case.revoke(operator)["id"]
        assert is_refused(gateway, connection, case.victim)
        assert is_refused(gateway, Later(client, protocol, case.victim), case.victim)
        for other in (instance(world) for _ in range(3)):
            party = Party(other, world.broker.token(other))
            assert is_refused(gateway, Later(client, protocol, party), party)
        operator.unrevoke(entry)
        assert call(gateway, client.open(protocol, case.victim.identity), case.victim).status == 200


def test_it_may_end_by_itself(gateway, world, client, operator, upstream):
    case, lasting = by_token(world), by_token(world)
    connection = client.http1(case.victim.identity)
    entry = operator.revoke(case.level, case.value, issuer=ISSUER, expires_at=moment(1.5))["id"]
    kept = lasting.revoke(operator)["id"]
    assert call(gateway, connection, case.victim).status == 401
    gateway.wait(lambda: call(gateway, connection, case.victim).status == 200, "the end of a revocation")
    assert entry_of(operator, entry) is None
    assert entry_of(operator, kept)
    assert call(gateway, client.http1(lasting.victim.identity), lasting.victim).status == 401


def test_a_token_is_revoked_for_as_long_as_it_could_live(gateway, world, operator):
    case = by_token(world)
    entry = entry_of(operator, case.revoke(operator)["id"])
    assert 3600 <= seconds(entry["expires_at"]) - time.time() <= 3600 + 60


def test_a_reload_changes_nothing_about_it(gateway, world, client, operator, upstream):
    case = by_token(world)
    entry = case.revoke(operator)["id"]
    configuration = changed(gateway)
    configuration["routes"].append(route("more", f"/more-{entry}/{{x}}"))
    gateway.reload(configuration)
    connection = client.http1(case.victim.identity)
    assert call(gateway, connection, case.victim).status == 401
    assert call(gateway, connection, case.bystander).status == 200


# What stays


@pytest.fixture
def revoked(world, upstream, launch):
    """A gateway of its own with something revoked."""
    gateway = launch(administered(world, upstream.url))
    case = by_token(world)
    with operating(gateway) as operator:
        entry = case.revoke(operator)["id"]
    return gateway, case, entry


def judged(gateway, world, party: Party) -> int:
    client = Client(gateway.port, world.servers.file)
    try:
        return call(gateway, client.http1(party.identity), party).status
    finally:
        client.close()


@pytest.mark.parametrize("harshly", [False, True])
def test_it_outlasts_a_restart(world, upstream, revoked, harshly):
    gateway, case, entry = revoked
    if harshly:
        gateway.process.kill()
        gateway.process.wait()
    else:
        assert gateway.stop() == 0
    gateway.start()
    assert judged(gateway, world, case.victim) == 401
    assert judged(gateway, world, case.bystander) == 200
    with operating(gateway) as operator:
        assert entry_of(operator, entry)
        operator.unrevoke(entry)
    assert judged(gateway, world, case.victim) == 200
    gateway.stop()
    gateway.start()
    assert judged(gateway, world, case.victim) == 200


def test_the_store_is_its_owners_alone(revoked):
    gateway, _, _ = revoked
    store = store_of(gateway)
    assert stat.S_IMODE(store.stat().st_mode) == 0o600
    for beside in store.parent.glob("revocations.db-*"):
        assert stat.S_IMODE(beside.stat().st_mode) == 0o600


def store_of(gateway: Gateway):
    return gateway.directory / "state/revocations.db"


def truncate(store) -> None:
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])


def empty(store) -> None:
    store.write_bytes(b"")


def zero(store) -> None:
    """Every page but the first."""
    data = store.read_bytes()
    store.write_bytes(data[:4096] + bytes(len(data) - 4096))


def garble(store) -> None:
    store.write_bytes(b"this is no database\n" * 1000)


def foreign(store) -> None:
    """A database of somebody else."""
    store.unlink()
    with contextlib.closing(sqlite3.connect(store)) as database:
        database.execute("CREATE TABLE things (name TEXT)")
        database.commit()


def flip(store) -> None:
    """One bit of the value that is revoked, which no checksum of SQLite covers."""
    data = bytearray(store.read_bytes())
    index = data.index(b"https://broker.example.test")
    data[index + 8] ^= 1
    store.write_bytes(data)


def remove(store) -> None:
    store.unlink()


def remove_all(store) -> None:
    shutil.rmtree(store.parent)


DAMAGES = (truncate, empty, zero, garble, foreign, flip, remove, remove_all)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_store_is_no_empty_one(world, upstream, revoked, damage):
    """The gateway does not start, and says what to do; with the backup it starts, and knows what was revoked."""
    gateway, case, _ = revoked
    assert gateway.stop() == 0
    kept = gateway.directory / "kept"
    shutil.copytree(store_of(gateway).parent, kept)
    for beside in store_of(gateway).parent.glob("revocations.db-*"):
        beside.unlink()
    damage(store_of(gateway))
    said = refusal_to_start(gateway)
    assert "revocations.db" in said
    assert re.search("restore it from a backup|restore a later backup|name another file", said)
    shutil.rmtree(store_of(gateway).parent, ignore_errors=True)
    shutil.copytree(kept, store_of(gateway).parent)
    gateway.start()
    assert judged(gateway, world, case.victim) == 401
    assert judged(gateway, world, case.bystander) == 200


def refusal_to_start(gateway: Gateway) -> str:
    """What it says when it ends by itself, which it must, with a code that is not 0."""
    before = len(gateway.said)
    with pytest.raises(AssertionError, match="ended with [12]:"):
        gateway.start()
    gateway.process = EndedWell
    said = gateway.said[before:]
    assert "Fatal error" not in said
    return said


class EndedWell:
    """Stands for a process whose end was expected."""

    @staticmethod
    def poll():
        return 0

    @staticmethod
    def wait(timeout=None):
        return 0


def test_a_store_of_another_gateway_is_not_taken_for_ours(world, upstream, launch, revoked):
    gateway, _, _ = revoked
    other = launch(administered(world, upstream.url))
    assert gateway.stop() == other.stop() == 0
    other.process = EndedWell
    shutil.copy(store_of(other), store_of(gateway))
    assert "revocations.mark" in refusal_to_start(gateway)


def test_a_store_from_before_the_last_revocation_is_not_taken_for_the_last(world, upstream, revoked):
    """A backup that is older than it seems would let somebody in again."""
    gateway, case, _ = revoked
    assert gateway.stop() == 0
    kept = gateway.directory / "kept"
    shutil.copytree(store_of(gateway).parent, kept)
    gateway.start()
    later = by_token(world)
    with operating(gateway) as operator:
        later.revoke(operator)
    assert gateway.stop() == 0
    shutil.rmtree(store_of(gateway).parent)
    shutil.copytree(kept, store_of(gateway).parent)
    assert "lacks revocations" in refusal_to_start(gateway)
    (gateway.audit_directory / "revocations.mark").unlink()
    gateway.start()
    assert judged(gateway, world, case.victim) == 401
    assert judged(gateway, world, later.victim) == 200


def test_a_store_that_is_no_longer_named_is_not_forgotten(world, upstream, revoked):
    """Taking the sections out of the configuration must let nobody in again."""
    gateway, case, _ = revoked
    assert gateway.stop() == 0
    named = dict(gateway.configuration)
    unnamed = {key: value for key, value in named.items() if key not in ("admin", "revocation")}
    gateway.write(unnamed)
    assert "revocations.mark" in refusal_to_start(gateway)
    gateway.write(named)
    gateway.start()
    assert judged(gateway, world, case.victim) == 401


def test_a_backup_is_made_while_the_gateway_serves(world, upstream, revoked, tmp_path):
    """Reading the store keeps nobody from revoking more."""
    gateway, case, _ = revoked
    copy = sqlite3.connect(tmp_path / "copy.db")
    with contextlib.closing(sqlite3.connect(f"file:{store_of(gateway)}?mode=ro", uri=True)) as source:
        source.backup(copy)
    assert copy.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    later = by_token(world)
    with operating(gateway) as operator:
        later.revoke(operator)
    assert judged(gateway, world, later.victim) == 401


def test_without_the_mark_one_may_begin_anew(world, upstream, revoked):
    """The way out of a store that is lost: an operator says so by removing the mark."""
    gateway, case, _ = revoked
    assert gateway.stop() == 0
    shutil.rmtree(store_of(gateway).parent)
    said = refusal_to_start(gateway)
    mark = gateway.audit_directory / "revocations.mark"
    assert str(mark.name) in said
    mark.unlink()
    gateway.start()
    with operating(gateway) as operator:
        assert operator.revocations() == []
    assert judged(gateway, world, case.victim) == 200


def test_check_says_nothing_about_a_store_and_makes_none(world, upstream, tmp_path):
    gateway = Gateway(tmp_path, administered(world, upstream.url))
    told = sallyport("check", "--config", str(gateway.file))
    assert told.returncode == 0, told.stderr
    assert not store_of(gateway).exists()


def test_hundreds_of_entries_are_kept_as_they_were_left(world, upstream, launch, reach):
    """Made and taken back in turns, over a restart."""
    gateway = launch(administered(world, upstream.url))
    with operating(gateway) as operator:
        kept = {}
        for number in range(300):
            entry = operator.revoke("token", jti_of(number), issuer=ISSUER)["id"]
            if number % 3:
                kept[entry] = jti_of(number)
            else:
                operator.unrevoke(entry)
        assert {entry["id"]: entry["value"] for entry in operator.revocations()} == kept
    assert gateway.stop() == 0
    gateway.start()
    with operating(gateway) as operator:
        assert {entry["id"]: entry["value"] for entry in operator.revocations()} == kept
    agent = instance(world)
    for number in (0, 1, 299):
        party = Party(agent, world.broker.token(agent, jti=jti_of(number)))
        assert judged(gateway, world, party) == (200 if number % 3 == 0 else 401)


def jti_of(number: int) -> str:
    return f"jti-{number:06}"


def test_several_operators_at_once(gateway, world, operator):
    """Each answer is true, whoever else is heard at the same time."""
    made, faults = [], []

    def revoke(name: int) -> None:
        mine = Admin(gateway)
        try:
            for number in range(20):
                made.append(mine.revoke("token", f"{name}-{number}-{time.time_ns()}", issuer=ISSUER)["id"])
        except Exception as fault:
            faults.append(fault)
        mine.close()

    threads = [threading.Thread(target=revoke, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not faults
    assert len(set(made)) == 160
    assert set(made) <= {entry["id"] for entry in operator.revocations()}


def test_a_chain_is_refused_from_any_link_down(gateway, world, client, operator, upstream):
    """What stands above the revoked one goes on; what stands beside it too."""
    root, middle, leaf, beside = (instance(world) for _ in range(4))
    tokens = {
        "root": Party(root, world.agentwrit.token(root)),
        "middle": through(world, middle, root),
        "leaf": through(world, leaf, root, middle),
        "beside": through(world, beside, root),
    }
    connections = {name: client.http1(party.identity) for name, party in tokens.items()}
    for name, party in tokens.items():
        assert call(gateway, connections[name], party).status == 200, name
    operator.revoke("chain", middle.spiffe_id)
    outcomes = {name: is_refused(gateway, connections[name], party) for name, party in tokens.items()}
    assert outcomes == {"root": False, "middle": True, "leaf": True, "beside": False}
