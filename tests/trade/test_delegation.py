"""Signing for the company without being its signer: within documents, an amount and a time, and on record under which delegation."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command

from backend.core import clock
from backend.core.errors import Forbidden, Malformed, NotFound, RuleBroken
from backend.core.ids import typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.parties import services
from backend.parties.errors import AuthorityExceeded
from backend.parties.models import Delegation, Member
from backend.parties.selectors import may_sign
from backend.trade.models import PurchaseOrder, Signature
from tests.cast import Cast, issued_order, office, phone_of
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db
TOTAL_FEN = 22_323_500


def terms(cast: Cast, **changes: Any) -> dict[str, Any]:
    now = clock.now()
    return {
        "by": office(cast.clerk),
        "to_member": cast.office.id,
        "doc_types": ["order"],
        "max_amount_fen": TOTAL_FEN,
        "valid_from": now - timedelta(minutes=1),
        "valid_to": now + timedelta(days=1),
    } | changes


@pytest.fixture
def delegate(cast: Cast) -> Phone:
    """The buyer's office, which is no signer, on a phone."""
    return phone_of(cast.office)


def sign_order(cast: Cast, phone: Phone) -> tuple[int, Json]:
    path = f"/api/v1/orders/{typed('order', PurchaseOrder.objects.get().id)}"
    return phone.sign(f"{path}/signature", phone.order_act(phone.get(f"{path}/")[1]))


def refused(answer: tuple[int, Json]) -> tuple[int, str, str]:
    status, body = answer
    return status, body["code"], body["errors"][0]["field"] if body["errors"] else ""


def test_a_delegate_signs_within_the_delegation_and_the_record_says_under_which(cast: Cast, delegate: Phone) -> None:
    issued_order(cast)
    assert delegate.get("/api/v1/tasks/")[1]["results"] == []
    delegation = services.grant_delegation(**terms(cast))
    (task,) = delegate.get("/api/v1/tasks/")[1]["results"]
    assert task["kind"] == "order_to_sign"
    assert "sign" in delegate.get(f"/api/v1/orders/{task['order']['id']}/")[1]["actions"]
    status, answer = sign_order(cast, delegate)
    assert status == 201, answer
    row = Signature.objects.get()
    assert (row.member, row.delegation) == (cast.office, delegation)
    assert open_section(row.event_id, "act").content["delegation"] == typed("delegation", delegation.id)


def test_a_signer_signs_everything_by_role(cast: Cast, clerk: Phone) -> None:
    issued_order(cast)
    assert sign_order(cast, clerk)[0] == 201
    assert Signature.objects.get().delegation is None
    assert may_sign(cast.clerk, "invoice", 10**14, clock.now()) is None


def test_without_role_and_delegation_nobody_signs(cast: Cast, delegate: Phone) -> None:
    issued_order(cast)
    assert refused(sign_order(cast, delegate)) == (403, "forbidden", "")
    assert not Signature.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"doc_types": ["receipt", "invoice"]}, "doc_type"),
        ({"max_amount_fen": TOTAL_FEN - 1}, "amount"),
        ({"currency": "USD"}, "amount"),
        ({"valid_from": clock.now() + timedelta(days=300), "valid_to": clock.now() + timedelta(days=301)}, "at"),
    ],
)
def test_outside_of_it_the_refusal_names_in_what(
    cast: Cast, delegate: Phone, changes: dict[str, Any], field: str
) -> None:
    issued_order(cast)
    services.grant_delegation(**terms(cast, **changes))
    before = Event.objects.count()
    assert refused(sign_order(cast, delegate)) == (403, "authority-exceeded", field)
    assert not Signature.objects.exists()
    assert (Event.objects.count(), PurchaseOrder.objects.get().state) == (before, "ISSUED")


def test_what_was_signed_in_time_and_arrives_after_its_end_is_refused(cast: Cast) -> None:
    services.grant_delegation(**terms(cast))
    signed_at = clock.now()
    with time_machine.travel(signed_at + timedelta(days=2), tick=False), pytest.raises(AuthorityExceeded) as late:
        may_sign(cast.office, "order", 1, signed_at)
    assert late.value.errors[0]["field"] == "at"


