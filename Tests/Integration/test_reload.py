"""HUP: what is new is taken over without dropping a connection, and what is broken leaves the old one serving."""

import copy
import json
import signal
import threading

import pytest

from credentials import TRUST_DOMAIN, Authority, Broker
from ports import free_port
from upstreams import Upstream
from world import World, route


@pytest.fixture
def gateway(world, upstream, launch):
    """A gateway of each test's own."""
    return launch(world.configuration(upstream.url))


def changed(gateway) -> dict:
    return copy.deepcopy(gateway.configuration)


def test_a_new_route_is_served(gateway, client, protocol, world, upstream):
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/new/a", token).code == "no-route"
    configuration = changed(gateway)
    configuration["routes"].append(route("new", "/new/{x}"))
    gateway.reload(configuration)
    gateway.wait(lambda: connection.call("GET", "/new/a", token).status == 200, "the new route on the old connection")


def test_a_removed_route_is_served_no_more(gateway, client, protocol, world, upstream):
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    configuration = changed(gateway)
    configuration["routes"].pop()
    gateway.reload(configuration)
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 404, "the route to go")


def test_new_keys_replace_the_old(gateway, client, protocol, world, upstream):
    """A token that was verified, and cached, under the old keys is refused under the new."""
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    successor = Broker()
    configuration = changed(gateway)
    configuration["issuers"][0]["jwks_file"] = str(world.write("successor.jwks.json", successor.jwks()))
    gateway.reload(configuration)
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 401, "the old keys to go")
    assert connection.call("GET", "/any/a", successor.token(world.agent)).status == 200


def test_the_same_file_with_new_content_is_read_again(gateway, client, world, upstream, tmp_path):
    keys = tmp_path / "broker.jwks.json"
    keys.write_text(world.broker.jwks())
    configuration = changed(gateway)
    configuration["issuers"][0]["jwks_file"] = str(keys)
    gateway.reload(configuration)
    successor = Broker()
    keys.write_text(successor.jwks())
    gateway.reload()
    connection = client.http1(world.agent)
    gateway.wait(
        lambda: connection.call("GET", "/any/a", successor.token(world.agent)).status == 200, "the new content"
    )
    assert connection.call("GET", "/any/a", world.broker.token(world.agent)).status == 401


def test_a_new_bundle_is_trusted_and_the_old_one_is_not(gateway, client, world, upstream, tmp_path):
    successor = Authority(tmp_path, "successor")
    newcomer = successor.agent()
    assert "ALERT" in client.refusal(newcomer)
    configuration = changed(gateway)
    configuration["listeners"][0]["clients"]["trust_domains"][0]["bundle_file"] = str(successor.file)
    gateway.reload(configuration)
    gateway.wait(lambda: client.refusal(newcomer) is None, "the new bundle")
    gateway.wait(lambda: client.refusal(world.agent) is not None, "the old bundle to go")


def test_a_new_certificate_is_shown(gateway, client, world, upstream):
    successor = world.servers.server("localhost")
    configuration = changed(gateway)
    configuration["listeners"][0]["tls"]["certificates"] = [
        {"certificate_file": str(successor.chain_file), "private_key_file": str(successor.key_file)}
    ]
    old = client.http1(world.agent)
    gateway.reload(configuration)
    gateway.wait(lambda: client.tls(world.agent).getpeercert(binary_form=True) == successor.der, "the new certificate")
    assert old.call("GET", "/any/a", world.broker.token(world.agent)).status == 200


def test_a_new_upstream_is_called(gateway, client, protocol, world, upstream):
    second = Upstream()
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    configuration = changed(gateway)
    configuration["upstreams"][0]["targets"] = [second.url]
    gateway.reload(configuration)
    gateway.wait(lambda: connection.call("GET", "/any/a", token).status == 200 and second.requests, "the new upstream")
    second.close()


