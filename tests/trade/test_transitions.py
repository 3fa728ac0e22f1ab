"""The declared state machines are what the services do: each act from each state that is not its own is refused, and changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from backend.core.ids import from_typeid, typed
from backend.core.models import Event
from backend.trade import models
from backend.trade.models import ORDER_TRANSITIONS, OrderState, PurchaseOrder
from tests.amending import agree, cancellation, proposal, propose
from tests.cast import Cast, confirmed_order, despatched, issued_order
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db

TABLES = {name: table for name, table in vars(models).items() if name.endswith("_TRANSITIONS")}
Act = Callable[[Phone, Phone, str], tuple[int, Json]]


def test_every_table_speaks_of_states_that_there_are_and_of_all_of_them() -> None:
    assert {"ORDER_TRANSITIONS", "AMENDMENT_TRANSITIONS", "DESPATCH_TRANSITIONS"} <= set(TABLES)
    kinds = {
        "ORDER_TRANSITIONS": models.OrderState,
        "AMENDMENT_TRANSITIONS": models.AmendmentState,
        "PRODUCTION_TRANSITIONS": models.ProductionState,
        "DESPATCH_TRANSITIONS": models.DespatchState,
    }
    for name, states in kinds.items():
        spoken = {state for moves in TABLES[name].values() for pair in moves.items() for state in pair}
        assert spoken == set(states.values), name


def _sign(buyer: Phone, seller: Phone, path: str) -> tuple[int, Json]:
    return buyer.sign(f"{path}/signature", buyer.order_act(buyer.get(f"{path}/")[1]))


def _confirm(buyer: Phone, seller: Phone, path: str) -> tuple[int, Json]:
    return seller.sign(f"{path}/confirmation", seller.order_act(seller.get(f"{path}/")[1], "order.confirm"))


def _despatch(buyer: Phone, seller: Phone, path: str) -> tuple[int, Json]:
    line = {"order_line": "1", "quantity": "1"}
    return seller.post(
        "/api/v1/despatches/", {"order": path.rpartition("/")[2], "despatch_no": "DN-9", "lines": [line]}
    )


def _amend(buyer: Phone, seller: Phone, path: str) -> tuple[int, Json]:
    body = proposal(seller, seller.get(f"{path}/")[1], {"1": {"quantity": "7"}})
    return seller.sign(f"{path}/amendments", body)


ACTS: dict[str, Act] = {
    "sign": _sign,
    "confirm": _confirm,
    "reject": lambda buyer, _seller, path: buyer.post(f"{path}/rejection", {"reason": "no"}),
    "refuse": lambda _buyer, seller, path: seller.post(f"{path}/rejection", {"reason": "no"}),
    "withdraw": lambda buyer, _seller, path: buyer.post(f"{path}/cancellation", {"reason": "no"}),
    "despatch": _despatch,
    "amend": _amend,
}


@pytest.mark.parametrize("state", OrderState.values)
@pytest.mark.parametrize("act", ACTS)
def test_an_order_moves_only_as_its_table_says(cast: Cast, clerk: Phone, sales: Phone, act: str, state: str) -> None:
    path = f"/api/v1/orders/{typed('order', issued_order(cast).id)}"
    PurchaseOrder.objects.update(state=state)
    events = Event.objects.count()
    status, answer = ACTS[act](clerk, sales, path)
    following = ORDER_TRANSITIONS[act].get(state)
    if following is None:
        assert (status, answer["code"], answer["state"]) == (409, "wrong-state", state)
        assert (PurchaseOrder.objects.get().state, Event.objects.count()) == (state, events)
    else:
        assert status == 201, answer
        assert (PurchaseOrder.objects.get().state, Event.objects.count()) == (following, events + 1)


@pytest.mark.parametrize("state", sorted(set(OrderState.values) - set(ORDER_TRANSITIONS["receive_part"])))
def test_goods_are_received_only_where_the_table_says(cast: Cast, clerk: Phone, sales: Phone, state: str) -> None:
    order = confirmed_order(cast, clerk, sales)
    sent = despatched(cast, order, sales, lines=[{"order_line": "1", "quantity": "1"}])
    shown = clerk.get(f"/api/v1/despatches/{sent['id']}/")[1]
    PurchaseOrder.objects.update(state=state)
    events = Event.objects.count()
    status, answer = clerk.sign("/api/v1/receipts/", clerk.receipt_act(shown))
    assert (status, answer["code"]) == (409, "wrong-state")
    assert (PurchaseOrder.objects.get().state, Event.objects.count()) == (state, events)


@pytest.mark.parametrize("state", sorted(set(OrderState.values) - {"AMENDING"}))
def test_an_amendment_of_an_order_that_is_not_being_amended_moves_nothing(
    cast: Cast, clerk: Phone, sales: Phone, state: str
) -> None:
    proposed = propose(sales, confirmed_order(cast, clerk, sales), {"1": {"quantity": "7"}})
    PurchaseOrder.objects.update(state=state)
    events = Event.objects.count()
    path = f"/api/v1/amendments/{proposed['id']}"
    attempts: list[tuple[int, Json]] = [
        agree(clerk, proposed),
        clerk.post(f"{path}/refusal", {"reason": "no"}),
        sales.post(f"{path}/withdrawal", {}),
    ]
    assert [(status, answer["code"]) for status, answer in attempts] == [(409, "wrong-state")] * 3
    assert models.OrderAmendment.objects.get().state == "PROPOSED"
    assert (PurchaseOrder.objects.get().version, Event.objects.count()) == (1, events)


def test_a_cancellation_ends_only_an_order_that_is_being_amended(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    _, proposed = sales.sign(f"/api/v1/orders/{order['id']}/amendments", cancellation(sales, order))
    PurchaseOrder.objects.update(state="DELIVERED")
    status, answer = agree(clerk, proposed)
    assert (status, answer["code"]) == (409, "wrong-state")
    found: Any = PurchaseOrder.objects.get(id=from_typeid("ord", order["id"]))
    assert (found.state, found.cancellation_reason) == ("DELIVERED", "")
