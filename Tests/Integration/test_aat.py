"""Attenuating agent tokens: a holder passes on less than it has, without asking anybody, and the gateway sees to it."""

import json

import pytest

from aat import EVERY_ORDER, ISSUER, Chain, Key, RootIssuer, details, exact, name_of, one_of
from clients import Client
from credentials import ABSENT, AUDIENCE, cnf
from gateway import sallyport
from world import route


@pytest.fixture(scope="module")
def roots() -> RootIssuer:
    return RootIssuer()


@pytest.fixture(scope="module")
def keys() -> list[Key]:
    return [Key() for _ in range(6)]


def issuer(world, roots, **changes) -> dict:
    file = world.write("roots.jwks.json", roots.jwks())
    made = {"issuer": roots.issuer, "profile": "aat", "audiences": [AUDIENCE], "jwks_file": str(file)}
    return {**made, "algorithms": ["Ed25519", "ES256"], **changes}


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch, roots):
    mine = {"issuers": [ISSUER], "possession": ["dpop"]}
    routes = [
        route("read", "/orders/{x}", ["GET"], scope="read:orders:{x}", **mine),
        route("list", "/orders", ["GET"], scope="read:orders:*", **mine),
        route("write", "/orders/{x}", ["PUT"], scope="write:orders:{x}", **mine),
        route("short", "/short/{x}", scope="read:orders:{x}", delegation={"maximum_depth": 1}, **mine),
        route("sponsored", "/sponsored/{x}", sponsor=True, **mine),
        route("bound", "/bound/{x}", issuers=[ISSUER], possession=["dpop", "certificate"]),
        route("other", "/other/{x}"),
    ]
    limits = {"header_bytes": "64KiB", "token_bytes": "4KiB", "chain_bytes": "16KiB"}
    issuers = [world.issuer(), issuer(world, roots)]
    gateway = launch(world.configuration(the_upstream.url, routes, issuers=issuers, limits=limits))
    chain = roots.root(Key())
    client = Client(gateway.port, world.servers.file)
    connection = client.http1(world.agent)
    # Proofs that may be from before the start are not accepted.
    gateway.wait(lambda: call(connection, gateway, chain).status == 200, "a proof to be accepted")
    client.close()
    return gateway


@pytest.fixture(scope="module")
def connections(gateway, world):
    client = Client(gateway.port, world.servers.file)
    yield {protocol: client.open(protocol, world.agent) for protocol in ("http/1.1", "h2")}
    client.close()


@pytest.fixture
def connection(connections, protocol):
    return connections[protocol]


def call(connection, gateway, made: Chain, target="/orders/42", method="GET", extra=(), **options):
    fields = made.fields(method, gateway.origin + target, **options)
    return connection.call(method, target, fields=[*fields, *extra])


def three_hops(roots, keys, *tools) -> Chain:
    """Root, planner to researcher, researcher to reader, reader to helper."""
    chain = roots.root(keys[0])
    for holder, held in zip(keys[1:], tools or (EVERY_ORDER, EVERY_ORDER, EVERY_ORDER)):
        chain = chain.derive(holder, held)
    return chain


# What passes


def test_a_root_is_presented_alone(connection, gateway, upstream, roots, keys):
    told = call(connection, gateway, roots.root(keys[0]))
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == name_of(keys[0].pair)
    assert upstream.request.header("sallyport-scope") == "read:orders:42"
    assert upstream.request.header("sallyport-delegation-depth") in (None, "0")


