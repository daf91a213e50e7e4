"""The shape of the answers that are the gateway's own."""

import re

import pytest

CASES = {
    "malformed-request": (400, lambda c, t: c.call("GET", "/orders/%zz", t)),
    "invalid-request": (400, lambda c, t: c.call("GET", "/orders/42?access_token=x", t)),
    "credentials-missing": (401, lambda c, t: c.call("GET", "/orders/42")),
    "invalid-token": (401, lambda c, t: c.call("GET", "/orders/42", "garbage")),
    "insufficient-scope": (403, lambda c, t: c.call("GET", "/orders/7", t)),
    "no-route": (404, lambda c, t: c.call("GET", "/nothing", t)),
    "misdirected": (421, lambda c, t: c.call("GET", "/orders/42", t, host="elsewhere.test")),
    "upstream-failed": (502, lambda c, t: c.call("GET", "/any/dies", t)),
}


@pytest.mark.parametrize("code", CASES)
def test_an_error_is_a_problem(connection, gateway, world, upstream, code):
    upstream.answer = lambda opened, request: opened.close()
    status, call = CASES[code]
    told = call(connection, world.broker.token(world.agent))
    assert told.status == status
    assert told.problem == {
        "type": f"urn:sallyport:{code}",
        "title": told.problem["title"],
        "status": status,
        "instance": told.request_id,
    }
    assert told.problem["title"]
    assert told.header("content-length") == str(len(told.body))
    assert re.fullmatch(r"[\x21-\x7e]{16,64}", told.request_id)
    assert bool(told.challenges) == (
        code in ("invalid-request", "credentials-missing", "invalid-token", "insufficient-scope")
    )
    assert "server" not in told.names or "/" not in told.header("server")


@pytest.mark.parametrize("code", [code for code in CASES if code != "upstream-failed"])
def test_every_refusal_is_on_record(connection, gateway, world, upstream, code):
    status, call = CASES[code]
    told = call(connection, world.broker.token(world.agent))
    record = gateway.record(told.request_id, "request.denied")
    assert record["reason"]
    assert told.status == status
    assert record["reason"] not in told.body.decode()


def test_a_refusal_of_head_has_no_body(connection, world):
    told = connection.call("HEAD", "/orders/7", world.broker.token(world.agent))
    assert (told.status, told.body) == (403, b"")
    assert told.request_id


def test_a_refusal_leaves_the_connection_open(connection, world, upstream):
    token = world.broker.token(world.agent)
    for _ in range(3):
        assert connection.call("GET", "/orders/42").status == 401
        assert connection.call("GET", "/orders/7", token).status == 403
        assert connection.call("POST", "/orders/42", token, body=b"hello").status == 404
        assert connection.call("GET", "/orders/42", token).status == 200
    assert len(upstream.requests) == 3


def test_route_and_credentials_are_judged_before_the_body(connection, world, upstream):
    told = connection.call("POST", "/any/a", "garbage", body=bytes(100_000))
    assert told.code == "invalid-token"
    assert not upstream.received
