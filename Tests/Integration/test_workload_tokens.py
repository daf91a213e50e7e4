"""WIMSE: a Workload Identity Token with a Workload Proof Token, alone and beside an OAuth token; and SPIFFE's WIT-SVID.

W1 to W4 are the rules of draft-ietf-wimse-workload-creds, draft-ietf-wimse-wpt and SPIFFE's WIT-SVID.md. Each refused
call differs in one thing from one that is accepted.
"""

import json
import time
from dataclasses import dataclass

import pytest

from clients import Client
from credentials import ABSENT, ALGORITHMS, ISSUER, LIBRARIES, WorkloadBroker, base64url, generate_key, hash_of
from proofs import Holder
from world import route

WIMSE = "https://workloads.example.test"
SVID = "https://svids.example.test"
ALIAS = "wimse://example.test/orders"


@pytest.fixture(scope="module")
def workloads() -> WorkloadBroker:
    return WorkloadBroker(WIMSE)


@pytest.fixture(scope="module")
def svids() -> WorkloadBroker:
    """An issuer of WIT-SVIDs."""
    return WorkloadBroker(SVID, ("ES256", "Ed25519", "PS256"))


def profile(world, broker, name: str, **changes) -> dict:
    file = world.write(f"{name}.jwks.json", broker.jwks())
    algorithms = [algorithm for algorithm in broker.keys if name == "wimse" or not algorithm.startswith("Ed")]
    issuer = {"issuer": broker.issuer, "profile": name, "jwks_file": str(file), "algorithms": algorithms}
    return {**issuer, "audiences": [ALIAS], "trust_domains": ["example.test"], **changes}


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch, workloads):
    routes = [
        route("wpt", "/wpt/{rest...}", issuers=[WIMSE], possession=["wpt"]),
        route("scoped", "/scoped/{x}", issuers=[WIMSE], possession=["wpt"], scope="read:orders:{x}"),
        route("both", "/both/{x}", issuers=[WIMSE, ISSUER], possession=["wpt", "certificate"]),
        route("oauth-only", "/oauth-only/{x}", issuers=[ISSUER], possession=["wpt", "certificate"]),
        route("certificate", "/certificate/{x}", issuers=[WIMSE, ISSUER], possession=["certificate"]),
    ]
    issuers = [world.issuer(), profile(world, workloads, "wimse")]
    return launch(world.configuration(the_upstream.url, routes, issuers=issuers))


@pytest.fixture(scope="module")
def holder() -> Holder:
    return Holder()


@pytest.fixture(scope="module")
def connections(gateway, world, workloads, holder):
    client = Client(gateway.port, world.servers.file)
    opened = {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}

    def is_accepted():
        call = Call(world, workloads, gateway.origin, holder)
        return opened["h2"].call("GET", "/wpt/42", fields=call.fields()).status == 200

    gateway.wait(is_accepted, "a proof of after the start to be accepted")
    yield opened
    client.close()


@dataclass
class Call:
    """What a case has at hand."""

    world: object
    broker: WorkloadBroker
    origin: str
    holder: Holder

    def token(self, algorithm="ES256", header=None, holder=None, **claims) -> str:
        """A good Workload Identity Token, with changes."""
        claims = {"cnf": (holder or self.holder).workload_cnf, **claims}
        head = self.broker.header(algorithm, **(header or {}))
        return self.broker.forge(head, self.broker.claims(self.world.agent, **claims), algorithm)

    def proof(self, token: str, header=None, holder=None, target="/wpt/42", **claims) -> str:
        uri = claims.pop("aud", self.origin + target)
        return (holder or self.holder).workload_proof(uri, token, header=header, **claims)

    def fields(self, token: str | None = None, proof: str | None = None, **changes) -> list[tuple[str, str]]:
        token = token or self.token()
        return [
            ("Workload-Identity-Token", token),
            ("Workload-Proof-Token", proof if proof is not None else self.proof(token, **changes)),
        ]

    def with_jwk(self, **changes) -> list[tuple[str, str]]:
        """A token whose key is written with changes."""
        jwk = {**self.holder.workload_cnf["jwk"], **changes}
        return self.fields(self.token(cnf={"jwk": {name: v for name, v in jwk.items() if v is not ABSENT}}))