def test_three_hops_narrow_step_by_step(connection, gateway, upstream, roots, keys):
    chain = three_hops(
        roots,
        keys,
        {"read:orders": {"identifier": one_of("42", "43", "44")}},
        {"read:orders": {"identifier": one_of("42", "43")}},
        {"read:orders": {"identifier": exact("42")}},
    )
    told = call(connection, gateway, chain)
    assert told.status == 200
    assert upstream.request.header("sallyport-agent") == name_of(keys[3].pair)
    assert upstream.request.header("sallyport-issuer") == ISSUER
    assert upstream.request.header("sallyport-scope") == "read:orders:42"
    assert upstream.request.header("sallyport-delegation-depth") == "3"
    assert upstream.request.header("sallyport-sponsor") == "someone@example.test"
    assert upstream.request.header("sallyport-task") == "task-1"
    for name in ("delegation-chain", "dpop", "authorization"):
        assert upstream.request.header(name) is None
    record = gateway.record(told.request_id, "request.allowed")
    assert [link["agent"] for link in record["delegation"]] == [name_of(key.pair) for key in keys[:3]]
    assert record["delegation"][0]["scope"] == "read:orders list:orders"
    assert record["issuer"] == ISSUER and record["agent"] == name_of(keys[3].pair)
    for token in chain.tokens:
        assert token not in str(record)
    # Whoever is in the middle may call with what it holds, and the last with no more.
    assert call(connection, gateway, chain, "/orders/43").code == "insufficient-scope"
    middle = Chain(chain.tokens[:3], chain.holders[:3], {})
    assert call(connection, gateway, middle, "/orders/43").status == 200
    assert call(connection, gateway, middle, "/orders/44").code == "insufficient-scope"


@pytest.mark.parametrize(
    "tools, target, status",
    [
        ({"read:orders": {}}, "/orders/42", 200),
        ({"read:orders": {}}, "/orders", 200),
        ({"read:orders": {"identifier": {"constraint_type": "wildcard"}}}, "/orders", 200),
        ({"read:orders": {"identifier": exact("*")}}, "/orders", 403),
        ({"read:orders": {"identifier": {"constraint_type": "not_one_of", "excluded": ["7"]}}}, "/orders", 403),
        ({"read:orders": {"identifier": {"constraint_type": "not_one_of", "excluded": ["7"]}}}, "/orders/42", 200),
        ({"read:orders": {"identifier": {"constraint_type": "not_one_of", "excluded": ["42"]}}}, "/orders/42", 403),
        ({"read:orders": {"identifier": {"constraint_type": "range", "max": 50}}}, "/orders/42", 403),
        ({"read:orders": {"identifier": exact("a b")}}, "/orders/a%20b", 200),
        ({"read:orders": {"number": exact("42")}}, "/orders/42", 403),
        ({"list:orders": {}}, "/orders/42", 403),
        ({"read:orders:42": {}}, "/orders/42", 403),
        ({}, "/orders/42", 403),
    ],
)
def test_capabilities_are_judged_by_the_scope_of_the_route(
    connection, gateway, upstream, roots, keys, tools, target, status
):
    chain = roots.root(keys[0], {**EVERY_ORDER, "read:orders:42": {}}).derive(keys[1], tools)
    told = call(connection, gateway, chain, target)
    assert told.status == status
    assert bool(upstream.requests) == (status == 200)


def test_keys_of_other_kinds(connection, gateway, upstream, roots, keys):
    other = Key("ES256")
    chain = roots.root(keys[0]).derive(other).derive(keys[1])
    assert call(connection, gateway, chain).status == 200


def test_a_token_that_is_bound_to_a_certificate_too(client, gateway, world, upstream, protocol, roots, keys):
    chain = roots.root(keys[0]).derive(keys[1], cnf={"jwk": keys[1].public, **cnf(world.agent)})
    assert call(client.open(protocol, world.agent), gateway, chain, "/bound/1").status == 200
    told = call(client.open(protocol, world.other), gateway, chain, "/bound/1")
    assert gateway.reason(told) == "possession.certificate-mismatch"


