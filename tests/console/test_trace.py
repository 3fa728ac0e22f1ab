"""The order's page: who signed where, as far as the viewer may know, and a verdict that nobody can write into the database."""

import pytest
from django.utils.translation import override

from backend.console import plan
from backend.core.ids import from_typeid, typed
from backend.core.models import Event
from backend.core.sections import open_section
from backend.ledger.commitment import check_section
from backend.parties.models import Device
from backend.trade import documents
from backend.trade.models import Despatch, OrderLine, PurchaseOrder, Receipt, ReceiptLine
from tests.cast import TWELVE_KM_AWAY, confirmed_order, despatched, issued_order, phone_of
from tests.evidence.conftest import placed
from tests.forgery import put_in_its_place, reseal
from tests.trade.test_who_sees_what import attach

pytestmark = pytest.mark.django_db


def page(client, story) -> str:
    return client.get(f"/console/orders/{story['order']}/").text


def test_an_untouched_order_is_green_with_every_event_anchored(cast, console, delivery):
    text = page(console(cast.office, "en"), delivery)
    assert 'data-verdict="sound"' in text
    assert "Unchanged: every document is what the ledger holds" in text
    for step in (
        "Order issued",
        "Order signed by the buyer",
        "Order confirmed by the seller",
        "Goods despatched",
        "Delivery signed for",
    ):
        assert step in text
    signed = Event.objects.get(type="receipt.signed")
    assert f"Anchored #{signed.index}" in text
    assert f"/ledger/supply/events/{signed.id}/proof" in text


def test_the_other_side_is_told_that_the_original_photograph_holds_a_place(cast, console, delivery, drain):
    status, _ = attach(phone_of(cast.clerk), delivery["receipt"], "photo", placed(), "image/jpeg")
    assert status == 201
    told = "The original tells where it was taken; this picture does not. Ask Buyer for the original."
    assert told in page(console(cast.sales, "en"), delivery)
    assert "原件带有拍摄地点，这张图里没有。需要原件请向Buyer索取。" in page(console(cast.sales), delivery)
    assert told not in page(console(cast.office, "en"), delivery)


def test_before_the_chain_has_it_the_verdict_waits(cast, console):
    order = issued_order(cast)
    text = page(console(cast.office, "en"), {"order": typed("order", order.id)})
    assert 'data-verdict="waiting"' in text
    assert "0 of 1 events are anchored" in text


def test_a_changed_price_turns_the_page_red_and_names_the_field(cast, console, delivery):
    OrderLine.objects.filter(line_id="1").update(unit_price="1.00")
    text = page(console(cast.office, "en"), delivery)
    assert 'data-verdict="broken"' in text
    assert "Order PO-1</strong> › <strong>line › 1 › unit price</strong>: changed after it was recorded" in text
    assert '<p class="error">line › 1 › unit price: changed after it was recorded' in text


def count_rewritten(story) -> Event:
    """The 20 rejected pieces accepted after all: count, amounts, states, digest, document, commitment and leaf, all in agreement."""
    receipt_id = from_typeid("rcp", story["receipt"])
    line = ReceiptLine.objects.get(receipt=receipt_id, despatch_line__despatch_line="1")
    ReceiptLine.objects.filter(id=line.id).update(
        accepted_quantity=1200, rejected_quantity=0, reject_reason="", amount_fen=22_320_000
    )
    total = sum(ReceiptLine.objects.filter(receipt=receipt_id).values_list("amount_fen", flat=True))
    Receipt.objects.filter(id=receipt_id).update(total_fen=total, state="SIGNED")
    Despatch.objects.update(state="RECEIVED")
    PurchaseOrder.objects.update(state="DELIVERED")
    document = documents.receipt_document(Receipt.objects.get(id=receipt_id))
    Receipt.objects.filter(id=receipt_id).update(digest=documents.digest(document))
    return reseal(Event.objects.get(type="receipt.signed"), {"document": document})


def test_a_changed_count_turns_it_red_even_when_all_that_speaks_of_it_is_rewritten_too(cast, console, delivery):
    event = count_rewritten(delivery)
    opened = open_section(event.id, "document")
    check_section(bytes(event.leaf), "document", opened.salt, opened.content)  # the forgery is perfect by itself
    text = page(console(cast.office, "en"), delivery)
    assert 'data-verdict="broken"' in text
    assert "the record of the event is not what the ledger holds" in text


def test_both_sides_read_why_the_buyer_rejected(cast, console):
    order = {"order": typed("order", issued_order(cast).id)}
    assert "Why it was rejected" not in page(console(cast.sales, "en"), order)
    status, _ = phone_of(cast.clerk).post(f"/api/v1/orders/{order['order']}/rejection", {"reason": "Price was 55.00"})
    assert status == 201
    for who in (cast.office, cast.sales):
        assert "<dt>Why it was rejected</dt><dd>Price was 55.00</dd>" in page(console(who, "en"), order)