@pytest.fixture
def case(world, gateway, workloads, holder) -> Call:
    return Call(world, workloads, gateway.origin, holder)


def now() -> int:
    return int(time.time())


def token(**changes):
    return lambda c: c.fields(c.token(**changes))


def proof(**changes):
    return lambda c: c.fields(**changes)


def written(header: dict | None = None, insert: str = ""):
    """A proof with text of our own before the end of its claims."""

    def fields(c: Call):
        wit = c.token()
        claims = {
            "aud": f"{c.origin}/wpt/42",
            "exp": now() + 30,
            "jti": base64url(wit.encode())[-30:],
            "wth": hash_of(wit),
        }
        payload = json.dumps(claims).encode()[:-1] + insert.encode("utf-8", "surrogatepass") + b"}"
        return c.fields(wit, c.holder.sign(header or {"typ": "wpt+jwt", "alg": "ES256"}, payload))

    return fields


ACCEPTED = {
    "as it should be": lambda c: c.fields(),
    "W2 no iss": token(iss=ABSENT),
    "W2 no jti": token(jti=ABSENT),
    "W2 no iat": token(iat=ABSENT),
    "W2 typ with application/": token(header={"typ": "application/wit+jwt"}),
    "W2 typ in other case": token(header={"typ": "WIT+JWT"}),
    "W2 unknown claims": token(color="blue"),
    "W2 an unknown member beside jwk": lambda c: c.fields(c.token(cnf={**c.holder.workload_cnf, "color": "blue"})),
    "W3 typ with application/": proof(header={"typ": "application/wpt+jwt"}),
    "W3 aud with a query": lambda c: c.fields(aud=f"{c.origin}/wpt/42?a=1#b"),
    "W3 aud in another spelling": lambda c: c.fields(aud=f"{c.origin}/%77pt/42".replace("localhost", "LOCALHOST")),
    "W3 aud an alias": proof(aud=ALIAS),
    "W3 a list of one aud": lambda c: c.fields(aud=[f"{c.origin}/wpt/42"]),
    "W3 iat, which is not defined": lambda c: c.fields(iat=now()),
    "W3 unknown claims": proof(color="blue"),
    "W3 oth of a field that is there": lambda c: [
        *c.fields(oth={"x-context": hash_of("what is said there")}),
        ("X-Context", "what is said there"),
    ],
    "W3 an empty oth": proof(oth={}),
}

