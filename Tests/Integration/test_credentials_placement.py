"""Where a token may stand in a request: in one Authorization field, with one space, and nowhere else."""

import pytest


def bearer(token: str, between: str = "Bearer ") -> tuple[str, str]:
    return ("Authorization", between + token)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_schemes_case_does_not_matter(connection, world, upstream, scheme):
    token = world.broker.token(world.agent)
    assert connection.call("GET", "/orders/42", fields=[bearer(token, f"{scheme} ")]).status == 200


def test_no_credentials(connection, upstream):
    told = connection.call("GET", "/orders/42")
    assert (told.status, told.code) == (401, "credentials-missing")
    assert any(challenge.startswith("Bearer") for challenge in told.challenges)
    assert not any("error" in challenge for challenge in told.challenges)
    assert not upstream.requests


@pytest.mark.parametrize(
    "value", ["Basic dXNlcjpwYXNz", "Negotiate abc", "Bearer", "Bearer ", "", "B e a r e r", "DPoP {token}"]
)
def test_other_schemes_and_no_token_are_refused(connection, world, upstream, value):
    token = world.broker.token(world.agent)
    told = connection.attempt("GET", "/orders/42", fields=[("Authorization", value.format(token=token))])
    assert told is None or told.code == "malformed-request" or (told.status in (400, 401) and told.challenges)
    assert not upstream.requests


@pytest.mark.parametrize(
    "between",
    ["Bearer\t", "Bearer  ", "Bearer \t", "Bearer\v", "Bearer\xa0", "Bearer,", "Bearer=", "Bearer:", "BearerX "],
)
def test_exactly_one_space_stands_between(connection, world, upstream, between):
    told = connection.attempt("GET", "/orders/42", fields=[bearer(world.broker.token(world.agent), between)])
    assert told is None or told.status in (400, 401)
    assert not upstream.requests


@pytest.mark.parametrize("after", [" x", ",x", ", Bearer x", ";a=b", "\tx", " Bearer {token}"])
def test_nothing_stands_behind(connection, world, upstream, after):
    token = world.broker.token(world.agent)
    told = connection.attempt("GET", "/orders/42", fields=[bearer(token + after.format(token=token))])
    assert told is None or told.status in (400, 401)
    assert not upstream.requests


TWO_PLACES = {
    "two fields": lambda t: ("/orders/42", [bearer(t), bearer(t)]),
    "two fields, one of them of another scheme": lambda t: ("/orders/42", [bearer(t), ("Authorization", "DPoP x")]),
    "two fields, one of them empty": lambda t: ("/orders/42", [bearer(t), ("Authorization", "")]),
    "two fields in different case": lambda t: ("/orders/42", [bearer(t), ("AUTHORIZATION", f"Bearer {t}")]),
    "the query alone": lambda t: (f"/orders/42?access_token={t}", []),
    "the query too": lambda t: (f"/orders/42?access_token={t}", [bearer(t)]),
    "the query, empty": lambda t: ("/orders/42?access_token=", [bearer(t)]),
    "the query, behind others": lambda t: (f"/orders/42?a=1&b=2&access_token={t}&c=3", [bearer(t)]),
    "the query, percent-encoded": lambda t: (f"/orders/42?access%5Ftoken={t}", [bearer(t)]),
    "the query, without a value": lambda t: ("/orders/42?access_token", [bearer(t)]),
    "two DPoP fields": lambda t: ("/orders/42", [bearer(t), ("DPoP", "a.b.c"), ("DPoP", "a.b.c")]),
}


@pytest.mark.parametrize("case", TWO_PLACES)
def test_two_places_or_the_query(connection, world, upstream, case):
    target, fields = TWO_PLACES[case](world.broker.token(world.agent))
    told = connection.call("GET", target, fields=fields)
    assert (told.status, told.code) == (400, "invalid-request")
    assert any('error="invalid_request"' in challenge for challenge in told.challenges)
    assert not upstream.requests


@pytest.mark.parametrize("query", ["my_access_token=1", "access_tokens=1", "a=access_token", "Access-Token=1"])
def test_other_names_in_the_query_are_let_through(connection, world, upstream, query):
    assert connection.call("GET", f"/orders/42?{query}", world.broker.token(world.agent)).status == 200
    assert upstream.request.target == f"/orders/42?{query}"


def test_a_cookie_or_a_body_is_no_place(connection, world, upstream):
    token = world.broker.token(world.agent)
    fields = [("Cookie", f"access_token={token}"), ("X-Access-Token", token)]
    assert connection.call("GET", "/orders/42", fields=fields).code == "credentials-missing"
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    assert (
        connection.call("POST", "/any/x", fields=form, body=f"access_token={token}".encode()).code
        == "credentials-missing"
    )
    assert not upstream.requests


def test_a_challenge_repeats_nothing_of_the_token(connection, world):
    """RFC 6750 §3: what was sent is not written back, so nothing can be put into a field by it."""
    told = connection.call("GET", "/orders/42", world.broker.token(world.agent, scope='x" error="y', jti="jti-of-mine"))
    assert told.status in (401, 403)
    assert not any("jti-of-mine" in challenge or 'error="y' in challenge for challenge in told.challenges)
