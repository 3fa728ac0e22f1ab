"""Two at once, on real transactions: one wins, the other is told so, and what is left is as if only the first had come."""

import threading
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import connection

from backend.core.ids import typed
from backend.core.models import Event
from backend.trade.models import DocumentVersion, OrderAmendment, ProductionOrder, PurchaseOrder, Signature
from tests.amending import agree, order_act, proposal, propose
from tests.cast import Cast, confirmed_order, issued_order
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)

Answer = tuple[int, Json]


def at_once(*acts: Callable[[], Answer]) -> list[Answer]:
    """What each act is answered when all start together, in threads with connections of their own."""
    gate, answers = threading.Barrier(len(acts)), [None] * len(acts)

    def run(place: int, act: Callable[[], Answer]) -> None:
        try:
            gate.wait(10)
            answers[place] = act()  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert None not in answers
    return answers  # type: ignore[return-value]


def test_of_two_amendments_at_once_one_is_proposed(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    path = f"/api/v1/orders/{order['id']}/amendments"
    bodies = [proposal(phone, order, {"1": {"quantity": "7"}}) for phone in (clerk, sales)]
    answers = at_once(lambda: clerk.sign(path, bodies[0]), lambda: sales.sign(path, bodies[1]))
    assert sorted(status for status, _ in answers) == [201, 409]
    assert {answer["code"] for status, answer in answers if status == 409} <= {"amendment-open", "wrong-state"}
    assert OrderAmendment.objects.count() == Event.objects.filter(type="amendment.proposed").count() == 1
    assert Signature.objects.filter(action="amendment.propose").count() == 1
    assert DocumentVersion.objects.filter(subject_type="amendment").count() == 1


def test_an_agreement_and_a_withdrawal_at_once_leave_one_of_both(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    proposed = propose(sales, order, {"1": {"quantity": "7"}})
    path = f"/api/v1/amendments/{proposed['id']}"
    body = order_act(clerk, "amendment.agree", order, proposed["document"])
    answers = at_once(lambda: clerk.sign(f"{path}/agreement", body), lambda: sales.post(f"{path}/withdrawal", {}))
    assert sorted(status for status, _ in answers) == [201, 409]
    agreed = answers[0][0] == 201
    row = PurchaseOrder.objects.get()
    assert (row.state, row.version) == ("CONFIRMED", 2 if agreed else 1)
    assert OrderAmendment.objects.get().state == ("AGREED" if agreed else "WITHDRAWN")
    assert DocumentVersion.objects.filter(subject_type="order").count() == row.version


def test_two_agreements_at_once_amend_once(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    proposed = propose(sales, order, {"1": {"quantity": "7"}})
    bodies = [order_act(clerk, "amendment.agree", order, proposed["document"]) for _ in range(2)]
    path = f"/api/v1/amendments/{proposed['id']}/agreement"
    answers = at_once(lambda: clerk.sign(path, bodies[0]), lambda: clerk.sign(path, bodies[1]))
    assert sorted(status for status, _ in answers) == [201, 409]
    assert PurchaseOrder.objects.get().version == 2
    assert Event.objects.filter(type="order.amended").count() == 1


def test_a_cancellation_by_the_issuer_and_a_confirmation_at_once_leave_one_of_both(
    cast: Cast, clerk: Phone, sales: Phone
) -> None:
    path = f"/api/v1/orders/{typed('order', issued_order(cast).id)}"
    assert clerk.sign(f"{path}/signature", clerk.order_act(clerk.get(f"{path}/")[1]))[0] == 201
    body = sales.order_act(sales.get(f"{path}/")[1], "order.confirm")
    answers = at_once(
        lambda: sales.sign(f"{path}/confirmation", body),
        lambda: clerk.post(f"{path}/cancellation", {"reason": "no"}),
    )
    assert sorted(status for status, _ in answers) == [201, 409]
    expected = "CONFIRMED" if answers[0][0] == 201 else "CANCELLED"
    assert PurchaseOrder.objects.get().state == expected


def test_a_repeated_agreement_gets_the_first_answer(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    proposed = propose(sales, order, {"1": {"quantity": "7"}})
    body = order_act(clerk, "amendment.agree", order, proposed["document"])
    path = f"/api/v1/amendments/{proposed['id']}/agreement"
    answers = at_once(lambda: clerk.sign(path, body), lambda: clerk.sign(path, body))
    assert answers[0] == answers[1]
    assert answers[0][0] == 201
    assert agree(clerk, proposed)[0] == 409


def test_of_two_reports_of_a_lot_at_once_one_counts(cast: Cast, clerk: Phone, sales: Phone) -> None:
    order = confirmed_order(cast, clerk, sales)
    lot = {"order": order["id"], "order_line": "1", "production_no": "MO-1", "lot": "L", "planned_quantity": "5"}
    plans = at_once(*(lambda: sales.post("/api/v1/productions/", lot) for _ in range(2)))
    assert sorted(status for status, _ in plans) == [201, 409]
    made = next(answer for status, answer in plans if status == 201)
    starts = at_once(
        *(
            lambda: sales.post(
                f"/api/v1/productions/{made['id']}/start", {"started_at": made["document"]["planned_at"]}
            )
            for _ in range(2)
        )
    )
    assert sorted(status for status, _ in starts) == [201, 409]
    row = ProductionOrder.objects.get()
    assert (row.state, row.version) == ("STARTED", 2)
    assert DocumentVersion.objects.filter(subject_type="production").count() == 2