REFUSED = {
    # W1: one each
    "W1 no proof": lambda c: c.fields()[:1],
    "W1 no token": lambda c: c.fields()[1:],
    "W1 an empty proof": lambda c: [c.fields()[0], ("Workload-Proof-Token", "")],
    "W1 two tokens": lambda c: [*c.fields(), ("Workload-Identity-Token", c.token())],
    "W1 the same token twice": lambda c: [*(f := c.fields()), f[0]],
    "W1 two proofs": lambda c: [*(f := c.fields()), ("Workload-Proof-Token", c.proof(f[0][1]))],
    "W1 two proofs in one field": lambda c: c.fields(proof=f"{c.proof(c.token())},{c.proof(c.token())}"),
    "W1 two tokens in one field": lambda c: c.fields(f"{c.token()}, {c.token()}"),
    "W1 a scheme before the token": lambda c: c.fields(f"Bearer {c.token()}"),
    # W2: the token
    "W2 no typ": token(header={"typ": ABSENT}),
    "W2 typ JWT": token(header={"typ": "JWT"}),
    "W2 typ at+jwt": token(header={"typ": "at+jwt"}),
    "W2 typ of an old draft": token(header={"typ": "wimse-id+jwt"}),
    "W2 typ wpt+jwt": token(header={"typ": "wpt+jwt"}),
    "J12 an access token in its place": lambda c: c.fields(c.world.broker.token(c.world.agent)),
    "J12 a proof in its place": lambda c: c.fields(c.proof(c.token())),
    "W2 alg none": token(header={"alg": "none"}),
    "W2 alg of another key": token(header={"alg": "ES384"}),
    "W2 another's key": lambda c: c.fields(
        Call(c.world, WorkloadBroker(WIMSE, ("ES256",)), c.origin, c.holder).token()
    ),
    "W2 an unknown kid": token(header={"kid": "unknown"}),
    "W2 crit": token(header={"crit": ["exp"]}),
    "W2 no sub": token(sub=ABSENT),
    "W2 sub of another trust domain": token(sub="spiffe://elsewhere.test/agent"),
    "W2 sub of no trust domain": token(sub="agent-7"),
    "W2 sub of another scheme": token(sub="https://example.test/agent"),
    "W2 another iss": token(iss="https://elsewhere.test"),
    "W2 no exp": token(exp=ABSENT),
    "W2 expired": lambda c: c.fields(c.token(iat=now() - 400, exp=now() - 100)),
    "W2 not valid yet": lambda c: c.fields(c.token(nbf=now() + 100)),
    "W2 issued in the future": lambda c: c.fields(c.token(iat=now() + 200, exp=now() + 300)),
    "W2 a life that is too long": lambda c: c.fields(c.token(exp=now() + 100_000)),
    "W2 a life that is too long, without iat": lambda c: c.fields(c.token(iat=ABSENT, exp=now() + 100_000)),
    "W2 no cnf": token(cnf=ABSENT),
    "W2 an empty cnf": token(cnf={}),
    "W2 jkt for jwk": lambda c: c.fields(c.token(cnf=c.holder.cnf)),
    "W2 jwk a string": token(cnf={"jwk": "x"}),
    "W2 no alg in jwk": lambda c: c.with_jwk(alg=ABSENT),
    "W2 alg of jwk unknown": lambda c: c.with_jwk(alg="ES257"),
    "W2 alg of jwk that its kind has not": lambda c: c.with_jwk(alg="PS256"),
    "C4 the private key": lambda c: c.fields(c.token(cnf={"jwk": {**c.holder.private, "alg": "ES256"}})),
    "C4 a symmetric key": token(cnf={"jwk": {"kty": "oct", "k": "AQAB", "alg": "HS256"}}),
    "C4 jku, which nobody follows": token(cnf={"jku": "http://127.0.0.1:1/keys"}),
    "C1 jwk and jku": lambda c: c.fields(c.token(cnf={**c.holder.workload_cnf, "jku": "http://127.0.0.1:1/keys"})),
    "J4 a point off the curve": lambda c: c.with_jwk(y=base64url(bytes(31) + b"\5")),
    # W3: the proof
    "W3 garbage": proof(proof="garbage"),
    "W3 no typ": proof(header={"typ": ABSENT}),
    "W3 typ JWT": proof(header={"typ": "JWT"}),
    "W3 typ dpop+jwt": proof(header={"typ": "dpop+jwt"}),
    "W3 typ of an old draft": proof(header={"typ": "wimse-proof+jwt"}),
    "W3 alg none": proof(header={"alg": "none"}),
    "W3 alg of another kind": proof(header={"alg": "ES384"}),
    "W3 alg in other case": proof(header={"alg": "es256"}),
    "W3 crit": proof(header={"crit": ["exp"]}),
    "W3 by another key": lambda c: c.fields(holder=Holder()),
    "W3 by another key, shown in the header": lambda c: c.fields(
        holder=(thief := Holder()), header={"jwk": thief.public}
    ),
    "W3 a signature of zeros": lambda c: c.fields(
        (wit := c.token()), c.proof(wit).rpartition(".")[0] + "." + base64url(bytes(64))
    ),
    "W3 no aud": lambda c: c.fields((wit := c.token()), c.holder.workload_proof(ABSENT, wit)),
    "W3 aud of another path": lambda c: c.fields(aud=f"{c.origin}/wpt/43"),
    "W3 aud of another origin": proof(aud="https://elsewhere.test/wpt/42"),
    "W3 aud of another scheme": lambda c: c.fields(aud=f"{c.origin}/wpt/42".replace("https", "http")),
    "W3 aud the path alone": proof(aud="/wpt/42"),
    "W3 aud an alias in other case": proof(aud=ALIAS.upper()),
    "W3 aud an alias that goes on": proof(aud=ALIAS + "/x"),
    "W3 aud empty": proof(aud=""),
    "W3 aud a number": proof(aud=7),
    "W3 an empty list of aud": proof(aud=[]),
    "W3 a list of two aud": lambda c: c.fields(aud=[f"{c.origin}/wpt/42", "https://elsewhere.test/"]),
    "W3 a list of another aud": proof(aud=["https://elsewhere.test/wpt/42"]),
    "W3 a list with a number": lambda c: c.fields(aud=[7]),
    "W3 no exp": proof(exp=ABSENT),
    "W3 expired": lambda c: c.fields(exp=now() - 30),
    "W3 exp a string": lambda c: c.fields(exp=str(now() + 30)),
    "W3 exp far in the future": lambda c: c.fields(exp=now() + 3600),
    "W3 no jti": proof(jti=ABSENT),
    "W3 an empty jti": proof(jti=""),
    "W3 no wth": proof(wth=ABSENT),
    "W3 wth of another token": lambda c: c.fields(wth=hash_of(c.token())),
    "W3 wth padded": lambda c: c.fields((wit := c.token()), c.proof(wit, wth=hash_of(wit) + "=")),
    "W3 ath without an access token": proof(ath=hash_of("x")),
    "W3 tth without a transaction token": proof(tth=hash_of("x")),
    "W3 oth of a field that is not there": proof(oth={"x-context": hash_of("x")}),
    "W3 oth of a field with another value": lambda c: [
        *c.fields(oth={"x-context": hash_of("x")}),
        ("X-Context", "y"),
    ],
    "W3 oth of a field that is there twice": lambda c: [
        *c.fields(oth={"x-context": hash_of("x")}),
        ("X-Context", "x"),
        ("X-Context", "x"),
    ],
    "W3 oth a list": proof(oth=["x-context"]),
    "W3 oth of a number": lambda c: [*c.fields(oth={"x-context": 7}), ("X-Context", "7")],
    "P1 aud twice": written(insert=', "aud": "https://elsewhere.test"'),
    "P1 wth twice, once escaped": written(insert=', "\\u0077th": "x"'),
    "P15 NaN": written(insert=', "a": NaN'),
    "P15 a list for a header": lambda c: c.fields(c.token(), c.holder.sign(b"[]", b"{}")),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_is_accepted(connections, case, upstream, protocol, name):
    told = connections[protocol].call("GET", "/wpt/42", fields=ACCEPTED[name](case))
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == case.world.agent.spiffe_id
    assert not [field for field in upstream.request.names if field.startswith("workload-")]


@pytest.mark.parametrize("name", REFUSED)
def test_is_refused(connections, gateway, case, upstream, protocol, name):
    """With 400, of which the drafts say that 401 is not recommended."""
    told = connections[protocol].call("GET", "/wpt/42", fields=REFUSED[name](case))
    assert (told.status, told.code) == (400, "invalid-workload-token")
    assert not told.challenges
    assert gateway.reason(told).startswith(("wit.", "wpt.", "token.", "workload.", "possession.", "credentials."))
    assert not upstream.requests


@pytest.mark.parametrize("part", [0, 1], ids=["token", "proof"])
def test_W3_no_change_of_one_character_passes(connections, case, upstream, part):
    """At every place: another letter of the alphabet, a character too few, one too many."""
    connection, fields = connections["h2"], case.fields()
    name, text = fields[part]
    for place in range(1, len(text)):
        other = "B" if text[place] in "A." else "A"
        streams = []
        for changed in (text[:place] + other + text[place + 1 :], text[:place] + text[place + 1 :], text[:place]):
            changed_fields = [(name, changed), fields[1 - part]]
            streams.append(connection.start("GET", "/wpt/42", fields=changed_fields))
        assert {connection.response(stream).status for stream in streams} == {400}, place
    assert not upstream.requests
    assert connection.call("GET", "/wpt/42", fields=fields).status == 200


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_W2_every_kind_of_key_by_two_libraries(connections, world, gateway, workloads, upstream, algorithm, library):
    holder = Holder(algorithm)
    wit = workloads.token(world.agent, algorithm, library=library, cnf=holder.workload_cnf)
    fields = [
        ("Workload-Identity-Token", wit),
        ("Workload-Proof-Token", holder.workload_proof(f"{gateway.origin}/wpt/42", wit, library=library)),
    ]
    assert connections["h2"].call("GET", "/wpt/42", fields=fields).status == 200


def test_W1_a_workload_token_is_no_bearer_token(connections, gateway, case, upstream, protocol):
    for scheme in ("Bearer", "DPoP"):
        told = connections[protocol].call("GET", "/wpt/42", fields=[("Authorization", f"{scheme} {case.token()}")])
        assert told.status in (400, 401)
        wit = case.token()
        fields = [("Authorization", f"{scheme} {wit}"), *case.fields(wit, case.proof(wit, ath=hash_of(wit)))]
        assert connections[protocol].call("GET", "/wpt/42", fields=fields).status in (400, 401)
    assert not upstream.requests


def test_W1_without_any_credentials(connections, upstream, protocol):
    told = connections[protocol].call("GET", "/wpt/42")
    assert (told.status, told.code) == (401, "credentials-missing")


def test_W3_a_proof_is_used_once(connections, gateway, case, upstream, protocol):
    fields = case.fields()
    assert connections[protocol].call("GET", "/wpt/42", fields=fields).status == 200
    told = connections[protocol].call("GET", "/wpt/42", fields=fields)
    assert (told.status, told.code) == (400, "invalid-workload-token")
    assert gateway.reason(told) == "replay.used"
    assert len(upstream.requests) == 1


def test_W3_a_refused_call_uses_nothing_up(connections, case, upstream, protocol):
    fields = case.fields()
    assert connections[protocol].call("GET", "/wpt/43", fields=fields).status == 400
    assert connections[protocol].call("GET", "/wpt/42", fields=[*fields, fields[1]]).status == 400
    assert connections[protocol].call("GET", "/wpt/42", fields=fields).status == 200


def test_W3_a_proof_is_for_any_method(connections, case, upstream, protocol):
    """The draft binds it to the target alone."""
    assert connections[protocol].call("DELETE", "/wpt/42", fields=case.fields()).status == 200
    assert upstream.request.method == "DELETE"


def test_a_workload_token_grants_no_scope(connections, case, upstream, protocol):
    wit = case.token(scope="read:orders:42")
    fields = case.fields(wit, case.proof(wit, target="/scoped/42"))
    told = connections[protocol].call("GET", "/scoped/42", fields=fields)
    assert (told.status, told.code) == (403, "insufficient-scope")
    assert not upstream.requests


def test_the_subject_must_be_the_peer(client, gateway, case, world, upstream, protocol):
    """A workload token of one workload, whose key was stolen too, is not for another."""
    told = client.open(protocol, world.other).call("GET", "/wpt/42", fields=case.fields())
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told) == "possession.subject-mismatch"
    assert not upstream.requests


