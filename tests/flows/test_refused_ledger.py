from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.story import Story
from tests.stack import Product, wait_until


@pytest.fixture
def lose_key(stack: Product) -> Iterator[Callable[[], Path]]:
    """Takes the supply chain's signing key away; afterwards it is back."""
    key = stack.folder.keys / "ledger-supply"
    away = stack.folder.path / "ledger-supply"

    def lose() -> Path:
        return key.rename(away)

    yield lose
    if away.exists():
        away.rename(key)


def health(product: Product) -> tuple[int, str]:
    with product.client() as client:
        answer = client.get("/healthz")
    return answer.status_code, answer.json()["ledger-supply"]


def test_a_lost_key_is_named_while_nothing_waits_people_sign_on_and_its_return_mends_all(
    stack: Product, story: Story, lose_key: Callable[[], Path]
) -> None:
    order = story.issued()
    path = f"/api/v1/events/{order['anchor']['event']}/"
    wait_until(lambda: story.seller.get(path)[1]["anchor"]["state"] == "anchored", "nothing waits")
    assert health(stack) == (200, "ok")

    away = lose_key()

    wait_until(lambda: health(stack) == (503, "key-missing"), "the worker looks by itself")
    signed = story.signed(order)["signatures"][0]["anchor"]
    assert signed["state"] == "waiting"
    with stack.client() as client:
        assert 'yirong_ledger_refused{chain="supply"} 1.0' in client.get("/metrics").text

    away.rename(stack.folder.keys / "ledger-supply")

    path = f"/api/v1/events/{signed['event']}/"
    wait_until(lambda: story.seller.get(path)[1]["anchor"]["state"] == "anchored", "it goes on by itself")
    wait_until(lambda: health(stack) == (200, "ok"), "it is forgotten")
    said = (stack.folder.logs / "worker.log").read_text()
    assert said.count("ledger refused") == 1
