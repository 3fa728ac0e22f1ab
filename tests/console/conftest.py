from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from backend.parties.models import Member
from tests.cast import AT_GATE, TWELVE_KM_AWAY, Cast, confirmed_order, despatched, make_cast, phone_of

SignedIn = Callable[..., Client]


@pytest.fixture
def cast(ledger) -> Cast:
    return make_cast()


@pytest.fixture
def console() -> SignedIn:
    """A browser signed in to the console as a member, Chinese unless asked otherwise."""

    def open_as(member: Member, language: str = "zh-hans") -> Client:
        client = Client(headers={"Accept": "text/html", "Accept-Language": language})
        client.force_login(member.person)
        return client

    return open_as


@pytest.fixture
def delivery(cast: Cast, drain: Callable[[], None]) -> dict[str, Any]:
    """An order signed, confirmed, despatched and received at the gate, with 20 rejected; everything anchored."""
    clerk, sales = phone_of(cast.clerk), phone_of(cast.sales)
    order = confirmed_order(cast, clerk, sales)
    despatch = despatched(cast, order, sales)
    counts = [{"accepted_quantity": "1180.000", "rejected_quantity": "20.000", "reject_reason": "DAMAGED"}, {}]
    status, receipt = clerk.sign("/api/v1/receipts/", clerk.receipt_act(despatch, counts, clerk.capture(AT_GATE)))
    assert status == 201, receipt
    drain()
    return {"order": order["id"], "despatch": despatch["id"], "receipt": receipt["id"]}


@pytest.fixture
def borrowed(cast: Cast, drain: Callable[[], None]) -> dict[str, Any]:
    """The buyer's clerk signs for a delivery on the seller's phone, 12 km away: P1 (one device) and P2 (place)."""
    clerk, sales = phone_of(cast.clerk), phone_of(cast.sales)
    order = confirmed_order(cast, clerk, sales)
    despatch = despatched(cast, order, sales)
    borrowing = phone_of(cast.clerk, sales)
    act = borrowing.receipt_act(despatch, capture=borrowing.capture(TWELVE_KM_AWAY))
    status, receipt = borrowing.sign("/api/v1/receipts/", act)
    assert status == 201, receipt
    drain()
    return {"order": order["id"], "despatch": despatch["id"], "receipt": receipt["id"]}