def test_a_workload_with_a_wimse_identifier(connections, case, upstream, protocol):
    fields = case.fields(case.token(sub="wimse://example.test/specific-workload"))
    assert connections[protocol].call("GET", "/wpt/42", fields=fields).status == 200
    assert upstream.request.header("sallyport-agent") == "wimse://example.test/specific-workload"


# Beside an OAuth token


def beside(case: Call, access_token: str, target="/both/1", header=None, **changes) -> list[tuple[str, str]]:
    wit = case.token()
    changes = {"ath": hash_of(access_token), **changes}
    return [
        ("Authorization", f"Bearer {access_token}"),
        *case.fields(wit, case.proof(wit, header, target=target, **changes)),
    ]


def test_a_workload_proof_binds_the_access_token_beside_it(connections, case, world, upstream, protocol):
    for changes, status in (
        ({}, 200),
        ({"ath": ABSENT}, 400),
        ({"ath": hash_of("another")}, 400),
        ({"ath": ""}, 400),
    ):
        access_token = world.broker.token(world.agent)
        told = connections[protocol].call("GET", "/both/1", fields=beside(case, access_token, **changes))
        assert told.status == status, changes
        assert status == 200 or told.code == "invalid-workload-token"
    assert upstream.request.header("sallyport-issuer") == ISSUER