def test_a_forged_event_that_is_to_be_anchored_again_is_red_while_it_waits_and_afterwards(
    cast, console, delivery, drain
):
    index = count_rewritten(delivery).index
    event = Event.objects.get(type="receipt.signed")
    put_in_its_place(event)
    for numbered_again in (False, True):
        assert (Event.objects.get(id=event.id).index is not None) is numbered_again
        text = page(console(cast.office, "en"), delivery)
        assert 'data-verdict="broken"' in text
        assert "number in the ledger</strong>: the event no longer stands where the ledger has it" in text
        drain()
    assert Event.objects.get(id=event.id).index > index


def test_a_removed_document_turns_it_red(cast, console, delivery):
    Event.objects.filter(type="order.issued").update(subject_id=from_typeid("rcp", delivery["receipt"]))
    assert 'data-verdict="broken"' in page(console(cast.office), delivery)


def test_the_signers_organisation_sees_the_plan_the_other_side_a_ring_without_direction(cast, console, borrowed):
    buyer, seller, officer = (page(console(who, "en"), borrowed) for who in (cast.office, cast.sales, cast.risk))
    assert '<svg class="plan outside"' in buyer
    assert "<dd>12.0 km</dd>" in buyer
    for other in (seller, officer):
        assert '<circle class="band"' in other and '<circle class="signed"' not in other
        assert "12.0 km</dd>" not in other
        assert "5 to 20 km from the address" in other
        assert "outside the agreed radius" in other


def test_the_drivers_reports_are_named_and_only_the_arrival_is_held_against_the_radius(cast, console):
    clerk, sales, driver = phone_of(cast.clerk), phone_of(cast.sales), phone_of(cast.driver)
    order = confirmed_order(cast, clerk, sales)
    path = f"/api/v1/despatches/{despatched(cast, order, sales)['id']}/milestones"
    for kind, judged in (("PICKED_UP", 0), ("ARRIVED", 1)):
        assert driver.post(path, {"kind": kind, "capture": driver.capture(TWELVE_KM_AWAY)})[0] == 201
        text = page(console(cast.risk, "en"), {"order": order["id"]})
        assert text.count("outside the agreed radius") == judged
        assert text.count('<svg class="plan outside"') == judged
    assert text.index("Picked up, the driver reports") < text.index("Arrived, the driver reports")
    assert text.count("5 to 20 km from the address</dd>") == 2


def test_no_page_shows_a_coordinate_of_an_act(cast, console, borrowed):
    for who in (cast.office, cast.sales, cast.risk):
        text = page(console(who), borrowed)
        assert "31.1322" not in text
        assert "121.4205" not in text


def test_the_other_sides_handset_is_not_shown(cast, console, delivery):
    ends = {row.registered_by.organisation: f"…{typed('device', row.id)[-4:]}" for row in Device.objects.all()}
    buyer, seller, officer = (page(console(who, "en"), delivery) for who in (cast.office, cast.sales, cast.risk))
    assert ends[cast.buyer] in buyer
    assert ends[cast.seller] not in buyer
    assert ends[cast.seller] in seller
    assert ends[cast.buyer] not in seller
    assert ends[cast.buyer] in officer
    for text in (buyer, seller, officer):
        assert "dev_" not in text


def test_the_alerts_of_an_order_stand_on_its_page_for_those_who_may_see_them(cast, console, borrowed):
    assert "One handset acted for the buyer" in page(console(cast.office, "en"), borrowed)
    assert "One handset acted" not in page(console(cast.sales, "en"), borrowed)


@pytest.mark.parametrize(
    ("east", "accuracy", "outside"), [(0.0, 15, False), (0.126, 15, True), (-0.5, 900, True), (0.0001, 4000, False)]
)
def test_the_plan_keeps_address_point_and_both_circles_inside_the_drawing(east, accuracy, outside):
    from decimal import Decimal

    from backend.console.plan import draw

    order = PurchaseOrder(latitude=Decimal("31.2304"), longitude=Decimal("121.4737"), radius_m=300)
    plan = draw(order, latitude=31.2304, longitude=121.4737 + east, accuracy_m=accuracy, within=not outside)
    for (x, y), radius in ((plan.address, plan.radius), (plan.signed, plan.accuracy)):
        assert -1 <= x - radius <= x + radius <= plan.width + 1
        assert -1 <= y - radius <= y + radius <= plan.height + 1
    assert plan.outside is outside
    assert (plan.signed[0] > plan.address[0]) == (east > 0)
    assert plan.bar <= plan.width / 4 + 1


@pytest.mark.parametrize(
    ("band", "words"),
    [((0, 300), "less than 300 m"), ((1_000, 5_000), "1 to 5 km"), ((100_000, None), "more than 100 km")],
)
def test_a_band_is_said_and_drawn(band, words):
    with override("en"):
        assert plan.band_text(band, False) == f"{words} from the address"
    drawn = plan.rings(band, 200, False)
    assert drawn.inner < drawn.outer <= (plan.HEIGHT - plan.FOOT) / 2
    assert drawn.endless is (band[1] is None)
