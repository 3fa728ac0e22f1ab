"""A small world for the rules: a buyer, its seller, the operator, their people and handsets, an order, and what they do."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from backend.core import clock
from backend.core.events import Actor, emit
from backend.core.ids import new_id
from backend.core.models import Event
from backend.parties.models import Device, LoginRecord, Member, Organisation, Person
from backend.trade.models import Despatch, DocumentVersion, PurchaseOrder, Receipt, Signature

_numbers = count(1)


def organisation(name: str, kind: str, **changes: str) -> Organisation:
    return Organisation.objects.create(
        uscc=f"{next(_numbers):018d}", name=name, name_en=f"{name} Co", kind=kind, **changes
    )


def member(name: str, of: Organisation, *roles: str) -> Member:
    person = Person.objects.create(username=f"person{next(_numbers)}", name=name)
    return Member.objects.create(person=person, organisation=of, roles=list(roles))


def device(registered_by: Member) -> Device:
    return Device.objects.create(
        public_key=next(_numbers).to_bytes(32),
        model="Test",
        system="iOS 18",
        platform="h5",
        sdk_version="3",
        registered_by=registered_by,
    )


def acting(who: Member, on: Device | None = None) -> Actor:
    return Actor(
        person=who.person_id, member=who.id, organisation=who.organisation_id, device=on and on.id, assurance="L2"
    )


@dataclass
class World:
    """Who trades with whom. `clerk` and `office` are the buyer's, `trader` the seller's, `officer` and `engineer` the operator's."""

    buyer: Organisation
    seller: Organisation
    operator: Organisation
    clerk: Member
    office: Member
    trader: Member
    officer: Member
    engineer: Member
    clerks_phone: Device
    traders_phone: Device
    order: PurchaseOrder

    @classmethod
    def build(cls) -> "World":
        buyer, seller = organisation("澜桥优选", "BUYER"), organisation("禾屿贸易", "SELLER")
        operator = organisation("翼融运营", "OPERATOR", verification="VERIFIED", verified_method="test")
        clerk, trader = member("陈黎", buyer, "signer"), member("苏晴", seller, "maker", "signer")
        return cls(
            buyer=buyer,
            seller=seller,
            operator=operator,
            clerk=clerk,
            office=member("何川", buyer, "maker", "checker"),
            trader=trader,
            officer=member("温宁", operator, "risk_officer"),
            engineer=member("工程师", operator, "admin"),
            clerks_phone=device(clerk),
            traders_phone=device(trader),
            order=order_between(buyer, seller, trader),
        )

    def sign_in(self, who: Member, on: Device, at: datetime | None = None) -> Event:
        """A sign-in that was let in, with its record and event."""
        record = LoginRecord.objects.create(
            channel="phone",
            result="opened",
            source="s",
            person=who.person,
            member=who,
            device=on,
            time=at or clock.now(),
        )
        payload = {"login": str(record.id), "member": str(who.id), "device": str(on.id), "new_device": False}
        return emit(
            type="session.opened", chain="supply", subject=("session", new_id()), by=acting(who, on), payload=payload
        )

    def refuse(self, *, source: str = "s", person: Person | None = None, at: datetime | None = None) -> Event:
        """A sign-in that was refused."""
        record = LoginRecord.objects.create(
            channel="phone",
            result="refused",
            failure_code="code-invalid",
            source=source,
            person=person,
            time=at or clock.now(),
        )
        payload = {"login": str(record.id), "source": source, "code": "code-invalid"}
        return emit(type="session.refused", chain=None, subject=("source", record.id), by=Actor(), payload=payload)

    def sign_order(
        self, who: Member, on: Device, at: datetime | None = None, order: PurchaseOrder | None = None
    ) -> Event:
        """An order signed by its buyer, or confirmed by its seller."""
        order = order or self.order
        side = "order.sign" if who.organisation_id == order.buyer_id else "order.confirm"
        event_id = _signature(side, "order", order.id, order, who, on, at)
        return self._emit(f"{side}ed", "order", order.id, who, on, order, event_id)

    def sign_receipt(
        self, distance_m: float | None, who: Member | None = None, on: Device | None = None, **place: object
    ) -> Event:
        """A delivery received, `distance_m` from its address."""
        who, on = who or self.clerk, on or self.clerks_phone
        number = f"DSP-{next(_numbers)}"
        despatch = Despatch.objects.create(
            despatch_no=number,
            despatch_key=number,
            order=self.order,
            seller=self.seller,
            digest="",
            despatched_by=self.trader,
            despatched_at=timezone.now(),
        )
        given = distance_m is not None
        facts = {"precision_class": "precise", "accuracy_m": 10} if given else {}
        receipt = Receipt.objects.create(
            receipt_no=f"{number}-R",
            order=self.order,
            despatch=despatch,
            state="SIGNED",
            organisation=self.buyer,
            signer_member=who,
            device=on,
            assurance="L2",
            total_fen=100,
            digest="",
            captured_at=timezone.now(),
            signed_at=timezone.now(),
            location_given=given,
            distance_m=distance_m,
            **(facts | place),
        )
        event_id = _signature("receipt.sign", "receipt", receipt.id, self.order, who, on, None)
        return self._emit("receipt.signed", "receipt", receipt.id, who, on, self.order, event_id)

    def _emit(
        self, type: str, kind: str, subject: UUID, who: Member, on: Device, order: PurchaseOrder, event_id: UUID
    ) -> Event:
        payload = {"order": str(order.id), "buyer": str(order.buyer_id), "seller": str(order.seller_id)}
        with transaction.atomic():
            return emit(
                event_id=event_id,
                type=type,
                chain="supply",
                subject=(kind, subject),
                by=acting(who, on),
                audience=[order.buyer_id, order.seller_id],
                payload=payload | {kind: str(subject), "member": str(who.id), "device": str(on.id)},
            )


def order_between(buyer: Organisation, seller: Organisation, issued_by: Member) -> PurchaseOrder:
    number = f"PO-{next(_numbers)}"
    order = PurchaseOrder.objects.create(
        order_no=number,
        order_key=number,
        buyer=buyer,
        seller=seller,
        issue_date=timezone.now().date(),
        total_fen=100,
        ship_to_name="3号门",
        ship_to_address="上海",
        latitude="31.2304",
        longitude="121.4737",
        radius_m=300,
        payment_days=60,
        payment_from="receipt",
        digest="",
        issued_by=issued_by,
        issued_at=timezone.now(),
    )
    DocumentVersion.objects.create(
        order=order,
        subject_type="order",
        subject_id=order.id,
        version=1,
        document={},
        at=clock.now(),
        event_id=new_id(),
    )
    return order


def _signature(
    action: str, kind: str, subject: UUID, order: PurchaseOrder, who: Member, on: Device, at: datetime | None
) -> UUID:
    event_id = new_id()
    Signature.objects.create(
        action=action,
        subject_type=kind,
        subject_id=subject,
        version=next(_numbers),
        order=order,
        member=who,
        organisation=who.organisation,
        device=on,
        client_event_id=str(new_id()),
        assurance="L2",
        at=at or clock.now(),
        event_id=event_id,
    )
    return event_id


def ago(**span: float) -> datetime:
    return clock.now() - timedelta(**span)