def test_an_access_token_beside_it_is_still_judged(connections, case, world, upstream, protocol):
    expired = world.broker.token(world.agent, iat=now() - 400, exp=now() - 100)
    told = connections[protocol].call("GET", "/both/1", fields=beside(case, expired))
    assert (told.status, told.code) == (401, "invalid-token")
    stolen = world.broker.token(world.other)
    told = connections[protocol].call("GET", "/both/1", fields=beside(case, stolen))
    assert (told.status, told.code) == (401, "invalid-token")
    assert not upstream.requests


def test_an_access_token_bound_to_the_workloads_key(connections, case, world, upstream, protocol):
    """`cnf.jwk`: the workload's proof shows that key; another workload's does not."""
    for holder, status in ((case.holder, 200), (Holder(), 401)):
        access_token = world.broker.token(world.agent, cnf={"jwk": holder.public})
        told = connections[protocol].call("GET", "/both/1", fields=beside(case, access_token))
        assert told.status == status
    assert len(upstream.requests) == 1


def test_the_workloads_issuer_must_be_the_routes_too(connections, case, world, upstream, protocol):
    access_token = world.broker.token(world.agent)
    told = connections[protocol].call("GET", "/oauth-only/1", fields=beside(case, access_token, target="/oauth-only/1"))
    assert told.status in (400, 403)
    assert not upstream.requests
    assert connections[protocol].call("GET", "/oauth-only/1", access_token).status == 200