def test_a_sponsor_is_the_roots(connection, gateway, upstream, roots, keys):
    assert call(connection, gateway, roots.root(keys[0]).derive(keys[1]), "/sponsored/1").status == 200
    without = roots.root(keys[0], sponsor=ABSENT)
    assert call(connection, gateway, without.derive(keys[1]), "/sponsored/1").code == "policy"
    told = call(connection, gateway, without.derive(keys[1], sponsor="mallory@example.test"), "/sponsored/1")
    assert gateway.reason(told) == "token.claim-invalid.sponsor"


# What does not

WIDENED = {"read:orders": {}, "list:orders": {}, "write:orders": {}}

BROKEN = {
    "another tool": (lambda c, k: c.derive(k[2], WIDENED), "lineage.capability"),
    "a constraint dropped": (
        lambda c, k: c.derive(k[2], {"read:orders": {"identifier": exact("42")}}).derive(k[3], EVERY_ORDER),
        "lineage.capability",
    ),
    "a set widened": (
        lambda c, k: c.derive(k[2], {"read:orders": {"identifier": one_of("1")}}).derive(
            k[3], {"read:orders": {"identifier": one_of("1", "42")}}
        ),
        "lineage.capability",
    ),
    "made by another": (lambda c, k: c.derive(k[2], signer=k[5]), "lineage.signature"),
    "made by the holder before": (lambda c, k: c.derive(k[2], signer=k[0]), "lineage.signature"),
    "in the name of another": (lambda c, k: c.derive(k[2], iss=name_of(k[5].pair)), "lineage.missing-link"),
    "out of another token": (lambda c, k: c.derive(k[2], par_hash="A" * 43), "lineage.parent-hash"),
    "without a hash": (lambda c, k: c.derive(k[2], par_hash=ABSENT), "lineage.parent-hash"),
    "a step left out of the count": (lambda c, k: c.derive(k[2], del_depth=3), "lineage.depth"),
    "deeper than was allowed": (lambda c, k: c.derive(k[2], del_max_depth=6), "lineage.depth"),
    "after the last": (lambda c, k: c.derive(k[2], del_max_depth=2).derive(k[3]), "lineage.depth"),
    "longer than it was given for": (lambda c, k: c.derive(k[2], exp=c.claims["exp"] + 1), "lineage.outlives-parent"),
    "before it was given": (lambda c, k: c.derive(k[2], iat=c.claims["iat"] - 1), "lineage.order"),
    "under the name of its parent": (lambda c, k: c.derive(k[2], jti=c.claims["jti"]), "lineage.cycle"),
    "a constraint that nobody knows": (
        lambda c, k: c.derive(k[2], {"read:orders": {"identifier": {"constraint_type": "regex", "pattern": ".*"}}}),
        "lineage.form",
    ),
    "two lists": (
        lambda c, k: c.derive(k[2], authorization_details=details(EVERY_ORDER) * 2),
        "lineage.form",
    ),
    "no key of its holder": (lambda c, k: c.derive(k[2], cnf={"jkt": k[2].pair.thumbprint()}), "lineage.form"),
    "no identifier": (lambda c, k: c.derive(k[2], jti=ABSENT), "lineage.form"),
    "of another kind": (lambda c, k: c.derive(k[2], header={"typ": "JWT"}).derive(k[3]), "lineage.form"),
    "for somebody else": (lambda c, k: c.derive(k[2], aud="https://elsewhere.test"), "token.audience"),
    "no list": (lambda c, k: c.derive(k[2], authorization_details=[]), "token.claim-missing.authorization_details"),
    "of another task": (lambda c, k: c.derive(k[2], task_id="task-2"), "token.claim-invalid.task"),
    "with an actor": (lambda c, k: c.derive(k[2], act={"sub": "somebody"}), "lineage.form"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_chain_that_does_not_hold_is_refused(connection, gateway, upstream, roots, keys, name):
    make, reason = BROKEN[name]
    good = roots.root(keys[0]).derive(keys[1])
    told = call(connection, gateway, make(good, keys))
    assert (told.status, told.code) == (401, "invalid-token")
    assert gateway.reason(told) == reason
    assert not upstream.requests
    assert call(connection, gateway, good.derive(keys[2])).status == 200


ROOTS = {
    "another's key": (lambda k: RootIssuer().root(k[0]), "token.signature"),
    "another issuer": (lambda k: RootIssuer("https://elsewhere.test").root(k[0]), "token.issuer"),
}


@pytest.mark.parametrize("name", ROOTS)
def test_a_root_of_somebody_else_is_refused(connection, gateway, upstream, keys, name):
    make, reason = ROOTS[name]
    for chain in (make(keys), make(keys).derive(keys[1])):
        assert gateway.reason(call(connection, gateway, chain)) == reason


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"header": {"typ": ABSENT}}, "token.type"),
        ({"header": {"typ": "at+jwt"}}, "token.type"),
        ({"aud": ABSENT}, "token.claim-missing.aud"),
        ({"del_depth": 1}, "token.claim-invalid.del_depth"),
        ({"par_hash": "A" * 43}, "token.claim-invalid.par_hash"),
        ({"del_max_depth": 99}, "lineage.depth"),
        ({"exp": 1}, "token.lifetime"),
        ({"cnf": ABSENT}, "token.claim-missing.cnf"),
    ],
)
def test_a_root_that_is_none_is_refused(connection, gateway, upstream, roots, keys, changes, reason):
    root = roots.root(keys[0], **changes)
    assert gateway.reason(call(connection, gateway, root)) == reason


