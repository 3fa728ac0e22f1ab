"""A fixed cast: Buyer, Seller, Carrier, Operator and an Outsider, each with people and phones. Rows, not stories: the stories are the tests."""

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.test import Client
from stdnum.cn import uscc

from backend.core.clock import now
from backend.core.events import Actor
from backend.core.ids import new_id
from backend.parties.models import Consent, Device, Member, Organisation, Person, Session, Verification
from backend.parties.texts import LOCATION
from backend.trade import services
from backend.trade.models import Despatch, PurchaseOrder
from tests.phone import Json, Phone

GATE = (Decimal("31.2304000"), Decimal("121.4737000"))
AT_GATE = ("31.2304000", "121.4737000")
TWELVE_KM_AWAY = ("31.1322972", "121.4205250")


def organisation(body: str, name: str, kind: str, verification: str = Verification.VERIFIED) -> Organisation:
    method = "test" if verification == Verification.VERIFIED else ""
    code = body + uscc.calc_check_digit(body)
    return Organisation.objects.create(
        uscc=code, name=name, name_en=name, kind=kind, verification=verification, verified_method=method
    )


def member(of: Organisation, name: str, *roles: str) -> Member:
    person = Person.objects.create_user(
        name=name, name_en=name, username=f"{name.lower()}.{of.kind.lower()}", password="a long password 1"
    )
    return Member.objects.create(person=person, organisation=of, roles=list(roles))


def office(of: Member) -> Actor:
    """The member at the console: no device."""
    return Actor(person=of.person_id, member=of.id, organisation=of.organisation_id, assurance="L1")


def send_by(client: Client) -> Any:
    """The wire of a tests.phone.Phone over Django's test client."""

    def send(method: str, path: str, body: Json | bytes | None, headers: dict[str, str]) -> tuple[int, Json]:
        data = body if isinstance(body, bytes) else json.dumps(body) if body is not None else ""
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        response = client.generic(method, path, data, content_type=kind, headers=headers)
        answer = json.loads(response.content) if response.content and "json" in response.get("Content-Type", "") else {}
        return response.status_code, answer

    return send


def phone_of(of: Member, phone: Phone | None = None) -> Phone:
    """The member signed in on a phone (a fresh one, or one that somebody used before), with consent to location."""
    from backend.ledger import sign

    phone = phone or Phone(send_by(Client()))
    device, _ = Device.objects.get_or_create(
        public_key=sign.public_key(phone.seed),
        defaults={"model": "Test phone", "system": "Test 1", "platform": "h5", "sdk_version": "3", "registered_by": of},
    )
    _, phone.token = Session.objects.create(user=of.person, member=of, device=device)
    status, phone.session = phone.get("/api/v1/session/")
    assert status == 200, phone.session
    consent = Consent.objects.create(
        person=of.person,
        member=of,
        device=device,
        purpose="location",
        text_id=LOCATION.id,
        text_version=LOCATION.version,
        text_sha256=LOCATION.sha256,
        given=True,
        event=new_id(),
        at=now(),
    )
    from backend.core.ids import typed

    phone.consent = typed("consent", consent.id)
    return phone


@dataclass
class Cast:
    """The organisations and one person of each kind of work."""

    buyer: Organisation
    seller: Organisation
    carrier: Organisation
    operator: Organisation
    outsider: Organisation
    clerk: Member
    office: Member
    sales: Member
    driver: Member
    risk: Member
    stranger: Member


def make_cast() -> Cast:
    """The cast's rows."""
    buyer = organisation("91310115MA1TEXTB1", "Buyer", "BUYER")
    seller = organisation("91310115MA1TEXTN2", "Seller", "SELLER")
    carrier = organisation("91310115MA1TEXTC3", "Carrier", "CARRIER")
    operator = organisation("91310115MA1TEXTP4", "Operator", "OPERATOR")
    outsider = organisation("91310115MA1TEXTX5", "Outsider", "BUYER")
    return Cast(
        buyer=buyer,
        seller=seller,
        carrier=carrier,
        operator=operator,
        outsider=outsider,
        clerk=member(buyer, "Clerk", "signer"),
        office=member(buyer, "Office", "maker", "admin"),
        sales=member(seller, "Sales", "maker", "signer"),
        driver=member(carrier, "Driver", "driver"),
        risk=member(operator, "Risk", "risk_officer"),
        stranger=member(outsider, "Stranger", "maker", "signer", "admin"),
    )


def order_terms(cast: Cast, **changes: Any) -> dict[str, Any]:
    """Arguments of issue_order: 1,200 rice cookers at 186.00 and 10 boxes of spare lids, to the buyer's gate."""
    line = {"item_code": "", "unit": "EA", "tax_rate": "0.13", "tolerance_pct": "0"}
    return {
        "order_no": "PO-1",
        "buyer": cast.buyer.id,
        "seller": cast.seller.id,
        "lines": [
            services.LineTerms(
                line_id="1", item_name="电饭煲 4L", quantity=Decimal("1200"), unit_price="186.00", **line
            ),
            services.LineTerms(line_id="2", item_name="内胆盖", quantity=Decimal("10.5"), unit_price="3.333", **line),
        ],
        "ship_to": services.ShipTo("Gate 3", "1 Warehouse Road", *GATE, 300),
        "payment_days": 60,
        "payment_from": "receipt",
    } | changes


def issued_order(cast: Cast, **changes: Any) -> PurchaseOrder:
    return services.issue_order(by=office(cast.office), **order_terms(cast, **changes))


def confirmed_order(cast: Cast, clerk: Phone, sales: Phone, **changes: Any) -> Json:
    """An order signed by the buyer and confirmed by the seller, through the API."""
    from backend.core.ids import typed

    path = f"/api/v1/orders/{typed('order', issued_order(cast, **changes).id)}"
    _, order = clerk.get(f"{path}/")
    status, answer = clerk.sign(f"{path}/signature", clerk.order_act(order))
    assert status == 201, answer
    status, answer = sales.sign(f"{path}/confirmation", sales.order_act(order, "order.confirm"))
    assert status == 201, answer
    return answer


def despatched(cast: Cast, order: Json, sales: Phone, number: str = "DN-1", **changes: Any) -> Json:
    """Everything of an order sent off with the cast's driver, through the API."""
    from backend.core.ids import typed

    body = {
        "order": order["id"],
        "despatch_no": number,
        "lines": [{"order_line": line["line_id"], "quantity": line["quantity"]} for line in order["document"]["lines"]],
        "carrier": typed("organisation", cast.carrier.id),
        "driver": typed("member", cast.driver.id),
        "plate_no": "沪A12345",
        "waybill_no": "WB-1",
    }
    status, answer = sales.post("/api/v1/despatches/", body | changes)
    assert status == 201, answer
    return answer


def stored(despatch: Json) -> Despatch:
    from backend.core.ids import from_typeid

    return Despatch.objects.get(id=from_typeid("dsp", despatch["id"]))