def test_an_access_token_alone_suffices_where_the_route_takes_its_proof(connections, world, upstream, protocol):
    assert connections[protocol].call("GET", "/both/1", world.broker.token(world.agent)).status == 200


@pytest.mark.parametrize("fields", [[("Workload-Identity-Token", "garbage")], [("Workload-Proof-Token", "garbage")]])
def test_half_of_it_beside_an_access_token_is_refused(connections, world, upstream, protocol, fields):
    told = connections[protocol].call("GET", "/both/1", world.broker.token(world.agent), fields)
    assert (told.status, told.code) == (400, "invalid-workload-token")
    assert not upstream.requests


def test_where_no_proof_is_taken_the_fields_are_removed(connections, world, upstream, protocol):
    fields = [("Workload-Identity-Token", "garbage"), ("Workload-Proof-Token", "a"), ("Workload-Proof-Token", "b")]
    assert connections[protocol].call("GET", "/certificate/1", world.broker.token(world.agent), fields).status == 200
    assert not [field for field in upstream.request.names if field.startswith("workload-")]


def test_a_transaction_token_is_bound_by_tth(connections, case, world, upstream, protocol):
    txn = ("Txn-Token", "eyJ.eyJ.AA")
    wit = case.token()
    good = case.fields(wit, case.proof(wit, tth=hash_of(txn[1])))
    assert connections[protocol].call("GET", "/wpt/42", fields=[*good, txn]).status == 200
    assert upstream.request.header("txn-token") is None
    wit = case.token()
    for changes in ({"tth": hash_of("another")}, {}):
        fields = case.fields(wit, case.proof(wit, **changes))
        told = connections[protocol].call("GET", "/wpt/42", fields=[*fields, txn])
        assert (told.status, told.code) == (400, "invalid-workload-token")
    assert len(upstream.requests) == 1


# Trust domains, and more than one issuer


def test_W2_the_trust_domain_of_the_subject_chooses_the_keys(world, upstream, launch, reach, protocol):
    """Not `iss`: each broker's keys vouch for its own domain only."""
    ours, theirs = WorkloadBroker(WIMSE, ("ES256",)), WorkloadBroker("https://partner.test", ("ES256",))
    issuers = [
        {**profile(world, ours, "wimse"), "jwks_file": str(world.write("ours.jwks.json", ours.jwks()))},
        {
            **profile(world, theirs, "wimse", trust_domains=["partner.test"]),
            "jwks_file": str(world.write("theirs.jwks.json", theirs.jwks())),
        },
    ]
    both = [WIMSE, "https://partner.test"]
    routes = [
        route("wpt", "/wpt/{x}", issuers=both, possession=["wpt"], dangerously_allow_subject_mismatch=True),
        route("ours", "/ours/{x}", issuers=[WIMSE], possession=["wpt"], dangerously_allow_subject_mismatch=True),
    ]
    gateway = launch(world.configuration(upstream.url, routes, issuers=issuers))
    connection, holder = reach(gateway).open(protocol, world.agent), Holder()

    def call(broker, target="/wpt/1", **claims):
        case = Call(world, broker, gateway.origin, holder)
        wit = case.token(**claims)
        return connection.call("GET", target, fields=case.fields(wit, case.proof(wit, target=target)))

    partner = "spiffe://partner.test/agent"
    gateway.wait(lambda: call(ours).status == 200, "a proof of after the start")
    assert call(theirs, sub=partner).status == 200
    assert call(ours, iss=ABSENT).status == call(theirs, iss=ABSENT, sub=partner).status == 200
    for told in (
        call(theirs),
        call(ours, sub=partner),
        call(theirs, iss=WIMSE),
        call(ours, iss="https://partner.test"),
        call(theirs, iss=ABSENT),
    ):
        assert (told.status, told.code) == (400, "invalid-workload-token")
    assert call(theirs, "/ours/1", sub=partner).status in (400, 403)
    assert call(ours, "/ours/1").status == 200