def test_links_left_out_turned_round_or_doubled(connection, gateway, upstream, roots, keys):
    chain = three_hops(roots, keys)
    root, first, second, _ = chain.tokens
    gaps = [(), (root,), (root, first), (first, second)]
    for tokens in (*gaps, (root, second, first), (root, first, first, second)):
        told = call(connection, gateway, chain, chain=", ".join(tokens))
        assert (told.status, gateway.reason(told)) == (401, "lineage.missing-link")
    assert call(connection, gateway, chain, chain=f"{root},{first} , {second}").status == 200


def test_a_token_does_not_move_to_another_grant_of_its_parent(connection, gateway, upstream, roots, keys):
    """What was made out of one token is worth nothing behind another of one holder (grant-context substitution)."""
    one, other = roots.root(keys[0], {"read:orders": {"identifier": exact("42")}}), roots.root(keys[0])
    made = one.derive(keys[1], {"read:orders": {"identifier": exact("42")}})
    told = call(connection, gateway, made, chain=other.leaf)
    assert gateway.reason(told) == "lineage.parent-hash"
    assert call(connection, gateway, made).status == 200


def test_only_the_holder_of_the_last_token_may_call(connection, gateway, upstream, roots, keys):
    chain = three_hops(roots, keys)
    for thief in (keys[0], keys[2], keys[5]):
        told = call(connection, gateway, chain, by=thief)
        assert gateway.reason(told) == "dpop.jkt"
    # Nor with the token of somebody before.
    stolen = Chain(chain.tokens[:2], chain.holders[:2], {})
    assert gateway.reason(call(connection, gateway, stolen, by=keys[3])) == "dpop.jkt"
    assert call(connection, gateway, chain).status == 200


def test_a_bearer_of_the_chain_cannot_call(connection, gateway, upstream, roots, keys):
    chain = three_hops(roots, keys)
    fields = [("Authorization", "Bearer " + chain.leaf), ("Delegation-Chain", chain.ancestors)]
    assert connection.call("GET", "/orders/42", fields=fields).status == 401


def test_a_route_says_how_long_a_chain_may_be(connection, gateway, upstream, roots, keys):
    chain = roots.root(keys[0]).derive(keys[1])
    assert call(connection, gateway, chain, "/short/42").status == 200
    told = call(connection, gateway, chain.derive(keys[2]), "/short/42")
    assert (told.status, told.code) == (403, "policy")
    assert gateway.reason(told) == "policy.delegation"