def test_a_revoked_delegation_is_none_at_once(cast: Cast, delegate: Phone) -> None:
    issued_order(cast)
    delegation = services.grant_delegation(**terms(cast))
    for _ in range(2):
        services.revoke_delegation(by=office(cast.clerk), delegation_id=delegation.id)
    assert refused(sign_order(cast, delegate)) == (403, "forbidden", "")
    event = Event.objects.get(type="delegation.revoked")
    assert open_section(event.id, "document").content["revoked_by"] == typed("member", cast.clerk.id)
    assert not Signature.objects.exists()


@pytest.mark.parametrize("change", [{"active": False}, {"roles": ["viewer"]}])
def test_a_delegation_lapses_with_its_grantors_own_right(cast: Cast, change: dict[str, Any]) -> None:
    services.grant_delegation(**terms(cast))
    assert may_sign(cast.office, "order", 1, clock.now())
    Member.objects.filter(id=cast.clerk.id).update(**change)
    with pytest.raises(Forbidden):
        may_sign(cast.office, "order", 1, clock.now())


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"doc_types": []}, Malformed),
        ({"doc_types": ["everything"]}, Malformed),
        ({"max_amount_fen": 0}, RuleBroken),
        ({"max_amount_fen": 10**15}, RuleBroken),
        ({"valid_to": clock.now() - timedelta(days=1)}, RuleBroken),
    ],
)
def test_what_makes_no_sense_is_not_granted(cast: Cast, changes: dict[str, Any], refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        services.grant_delegation(**terms(cast, **changes))
    assert not Delegation.objects.exists()


def test_who_may_not_grant_grants_nothing_and_nobody_outside_is_granted_to(cast: Cast) -> None:
    viewer = Member.objects.create(person=cast.stranger.person, organisation=cast.buyer, roles=["viewer"])
    with pytest.raises(Forbidden):
        services.grant_delegation(**terms(cast, by=office(viewer)))
    with pytest.raises(NotFound):
        services.grant_delegation(**terms(cast, to_member=cast.sales.id))
    with pytest.raises(RuleBroken):
        services.grant_delegation(**terms(cast, to_member=cast.clerk.id))
    assert not Delegation.objects.exists()


def test_by_the_api_it_is_granted_shown_to_the_own_and_revoked(cast: Cast, clerk: Phone, delegate: Phone) -> None:
    body = {
        "to_member": typed("member", cast.office.id),
        "doc_types": ["receipt", "order"],
        "max_amount": {"amount": "500.00", "currency": "CNY"},
        "valid_from": clock.rfc3339(clock.now()),
        "valid_to": clock.rfc3339(clock.now() + timedelta(days=30)),
    }
    status, made = clerk.post("/api/v1/delegations/", body)
    assert (status, made["doc_types"], made["max_amount"]["amount"], made["state"]) == (
        201,
        ["order", "receipt"],
        "500.00",
        "holds",
    )
    assert [one["id"] for one in delegate.get("/api/v1/delegations/")[1]["results"]] == [made["id"]]
    stranger = phone_of(cast.stranger)
    assert stranger.get("/api/v1/delegations/")[1]["results"] == []
    path = f"/api/v1/delegations/{made['id']}/revocation"
    assert stranger.post(path, {})[0] == 404
    status, answer = clerk.post(path, {})
    assert (status, answer["state"]) == (201, "revoked")


def test_an_act_that_waited_on_a_revoked_handset_is_refused(cast: Cast, clerk: Phone) -> None:
    issued_order(cast)
    path = f"/api/v1/orders/{typed('order', PurchaseOrder.objects.get().id)}"
    act = clerk.order_act(clerk.get(f"{path}/")[1])
    device = clerk.session["device"]["id"]
    other = phone_of(cast.clerk)
    assert other.post(f"/api/v1/devices/{device}/revocation", {})[0] == 201
    assert clerk.sign(f"{path}/signature", act)[0] == 401
    assert not Signature.objects.exists()


def test_a_delegation_widened_by_hand_is_found_by_the_audit(cast: Cast, drain: Callable[[], None]) -> None:
    services.grant_delegation(**terms(cast))
    drain()
    call_command("ledger", "audit", stdout=io.StringIO())
    Delegation.objects.update(max_amount_fen=10**12)
    with pytest.raises(CommandError):
        call_command("ledger", "audit", stdout=io.StringIO(), stderr=io.StringIO())