# W4: SPIFFE's profile


@pytest.fixture(scope="module")
def spiffe(world, the_upstream, launch, svids):
    routes = [route("wpt", "/wpt/{x}", issuers=[SVID], possession=["wpt"])]
    gateway = launch(world.configuration(the_upstream.url, routes, issuers=[profile(world, svids, "wit-svid")]))
    client = Client(gateway.port, world.servers.file)
    connection, holder = client.http1(world.agent), Holder()

    def is_accepted():
        call = Call(world, svids, gateway.origin, holder)
        return connection.call("GET", "/wpt/42", fields=call.fields()).status == 200

    gateway.wait(is_accepted, "a proof of after the start")
    yield gateway, connection
    client.close()


W4 = {
    "as it should be": (True, lambda c: c.fields()),
    "PS256": (True, lambda c: c.fields(c.token("PS256"))),
    "no jti": (True, token(jti=ABSENT)),
    "no kid": (False, token(header={"kid": ABSENT})),
    "aud": (False, token(aud="https://orders.example.test")),
    "an empty aud": (False, token(aud=[])),
    "sub no SPIFFE ID": (False, token(sub="wimse://example.test/agent")),
    "signed with Ed25519": (False, lambda c: c.fields(c.token("Ed25519"))),
    "a key for Ed25519": (
        False,
        lambda c: c.fields((wit := c.token(holder=(other := Holder("Ed25519")))), c.proof(wit, holder=other)),
    ),
    "a key for ES384": (
        True,
        lambda c: c.fields((wit := c.token(holder=(other := Holder("ES384")))), c.proof(wit, holder=other)),
    ),
    "no alg in jwk": (False, lambda c: c.with_jwk(alg=ABSENT)),
    "no cnf": (False, token(cnf=ABSENT)),
    "no exp": (False, token(exp=ABSENT)),
}


@pytest.mark.parametrize("name", W4)
def test_W4_a_wit_svid(spiffe, svids, world, upstream, holder, name):
    gateway, connection = spiffe
    is_fine, fields = W4[name]
    told = connection.call("GET", "/wpt/42", fields=fields(Call(world, svids, gateway.origin, holder)))
    assert told.status == (200 if is_fine else 400)
    assert is_fine or told.code == "invalid-workload-token"
    assert len(upstream.requests) == is_fine


def test_W3_of_a_hundred_at_once_exactly_one_passes(connections, case, upstream):
    fields = case.fields()
    streams = [connections["h2"].start("GET", "/wpt/42", fields=fields) for _ in range(100)]
    statuses = sorted(connections["h2"].response(stream).status for stream in streams)
    assert statuses == [200] + [400] * 99
    assert len(upstream.requests) == 1


def test_W2_a_key_of_another_workload_is_none_of_ours(connections, case, world, upstream, protocol):
    """Two workloads of one broker: neither can make proofs for the other's token."""
    thief = Holder(key=generate_key("ES256"))
    wit = case.token()
    told = connections[protocol].call("GET", "/wpt/42", fields=case.fields(wit, case.proof(wit, holder=thief)))
    assert (told.status, told.code) == (400, "invalid-workload-token")
    own = case.token(holder=thief)
    assert (
        connections[protocol].call("GET", "/wpt/42", fields=case.fields(own, case.proof(own, holder=thief))).status
        == 200
    )