# The field


def test_one_field_and_not_two(connection, gateway, upstream, roots, keys):
    chain = three_hops(roots, keys)
    first, *rest = chain.tokens[:-1]
    for extra in (first, ", ".join(rest)):
        told = call(connection, gateway, chain, extra=[("Delegation-Chain", extra)])
        assert (told.status, told.code) == (400, "invalid-request")
    fields = [*chain.fields("GET", gateway.origin + "/orders/42", chain=""), ("Delegation-Chain", "")]
    told = connection.call("GET", "/orders/42", fields=fields)
    assert (told.status, told.code) == (400, "invalid-request")


def test_a_chain_beside_another_kind_of_token(connection, gateway, world, upstream, roots, keys):
    chain = three_hops(roots, keys)
    token = world.broker.token(world.agent)
    told = connection.call("GET", "/other/1", token, [("Delegation-Chain", chain.ancestors)])
    assert (told.status, told.code) == (400, "invalid-request")
    assert connection.call("GET", "/other/1", token).status == 200
    alone = connection.call("GET", "/other/1", fields=[("Delegation-Chain", chain.ancestors)])
    assert alone.code == "credentials-missing"


def test_sizes(connection, gateway, upstream, roots, keys):
    chain = roots.root(keys[0], note="x" * 3000)
    big = chain.derive(keys[1], note="x" * 4000)
    told = call(connection, gateway, big)
    assert (told.status, gateway.reason(told)) == (431, "limit.token-bytes")
    told = call(connection, gateway, big.derive(keys[2]))
    assert (told.status, gateway.reason(told)) == (431, "limit.token-bytes")
    told = call(connection, gateway, three_hops(roots, keys), chain="x," * 9000)
    assert (told.status, gateway.reason(told)) == (431, "limit.chain-bytes")
    long = roots.root(keys[0], del_max_depth=16)
    for index in range(16):
        long = long.derive(keys[index % 6])
    assert len(long.ancestors) < 16 << 10
    assert call(connection, gateway, long, "/bound/1").code == "policy"
    told = call(connection, gateway, long.derive(keys[0], del_depth=16), "/bound/1")
    assert gateway.reason(told) in ("lineage.depth", "limit.chain-bytes")


def test_a_chain_is_remembered_with_its_leaf_only(connection, gateway, upstream, roots, keys):
    chain = three_hops(roots, keys)
    other = three_hops(roots, keys)
    for _ in range(2):
        assert call(connection, gateway, chain).status == 200
        assert call(connection, gateway, chain, chain=other.ancestors).status == 401
        assert call(connection, gateway, chain, chain="").status == 401


# Without a gateway


def explained(gateway, tmp_path, world, chain: Chain) -> str:
    url = gateway.origin + "/orders/42"
    request = {
        "method": "GET",
        "url": url,
        "headers": [list(field) for field in chain.fields("GET", url)],
        "client_certificate": world.agent.chain_file.read_text(),
    }
    file = tmp_path / "request"
    file.write_text(json.dumps(request))
    return sallyport("explain", "--config", gateway.file, "--request", file).stdout


def test_explain_draws_the_chain(gateway, tmp_path, world, roots, keys):
    chain = three_hops(roots, keys)
    told = explained(gateway, tmp_path, world, chain)
    assert "read:orders list:orders" in told and "passed on 3 times" in told
    for key in keys[:4]:
        assert name_of(key.pair) in told


def test_explain_shows_where_a_chain_breaks(gateway, tmp_path, world, roots, keys):
    narrow = {"read:orders": {"identifier": exact("42")}}
    told = explained(gateway, tmp_path, world, three_hops(roots, keys, narrow, EVERY_ORDER, narrow))
    (broken,) = [line for line in told.splitlines() if "breaks here" in line]
    assert "lineage.capability" in broken and name_of(keys[2].pair) in broken
