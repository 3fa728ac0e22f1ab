import time

import pytest

from tests.flows.story import Story
from tests.stack import Product, wait_until

ORDERS = 12


def all_caught_up(product: Product) -> bool:
    with product.client() as client:
        lines = client.get("/metrics").text.splitlines()
    waiting = ("yirong_events_waiting", "yirong_ledger_waiting", "yirong_subscriber_lag")
    return all(line.endswith(" 0.0") for line in lines if line.startswith(waiting))


@pytest.fixture
def without_broker(stack: Product, story: Story):
    """The product while its broker is gone; afterwards there is one again."""
    assert story.issued()
    # A worker that was woken before goes on without a broker while more comes in: it is to be idle.
    wait_until(lambda: all_caught_up(stack), "nothing waits")
    time.sleep(0.5)
    stack.kill("valkey")
    yield stack
    if "valkey" not in stack.running:
        stack.start_broker()


def test_commits_wait_for_no_broker_and_beat_alone_anchors_what_was_committed_without_one(
    without_broker: Product, story: Story
) -> None:
    stack, took, events = without_broker, [], []
    for _ in range(ORDERS):
        before = time.monotonic()
        order = story.issued()
        took.append(time.monotonic() - before)
        events.append(order["anchor"]["event"])
    # Three requests each; a client that tries again would add seconds to every one, a busy machine to some.
    assert sorted(took)[ORDERS // 2] < 0.5, took
    with stack.client() as client:
        answer = client.get("/healthz")
    assert answer.status_code == 503 and answer.json() == {"database": "ok", "valkey": "ConnectionError"} | {
        "ledger-supply": "ok",
        "ledger-asset": "ok",
    }
    assert [story.seller.get(f"/api/v1/events/{one}/")[1]["anchor"]["state"] for one in events] == ["waiting"] * ORDERS

    # From here on nobody commits anything that could wake the worker.
    stack.start_broker()
    for event in events:
        anchor = wait_until(
            lambda event=event: (
                (one := story.seller.get(f"/api/v1/events/{event}/")[1]["anchor"])["state"] == "anchored" and one
            ),
            "beat has the worker anchor it",
            60,
        )
        assert anchor["index"] is not None
    with stack.client() as client:
        assert client.get("/healthz").status_code == 200
