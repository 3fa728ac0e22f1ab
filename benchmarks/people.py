"""A buyer's clerk, a seller and a risk officer with their handsets, deliveries that wait, and the signed body of a receipt."""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import transaction

from backend.core import clock
from backend.core.events import Actor
from backend.core.ids import new_id, typed
from backend.core.money import line_amount_fen, money_text
from backend.evidence.selectors import ledger_origin
from backend.ledger import canonical, sign
from backend.parties.models import Consent, Device, Member, Organisation, Person, Session
from backend.parties.texts import LOCATION
from backend.trade import documents, services, texts
from backend.trade.models import Despatch, OrderState, PurchaseOrder

LATITUDE, LONGITUDE = Decimal("31.2304000"), Decimal("121.4737000")
METRES_A_DEGREE = 111_195
QUANTITY, UNIT_PRICE = "1200.000", "186.00"
DELIVERIES_AT_ONCE = 50


@dataclass(frozen=True)
class Handset:
    """A person signed in on a device whose key is at hand."""

    member: Member
    device: Device
    seed: bytes
    token: str
    consent: str

    @property
    def actor(self) -> Actor:
        return Actor(self.member.person_id, self.member.id, self.member.organisation_id, self.device.id, assurance="L2")


def _handset(name: str, organisation: Organisation, *roles: str) -> Handset:
    person = Person.objects.create_user(name=name)
    member = Member.objects.create(person=person, organisation=organisation, roles=list(roles))
    seed = secrets.token_bytes(32)
    device = Device.objects.create(
        public_key=sign.public_key(seed),
        model="Benchmark",
        system="-",
        platform="h5",
        sdk_version="-",
        registered_by=member,
    )
    _, token = Session.objects.create(user=person, member=member, device=device)
    consent = Consent.objects.create(
        person=person,
        member=member,
        device=device,
        purpose="location",
        text_id=LOCATION.id,
        text_version=LOCATION.version,
        text_sha256=LOCATION.sha256,
        given=True,
        event=new_id(),
    )
    return Handset(member, device, seed, token, typed("consent", consent.id))


@dataclass(frozen=True)
class People:
    clerk: Handset
    seller: Handset
    officer: Handset


@cache
def people() -> People:
    """Made once a run."""

    def organisation(code: str, name: str, kind: str) -> Organisation:
        return Organisation.objects.create(
            uscc=code, name=name, kind=kind, verification="VERIFIED", verified_method="benchmark"
        )

    return People(
        clerk=_handset("收货员", organisation("91310000000000001A", "采购方", "BUYER"), "signer"),
        seller=_handset("销售员", organisation("91310000000000002B", "供应方", "SELLER"), "maker", "signer"),
        officer=_handset("风控员", organisation("91310000000000003C", "运营方", "OPERATOR"), "risk_officer"),
    )


def deliveries(count: int) -> list[Despatch]:
    """As many orders with one delivery each, on their way to the clerk."""
    made: list[Despatch] = []
    while len(made) < count:
        with transaction.atomic():
            made += [_delivery() for _ in range(min(DELIVERIES_AT_ONCE, count - len(made)))]
    return made


def _delivery() -> Despatch:
    who = people()
    number = f"B-{new_id()}"
    order = services.issue_order(
        by=who.seller.actor,
        order_no=number,
        buyer=who.clerk.member.organisation_id,
        seller=who.seller.member.organisation_id,
        lines=[services.LineTerms("1", "RC-4L", "电饭煲", Decimal(QUANTITY), "EA", UNIT_PRICE, "0.13", "0")],
        ship_to=services.ShipTo("3号门", "上海市", LATITUDE, LONGITUDE, 300),
        payment_days=60,
        payment_from="receipt",
    )
    PurchaseOrder.objects.filter(id=order.id).update(state=OrderState.CONFIRMED)
    return services.despatch_goods(
        by=who.seller.actor,
        order_id=order.id,
        despatch_no=number,
        lines=[services.DespatchTerms("1", Decimal(QUANTITY))],
    )


@dataclass(frozen=True)
class Request:
    """A request ready to be sent."""

    path: str
    body: bytes
    headers: dict[str, str]


def receipt(despatch: Despatch, *, metres_away: int) -> Request:
    """The clerk signs for a whole delivery on the handset, that many metres north of its address."""
    clerk = people().clerk
    despatch = Despatch.objects.select_related("order__buyer", "order__seller", "seller", "carrier").get(id=despatch.id)
    order, document = despatch.order, documents.despatch_document(despatch)
    event_id, nonce, now = str(new_id()), _b64(secrets.token_bytes(32)), clock.rfc3339(clock.now())
    capture = {
        "nonce": nonce,
        "captured_at": now,
        "network_type": "wifi",
        "location": {
            "latitude": f"{LATITUDE + Decimal(metres_away) / METRES_A_DEGREE:.7f}",
            "longitude": f"{LONGITUDE:.7f}",
            "accuracy_m": 10,
            "datum": "wgs84",
            "precision_class": "precise",
            "age_s": 3,
        },
        "location_refused": False,
        "consent": clerk.consent,
        "photos": [],
        "drawing": None,
        "opened_at": now,
        "handset": "",
    }
    text = texts.CURRENT["receipt.sign"]
    nothing = "0.000"
    signed: dict[str, Any] = {
        "action": "receipt.sign",
        "origin": ledger_origin("supply"),
        "client_event_id": event_id,
        "nonce": nonce,
        "signer_member": typed("member", clerk.member.id),
        "signer_party": order.buyer.uscc,
        "device_key_id": typed("device", clerk.device.id),
        "document": {
            "id": document["id"],
            "type": "despatch",
            "version": document["version"],
            "digest": documents.digest(document),
        },
        "order": documents.order_key(order),
        "counterparty": order.seller.uscc,
        "lines": [
            {
                "despatch_line": "1",
                "received_quantity": QUANTITY,
                "accepted_quantity": QUANTITY,
                "short_quantity": nothing,
                "rejected_quantity": nothing,
                "reject_reason": "",
                "oversupply_quantity": nothing,
            }
        ],
        "total": {"amount": money_text(line_amount_fen(Decimal(QUANTITY), Decimal(UNIT_PRICE))), "currency": "CNY"},
        "capture_digest": hashlib.sha256(canonical.dumps(capture)).hexdigest(),
        "captured_at": now,
        "language": "zh-Hans",
        "text_id": text.text_id,
        "text_version": text.version,
    }
    signature = _b64(sign.sign(clerk.seed, sign.signed_bytes(signed)))
    body = {"signed": signed, "capture": capture, "uploads": [], "signature": signature}
    headers = {
        "Authorization": f"Token {clerk.token}",
        "Idempotency-Key": event_id,
        "Content-Type": "application/json",
    }
    return Request("/api/v1/receipts/", json.dumps(body, ensure_ascii=False).encode(), headers)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
