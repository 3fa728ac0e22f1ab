import hashlib
from typing import Any

import pytest
from structlog.testing import capture_logs

from backend.core.ids import from_typeid, typed
from backend.parties.models import Member, Verification
from backend.trade.models import PurchaseOrder
from tests.cast import Cast, confirmed_order, despatched, issued_order, member, organisation, phone_of
from tests.evidence.conftest import pdf, placed
from tests.phone import Json, Phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(cast: Cast, clerk: Phone, sales: Phone) -> Json:
    return despatched(cast, confirmed_order(cast, clerk, sales), sales)


def attach(
    phone: Phone, subject: str, kind: str, data: bytes | None = None, mime: str = "application/pdf"
) -> tuple[int, Json]:
    data = data or pdf(f"% {kind} {subject}\n".encode())
    announced = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "filename": f"{kind}.pdf"}
    _, upload = phone.post("/api/v1/uploads/", announced | {"mime": mime, "source": "file"})
    phone.send("PUT", f"/api/v1/uploads/{upload['id']}/parts/0", data, phone.headers())
    return phone.post("/api/v1/vouchers/", {"upload": upload["id"], "kind": kind, "subject": subject})


def test_a_carrier_is_shown_no_voucher_that_tells_prices(
    clerk: Phone, sales: Phone, driver: Phone, delivery: Json
) -> None:
    kinds = ["delivery_document", "invoice", "contract"]
    made = {kind: attach(sales, delivery["id"], kind)[1] for kind in kinds}

    def seen(phone: Phone) -> tuple[list[str], list[str]]:
        listed = phone.get(f"/api/v1/vouchers/?subject={delivery['id']}")[1]["results"]
        shown = phone.get(f"/api/v1/despatches/{delivery['id']}/")[1]["vouchers"]
        return [one["kind"] for one in listed], [one["kind"] for one in shown]

    assert seen(clerk) == (kinds, kinds)
    assert seen(driver) == (["delivery_document"], ["delivery_document"])
    for kind, status in (("delivery_document", 200), ("invoice", 404), ("contract", 404)):
        assert driver.get(f"/api/v1/vouchers/{made[kind]['id']}/")[0] == status
        assert driver.get(made[kind]["content_url"])[0] == status
        assert driver.get(made[kind]["view_url"])[0] == status


def test_the_place_in_a_photograph_is_for_its_own_side_and_for_auditors_whose_reading_is_logged(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone, delivery: Json
) -> None:
    _, voucher = attach(clerk, delivery["id"], "photo", placed(), "image/jpeg")
    office = phone_of(cast.office)
    auditor = phone_of(member(organisation("91310115MA1TEXTA7", "Auditor", "AUDITOR"), "Auditor", "viewer"))
    claimed = organisation("91310115MA1TEXTA8", "Claimed", "AUDITOR", Verification.CLAIMED)
    with capture_logs() as logs:
        for phone, status in ((office, 200), (sales, 403), (driver, 403), (phone_of(cast.risk), 403), (auditor, 200)):
            assert phone.get(voucher["content_url"])[0] == status, phone.session["organisation"]["name"]
            (shown,) = phone.get(f"/api/v1/despatches/{delivery['id']}/")[1]["vouchers"]
            assert (shown["content_url"] is not None) == (status == 200)
            assert phone.get(shown["view_url"])[0] == 200
    assert phone_of(member(claimed, "Claimed", "viewer")).get(voucher["content_url"])[0] == 404
    read = [line for line in logs if line["event"] == "an original that holds a place was handed out"]
    assert [(line["voucher"], line["member"]) for line in read] == [
        (str(from_typeid("vch", voucher["id"])), str(from_typeid("mem", auditor.session["member"]["id"])))
    ]


def test_who_may_only_look_attaches_nothing(cast: Cast, sales: Phone, delivery: Json) -> None:
    viewer = phone_of(member(cast.buyer, "Viewer", "viewer"))
    for subject, path in ((delivery["id"], "despatches"), (delivery["order"]["id"], "orders")):
        assert viewer.get(f"/api/v1/{path}/{subject}/")[1]["actions"] == []
        status, answer = attach(viewer, subject, "other")
        assert (status, answer["code"]) == (403, "forbidden")