BROKEN = {
    "not YAML": lambda c: "listeners: [",
    "an unknown key": lambda c: {**c, "colour": "blue"},
    "a missing file": lambda c: {**c, "issuers": [{**c["issuers"][0], "jwks_file": "nowhere.json"}]},
    "an unknown upstream": lambda c: {**c, "routes": [{**c["routes"][0], "upstream": "nowhere"}]},
    "an empty file": lambda c: "",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_leaves_the_old_one_serving_and_says_so(gateway, client, world, upstream, case):
    connection, token = client.http1(world.agent), world.broker.token(world.agent)
    assert connection.call("GET", "/any/a", token).status == 200
    before, loaded = len(gateway.said), gateway.loads()
    good, broken = changed(gateway), BROKEN[case](changed(gateway))
    if isinstance(broken, str):
        gateway.file.write_text(broken)
    else:
        gateway.write(broken)
    gateway.signal(signal.SIGHUP)
    gateway.wait(lambda: "sallyport.yaml" in gateway.said[before:], "word of the broken file")
    assert connection.call("GET", "/any/a", token).status == 200
    assert client.http1(world.agent).call("GET", "/any/a", token).status == 200
    assert len(gateway.events("config.loaded")) == loaded
    assert gateway.observe("/readyz") == 200
    gateway.reload(good)
    assert connection.call("GET", "/any/a", token).status == 200


NEEDS_A_RESTART = {
    "a listener's address": lambda c: c["listeners"][0].update(address=f"127.0.0.1:{free_port()}"),
    "another listener": lambda c: c["listeners"].append(
        {**c["listeners"][0], "name": "second", "address": f"127.0.0.1:{free_port()}"}
    ),
    "the log's directory": lambda c: c["audit"].update(directory="elsewhere"),
    "the number of workers": lambda c: c.update(workers=3),
    "the observability address": lambda c: c["observability"].update(address=f"127.0.0.1:{free_port()}"),
}


@pytest.mark.parametrize("case", NEEDS_A_RESTART)
def test_what_needs_a_restart_is_not_half_taken_over(gateway, client, world, upstream, case):
    """The whole reload is refused, its other changes too, and the reason is told."""
    good, configuration = changed(gateway), changed(gateway)
    NEEDS_A_RESTART[case](configuration)
    configuration["routes"] = configuration["routes"][:1]
    before = len(gateway.said)
    gateway.file.write_text(json.dumps(configuration))
    gateway.signal(signal.SIGHUP)
    gateway.wait(lambda: "restart" in gateway.said[before:], "word of the refusal")
    assert client.http1(world.agent).call("GET", "/any/a", world.broker.token(world.agent)).status == 200
    gateway.reload(good)


def test_no_call_is_dropped_while_it_is_reloaded(gateway, client, protocol, world: World, upstream):
    """A connection stays busy through twenty reloads, each with another set of routes."""
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    done, statuses, faults = threading.Event(), [], []

    def call_on():
        try:
            while not done.is_set():
                statuses.append(connection.call("POST", "/any/a", token, body=b"hello").status)
        except Exception as fault:
            faults.append(fault)

    caller = threading.Thread(target=call_on)
    caller.start()
    try:
        for number in range(20):
            configuration = changed(gateway)
            configuration["routes"] = [route(f"extra-{number}", f"/extra/{number}"), *configuration["routes"][-2:]]
            gateway.reload(configuration)
    finally:
        done.set()
        caller.join()
    assert not faults
    assert set(statuses) == {200}
    assert len(statuses) > 20


def test_a_call_in_flight_is_finished_as_it_was_judged(gateway, client, protocol, world, upstream):
    proceed = []

    def answer(opened, request):
        upstream.wait(lambda: proceed, "the reload")
        opened.answer(200, b"finished")

    upstream.answer = answer
    connection, token = client.open(protocol, world.agent), world.broker.token(world.agent)
    if protocol == "h2":
        stream = connection.start("GET", "/any/a", token)
    else:
        connection.send(connection.head("GET", "/any/a", token))
    upstream.wait(lambda: upstream.requests, "the call")
    configuration = changed(gateway)
    configuration["routes"].pop()
    gateway.reload(configuration)
    with upstream.changed:
        proceed.append(True)
        upstream.changed.notify_all()
    told = connection.response(stream) if protocol == "h2" else connection.reader.response()
    assert (told.status, told.body) == (200, b"finished")


def test_a_reload_is_on_record(gateway, world, tmp_path):
    second = Authority(tmp_path, "second")
    configuration = changed(gateway)
    configuration["listeners"][0]["clients"]["trust_domains"].append(
        {"name": f"second.{TRUST_DOMAIN}", "bundle_file": str(second.file)}
    )
    gateway.reload(configuration)
    assert len(gateway.events("config.loaded")) >= 1
