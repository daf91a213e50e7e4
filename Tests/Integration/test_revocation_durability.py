"""A gateway that is killed at any moment has lost nothing that it has answered."""

import http.client
import random
import threading
import time

import pytest

from admin import Admin
from clients import Client
from credentials import ISSUER
from gateway import Gateway
from revoking import administered, instance, operating

ROUNDS, OF_A_ROUND, OPERATORS = 20, 50, 4
SEED = 20261121


class Diary:
    """What the gateway has answered; kept outside of it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.revoked: dict[str, str] = {}  # id → value
        self.gone: dict[str, str] = {}
        self.asked = set()  # values that were asked for, whether answered or not
        self.unsure = set()  # ids whose end was asked for and not answered

    def write(self, gateway: Gateway, name: str, chance: random.Random, enough: threading.Event, count: int) -> None:
        """Revokes, and now and then takes something back, until the gateway is gone."""
        operator = Admin(gateway)
        try:
            for number in range(1_000_000):
                value = f"{name}-{number}"
                with self.lock:
                    self.asked.add(value)
                entry = operator.revoke("token", value, issuer=ISSUER)["id"]
                with self.lock:
                    self.revoked[entry] = value
                if chance.random() < 0.1:
                    with self.lock:
                        self.unsure.add(entry)
                    operator.unrevoke(entry)
                    with self.lock:
                        self.unsure.discard(entry)
                        self.gone[entry] = self.revoked.pop(entry)
                if len(self.revoked) + len(self.gone) >= count:
                    enough.set()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            operator.close()


@pytest.fixture(scope="module")
def gateway(world, the_upstream, launch):
    return launch(administered(world, the_upstream.url))


def test_nothing_that_was_answered_is_lost_when_the_gateway_is_killed(gateway, world, upstream):
    """A thousand revocations by four operators, and twenty kills in the midst of them."""
    diary, chance = Diary(), random.Random(SEED)
    client_agent = instance(world)
    for round_number in range(ROUNDS):
        enough, count = threading.Event(), (round_number + 1) * OF_A_ROUND
        operators = [
            threading.Thread(
                target=diary.write,
                args=(gateway, f"{round_number}-{name}", random.Random(chance.random()), enough, count),
            )
            for name in range(OPERATORS)
        ]
        for operator in operators:
            operator.start()
        gateway.wait(enough.is_set, f"{count} revocations")
        time.sleep(chance.random() * 0.01)
        gateway.process.kill()
        gateway.process.wait()
        for operator in operators:
            operator.join()
        gateway.start()
        with operating(gateway) as operator:
            kept = {entry["id"]: entry["value"] for entry in operator.revocations()}
        lost = {entry: value for entry, value in diary.revoked.items() if kept.get(entry) != value}
        assert not set(lost) - diary.unsure, f"lost after kill {round_number + 1}"
        assert not diary.gone.keys() & kept.keys(), f"back after kill {round_number + 1}"
        assert set(kept.values()) <= diary.asked
        # Whatever was cut off in the middle is either way from now on.
        for entry in diary.unsure & diary.revoked.keys() - kept.keys():
            diary.gone[entry] = diary.revoked.pop(entry)
        diary.unsure.clear()
        last, gone = list(diary.revoked.values())[-1], list(diary.gone.values())[-1:]
        assert judged(gateway, world, client_agent, last) == 401
        for value in gone:
            assert judged(gateway, world, client_agent, value) == 200
    assert len(diary.revoked) + len(diary.gone) >= ROUNDS * OF_A_ROUND
    assert len(diary.gone) > 10


def judged(gateway, world, agent, jti: str) -> int:
    client = Client(gateway.port, world.servers.file)
    try:
        return client.http1(agent).call("GET", "/any/a", world.broker.token(agent, jti=jti)).status
    finally:
        client.close()