def test_carriers_and_the_names_of_their_drivers_are_for_a_seller_who_sends_goods_off(
    cast: Cast, clerk: Phone, sales: Phone, driver: Phone
) -> None:
    def named(phone: Phone) -> list[str]:
        return [one["name"] for row in phone.get("/api/v1/carriers/")[1]["results"] for one in row["drivers"]]

    assert named(sales) == []
    confirmed_order(cast, clerk, sales)
    assert named(sales) == ["Driver"]
    watcher = phone_of(member(cast.seller, "Watcher", "viewer"))
    rival = phone_of(member(organisation("91310115MA1TEXTR6", "Rival", "CARRIER"), "Rival", "driver"))
    for phone in (watcher, rival, clerk, driver, phone_of(cast.stranger)):
        assert named(phone) == []


@pytest.mark.parametrize(
    ("kind", "role", "verification", "sees"),
    [
        ("OPERATOR", "risk_officer", Verification.VERIFIED, True),
        ("OPERATOR", "risk_officer", Verification.CLAIMED, False),
        ("OPERATOR", "admin", Verification.VERIFIED, False),
        ("OPERATOR", "viewer", Verification.VERIFIED, False),
        ("AUDITOR", "viewer", Verification.VERIFIED, True),
        ("AUDITOR", "viewer", Verification.CLAIMED, False),
        ("FUNDER", "risk_officer", Verification.VERIFIED, False),
    ],
)
def test_all_orders_lie_open_to_the_verified_operators_risk_officers_and_to_verified_auditors(
    cast: Cast, kind: str, role: str, verification: Verification, sees: bool
) -> None:
    order = issued_order(cast)
    phone = phone_of(member(organisation("91310115MA1TEXTW7", "Watch", kind, verification), "Watcher", role))
    path = f"/api/v1/orders/{typed('order', order.id)}/"
    status, shown = phone.get(path)
    assert status == (200 if sees else 404)
    assert len(phone.get("/api/v1/orders/")[1]["results"]) == sees
    assert phone.get(f"/api/v1/trace/{cast.buyer.uscc}/PO-1")[0] == status
    if sees:
        assert shown["actions"] == [], "whoever watches does nothing"


def test_a_carrier_that_buys_sees_its_own_deliveries_too(cast: Cast, sales: Phone) -> None:
    buyer = phone_of(member(cast.carrier, "Garage", "maker", "signer", "driver"))
    garage = Member.objects.get(person__name="Garage")
    order = confirmed_order_of(cast, garage, buyer, sales)
    sent = despatched(cast, order, sales, driver=None, carrier=None)
    shown = buyer.get(f"/api/v1/despatches/{sent['id']}/")[1]
    assert (shown["lines"][0]["unit_price"], shown["actions"]) == ("186.00", ["receive", "attach"])


def confirmed_order_of(cast: Cast, buyer: Member, phone: Phone, sales: Phone) -> Json:
    """An order of another buyer than the cast's, signed and confirmed."""
    from backend.trade import services
    from tests.cast import office, order_terms

    order = services.issue_order(by=office(buyer), **(order_terms(cast) | {"buyer": buyer.organisation_id}))
    path = f"/api/v1/orders/{typed('order', order.id)}"
    phone.sign(f"{path}/signature", phone.order_act(phone.get(f"{path}/")[1]))
    status, answer = sales.sign(f"{path}/confirmation", sales.order_act(sales.get(f"{path}/")[1], "order.confirm"))
    assert status == 201, answer
    return answer


def test_a_member_who_left_is_refused_everywhere(cast: Cast, clerk: Phone, delivery: Json) -> None:
    act = clerk.receipt_act(clerk.get(f"/api/v1/despatches/{delivery['id']}/")[1])
    Member.objects.filter(id=cast.clerk.id).update(active=False)
    attempts: list[tuple[int, Any]] = [
        clerk.get("/api/v1/orders/"),
        clerk.get(f"/api/v1/despatches/{delivery['id']}/"),
        clerk.get("/api/v1/tasks/"),
        clerk.sign("/api/v1/receipts/", act),
    ]
    assert {(status, answer["code"]) for status, answer in attempts} == {(403, "not-enrolled")}
    assert PurchaseOrder.objects.get(id=from_typeid("ord", delivery["order"]["id"])).state == "CONFIRMED"
