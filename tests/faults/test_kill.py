"""The worker, and the broker under it, are killed with -9 again and again while a thousand events wait and more are recorded."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from backend.core.launch.environment import ROOT
from tests.stack import Product, made

WAITING, MEANWHILE = 1000, 200
KILLS = 4


@pytest.fixture
def product() -> Iterator[Product]:
    """Tables, ledger and broker; no worker yet."""
    with made() as product:
        yield product


def recorder(product: Product) -> subprocess.Popen[bytes]:
    """Somebody who goes on recording, whatever dies."""
    command = [sys.executable, "-m", "tests.faults.record", str(MEANWHILE), "0.05"]
    return subprocess.Popen(command, cwd=ROOT, env=product.environ)


def state(product: Product) -> dict[str, dict[str, int] | int]:
    return json.loads(product.python("-m", "tests.faults.state"))


def drained(product: Product, within: int = 60) -> None:
    assert product.python("-m", "tests.faults.waiting", str(within)).strip() == "0"


@pytest.mark.parametrize("broker_too", [False, True], ids=["the worker", "worker and broker"])
def test_whoever_is_killed_whenever_each_event_is_in_the_ledger_once(product: Product, broker_too: bool) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown when it fails
    chance = random.Random(seed)
    seeded = json.loads(product.python("-c", COUNT))
    product.python("-m", "tests.faults.record", str(WAITING))
    meanwhile = recorder(product)
    for _ in range(KILLS):
        product.start_worker()
        # A thousand are in the ledger about 0.2 s after the worker is ready: kills come before, during and after that.
        time.sleep(chance.uniform(0, 0.35))
        victims = ["worker", "valkey"] if broker_too else ["worker"]
        for victim in chance.sample(victims, len(victims)):
            product.kill(victim)
        if broker_too:
            product.start_broker()
    product.start_worker()
    assert meanwhile.wait(120) == 0, "who records is never refused"
    drained(product)
    found = state(product)
    assert found["events"] == seeded + WAITING + MEANWHILE, f"seed {seed}"
    assert product.manage("ledger", "audit").strip().endswith("ok: the database is what the ledger vouches for")


COUNT = """
import django
django.setup()
from backend.core.models import Event
print(Event.objects.count())
"""
