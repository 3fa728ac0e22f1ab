import datetime
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q

from backend.core import clock
from backend.core.data_keys import Erased
from backend.core.errors import NotFound, RuleBroken
from backend.core.events import Actor, emit
from backend.core.ids import new_id
from backend.core.models import Event
from backend.core.money import line_amount_fen
from backend.core.sections import Section, open_section
from backend.parties.models import Organisation
from backend.trade import documents, errors, places
from backend.trade.models import ORDER_TRANSITIONS, OrderLine, OrderState, PurchaseOrder, Signature
from backend.trade.services.acts import (
    acting_member,
    acting_signer,
    attach_files,
    capture_section,
    check_consent,
    keep_signature,
    lock_order,
    lock_order_of,
    move,
    party_ids,
    signature_section,
)
from backend.trade.services.back_to_back import lines_bought_for
from backend.trade.services.versions import keep_version
from backend.trade.signing import SignedAct, acting_device, check_act

LINES_LIMIT = 200
TOTAL_LIMIT_FEN = 10**15
# An order that came to nothing leaves its number free.
ENDED = (OrderState.REJECTED, OrderState.CANCELLED)


@dataclass(frozen=True)
class LineTerms:
    """One line of an order to be issued. Decimals as they were written. `fulfils`: back-to-back, the order and line that it is bought for."""

    line_id: str
    item_code: str
    item_name: str
    quantity: Decimal
    unit: str
    unit_price: str
    tax_rate: str
    tolerance_pct: str
    fulfils: tuple[UUID, str] | None = None


@dataclass(frozen=True)
class ShipTo:
    """Where the goods go: a point and the radius, in metres, within which they may be received."""

    name: str
    address: str
    latitude: Decimal
    longitude: Decimal
    radius_m: int


@transaction.atomic
def issue_order(
    *,
    by: Actor,
    order_no: str,
    buyer: UUID,
    seller: UUID,
    lines: list[LineTerms],
    ship_to: ShipTo,
    payment_days: int,
    payment_from: str,
    currency: str = "CNY",
    contract_no: str = "",
    funder_disclosure: str = "ask_buyer",
) -> PurchaseOrder:
    """Issues a purchase order, by the buyer's office or by the seller on the buyer's behalf; the buyer still signs it on a phone.

    Raises Forbidden, NotFound (a party unknown, or the caller's organisation neither of both), NumberTaken, RuleBroken.
    """
    member = acting_member(by, "maker", "admin")
    parties = {row.id: row for row in Organisation.objects.filter(id__in=[buyer, seller])}
    if member.organisation_id not in (buyer, seller) or buyer not in parties or seller not in parties:
        raise NotFound()
    if buyer == seller:
        raise RuleBroken("Buyer and seller are the same company.", field="seller")
    amounts = [line_amount_fen(line.quantity, Decimal(line.unit_price)) for line in lines]
    if not 0 < sum(amounts) < TOTAL_LIMIT_FEN:
        raise RuleBroken("An order costs more than nothing, and less than ten trillion.", field="lines")
    shown, key = documents.document_number(order_no, field="order_no", limit=64)
    if len({line.line_id for line in lines}) < len(lines):
        raise RuleBroken("Two lines carry the same number.", field="lines")
    if member.organisation_id == buyer and _used(buyer, key):
        raise errors.NumberTaken("You have an order of that number.", field="order_no")
    bought_for = lines_bought_for(
        member=member,
        buyer=buyer,
        seller=seller,
        units=[line.unit for line in lines],
        wanted=[line.fulfils for line in lines],
    )
    order = PurchaseOrder(
        order_no=shown,
        order_key=key,
        buyer=parties[buyer],
        seller=parties[seller],
        currency=currency,
        issue_date=_local_date(),
        total_fen=sum(amounts),
        ship_to_name=ship_to.name,
        ship_to_address=ship_to.address,
        latitude=ship_to.latitude,
        longitude=ship_to.longitude,
        radius_m=ship_to.radius_m,
        payment_days=payment_days,
        payment_from=payment_from,
        contract_no=contract_no,
        funder_disclosure=funder_disclosure,
        issued_by=member,
        issued_at=clock.now(),
    )
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError:
        between = PurchaseOrder.objects.exclude(state__in=ENDED).filter(buyer=buyer, seller=seller)
        if not between.filter(order_key=order.order_key).exists():
            raise
        raise errors.NumberTaken("You have an order of that number.", field="order_no") from None
    OrderLine.objects.bulk_create(
        [
            OrderLine(order=order, **(asdict(line) | {"fulfils": above}), amount_fen=amount)
            for line, amount, above in zip(lines, amounts, bought_for, strict=True)
        ]
    )
    document = documents.order_document(order)
    PurchaseOrder.objects.filter(id=order.id).update(digest=documents.digest(document))
    event = emit(
        type="order.issued",
        chain="supply",
        subject=("order", order.id),
        by=by,
        sections={"document": Section(document)},
        audience=[buyer, seller],
        payload=party_ids(order),
    )
    keep_version(event, order=order, document=document)
    return order


