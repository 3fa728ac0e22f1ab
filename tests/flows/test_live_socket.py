import json
import time

import pytest
from websockets.exceptions import ConnectionClosed

from tests.flows.story import Story
from tests.stack import Product

IDLE_SECONDS = 62


def test_an_idle_dashboard_still_receives_after_a_minute(stack: Product, story: Story) -> None:
    delivery = story.delivery()
    risk, office = stack.console("wen-ning"), stack.console("he-chuan")
    with stack.live(console=risk) as dashboard, stack.live(console=office) as buyers:
        time.sleep(IDLE_SECONDS)
        receipt = story.received(delivery, at="su-qing")
        assert receipt["location"]["within"] is False
        dashboard.wait_for("alert.changed")
        buyers.wait_for("receipt.changed", receipt=receipt["id"])
        assert not any(message.get("kind") == "receipt.changed" for message in dashboard.heard), "no party to the trade"


def test_the_socket_of_a_session_that_ended_is_closed(stack: Product) -> None:
    phone = stack.phone("chen-li", located=False)
    with stack.live(token=phone.token) as live:
        assert phone.send("DELETE", "/api/v1/session/", None, phone.headers())[0] == 204
        with pytest.raises(ConnectionClosed) as closed:
            for _ in range(100):  # what was on its way before may still come
                live.ws.recv(5)
        assert closed.value.rcvd and closed.value.rcvd.code == 4401


def test_a_socket_tells_nothing_before_it_knows_who_listens(stack: Product) -> None:
    with pytest.raises(ConnectionClosed) as closed, stack.live(token="not-a-token"):
        pass
    assert closed.value.rcvd and closed.value.rcvd.code == 4401


def test_a_ping_is_answered(stack: Product, story: Story) -> None:
    with stack.live(token=story.seller.token) as live:
        live.ws.send(json.dumps({"type": "ping"}))
        answers = [json.loads(live.ws.recv(5))]
        while answers[-1].get("type") != "pong":
            answers.append(json.loads(live.ws.recv(5)))