def _used(buyer: UUID, key: str) -> bool:
    """Whether the buyer's own office issued an order of that number, or signed one. What a seller only proposed uses no number up."""
    own = Q(issued_by__organisation=buyer) | ~Q(state=OrderState.ISSUED)
    return PurchaseOrder.objects.exclude(state__in=ENDED).filter(own, buyer=buyer, order_key=key).exists()


def _local_date() -> datetime.date:
    return clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()


def _sign_order(
    *, by: Actor, order_id: UUID, act: SignedAct, client_event_id: str, party: str, action: str, step: str, done: str
) -> PurchaseOrder:
    member = acting_signer(by, "order")
    order = lock_order(order_id, party=party, organisation=by.organisation)
    device = acting_device(by)
    document = documents.order_document(order)
    counterparty = order.seller if party == "buyer" else order.buyer
    if Signature.objects.filter(action=action, subject_id=order.id, version=order.version).exists():
        raise errors.AlreadySigned()
    _check_recorded(order, document)
    signature = check_act(
        act,
        by=by,
        member=member,
        device=device,
        client_event_id=client_event_id,
        action=action,
        document=document,
        order=order,
        counterparty_uscc=counterparty.uscc,
        lines=[{"line_id": line["line_id"], "quantity": line["quantity"]} for line in document["lines"]],
        total={"amount": document["total"], "currency": order.currency},
    )
    places.check_place(act.capture, order)
    check_consent(by, act)
    try:
        with transaction.atomic():
            move(order, ORDER_TRANSITIONS, step)
    except IntegrityError:
        raise errors.NumberTaken("The buyer has signed another order of that number.", field="signed.order") from None
    event_id = new_id()
    row = keep_signature(
        by=by,
        member=member,
        device=device,
        act=act,
        client_event_id=client_event_id,
        action=action,
        subject=("order", order.id),
        order=order,
        event_id=event_id,
        assurance=by.assurance,
    )
    emit(
        event_id=event_id,
        type=done,
        chain="supply",
        subject=("order", order.id),
        version=order.version,
        by=by,
        sections={
            "document": Section(document),
            "act": Section(signature_section(row)),
            "signature": signature,
            "capture": capture_section(by, act, document["id"]),
        },
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order, member=by.member, device=by.device),
    )
    attach_files(by, act, ("order", order.id))
    return order


def _check_recorded(order: PurchaseOrder, document: documents.Document) -> None:
    """Raises RecordAltered when the rows no longer say what the ledger was told last: a signature would make somebody's alteration true."""
    told = Event.objects.filter(subject_id=order.id, sections__name="document").order_by("-id").first()
    try:
        recorded = told and open_section(told.id, "document").content
    except (Erased, ValueError):
        recorded = None
    if recorded != document:
        raise errors.RecordAltered()


def sign_order(*, by: Actor, order_id: UUID, act: SignedAct, client_event_id: str) -> PurchaseOrder:
    """The buyer signs an issued order with the device key. Raises what acting_device, check_act and attach_voucher do, AlreadySigned, WrongState, NotFound, Forbidden."""
    with transaction.atomic():
        return _sign_order(
            by=by,
            order_id=order_id,
            act=act,
            client_event_id=client_event_id,
            party="buyer",
            action="order.sign",
            step="sign",
            done="order.signed",
        )


def confirm_order(*, by: Actor, order_id: UUID, act: SignedAct, client_event_id: str) -> PurchaseOrder:
    """The seller confirms the version that the buyer signed. Raises as sign_order."""
    with transaction.atomic():
        return _sign_order(
            by=by,
            order_id=order_id,
            act=act,
            client_event_id=client_event_id,
            party="seller",
            action="order.confirm",
            step="confirm",
            done="order.confirmed",
        )


@transaction.atomic
def reject_order(*, by: Actor, order_id: UUID, reason: str) -> PurchaseOrder:
    """The buyer sends back an issued order, or the seller refuses one that the buyer signed, and says why."""
    acting_member(by, "signer", "maker", "admin")
    order = lock_order_of(order_id, organisation=by.organisation)
    move(order, ORDER_TRANSITIONS, "reject" if by.organisation == order.buyer_id else "refuse")
    PurchaseOrder.objects.filter(id=order.id).update(rejection_reason=reason)
    emit(
        type="order.rejected",
        chain="supply",
        subject=("order", order.id),
        version=order.version,
        by=by,
        sections={"act": Section({"reason": reason})},
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order),
    )
    return order


@transaction.atomic
def withdraw_order(*, by: Actor, order_id: UUID, reason: str) -> PurchaseOrder:
    """Whoever issued an order takes it back, as long as the seller has not confirmed it. Raises NotIssuer, WrongState."""
    acting_member(by, "signer", "maker", "admin")
    order = lock_order_of(order_id, organisation=by.organisation)
    if order.issued_by.organisation_id != by.organisation:
        raise errors.NotIssuer()
    move(order, ORDER_TRANSITIONS, "withdraw")
    PurchaseOrder.objects.filter(id=order.id).update(cancellation_reason=reason)
    emit(
        type="order.withdrawn",
        chain="supply",
        subject=("order", order.id),
        version=order.version,
        by=by,
        sections={"act": Section({"reason": reason})},
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order),
    )
    return order
