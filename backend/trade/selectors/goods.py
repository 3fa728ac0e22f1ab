"""Reads of the supply chain, each scoped to who asks: own, counterparty's, carried, or all for the operator's risk officers and auditors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, QuerySet, When

from backend.core.errors import NotFound
from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.money import line_amount_fen, money_text, quantity_text
from backend.evidence.models import VoucherKind
from backend.evidence.subjects import Subject
from backend.parties.models import Member, Organisation, OrganisationKind, Role, Verification
from backend.parties.selectors import audits, member_of, signs, watches_risk
from backend.trade.documents import number_key
from backend.trade.models import (
    OPEN_DESPATCH,
    ORDER_TRANSITIONS,
    AmendmentState,
    Despatch,
    DirectLine,
    Milestone,
    OrderAmendment,
    OrderLine,
    OrderState,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Signature,
)
from backend.trade.selectors.back_to_back import (
    DIRECT_LINES,
    lines_with_accepted,
    lines_with_sent,
    orders_through,
    told_orders,
    with_way,
)

TASKS_LIMIT = 100
CARRIERS_LIMIT = 200
ANSWERING = (Role.SIGNER, Role.MAKER, Role.ADMIN)
DESPATCHING = (Role.MAKER, Role.SIGNER)
ATTACHING = (Role.MAKER, Role.CHECKER, Role.SIGNER, Role.DRIVER, Role.ADMIN)
PRICED_VOUCHERS = (VoucherKind.CONTRACT.value, VoucherKind.INVOICE.value)


@dataclass(frozen=True)
class Viewer:
    """Who looks, and whether all orders lie open to them (risk officers of the verified operator, verified auditors)."""

    member: Member
    sees_all: bool

    @property
    def organisation(self) -> Organisation:
        return self.member.organisation


def viewer(by: Actor) -> Viewer:
    """The viewer of an actor. Raises NotFound when no active member acts."""
    member = member_of(by)
    if member is None:
        raise NotFound()
    return Viewer(member, sees_all=audits(member) or watches_risk(member))


def _own(who: Viewer, path: str = "") -> Q:
    if who.sees_all:
        return Q()
    return Q(**{f"{path}buyer": who.organisation}) | Q(**{f"{path}seller": who.organisation})


def _own_way(who: Viewer, despatch: str) -> Q:
    """Despatches, named by the path to them, that go through an order of the viewer's between those that they were sent under and end with."""
    if who.sees_all:
        return Q()
    direct = DirectLine.objects.filter(_own(who, "order_line__order__"), despatch_line__despatch=OuterRef(despatch))
    return Q(Exists(direct))


def orders(by: Actor) -> QuerySet[PurchaseOrder]:
    """Orders of the caller's organisation as buyer or seller."""
    return (
        PurchaseOrder.objects.filter(_own(viewer(by)))
        .select_related("buyer", "seller")
        .prefetch_related("lines__fulfils")
    )


def despatches(by: Actor) -> QuerySet[Despatch]:
    """Despatches of the caller's orders, also those that go directly from further down; for a carrier the trips of its drivers, for a driver the own ones."""
    who = viewer(by)
    scope = _own(who, "order__") | _own_way(who, "pk")
    if who.organisation.kind == OrganisationKind.CARRIER:
        scope |= Q(driver=who.member) if who.member.has_role(Role.DRIVER) else Q(carrier=who.organisation)
    return (
        with_way()
        .filter(scope)
        .prefetch_related(
            Prefetch("milestones", Milestone.objects.select_related("member__person").order_by("id")),
            Prefetch("receipt", Receipt.objects.only("id", "receipt_no", "state", "despatch_id")),
        )
    )


def receipts(by: Actor) -> QuerySet[Receipt]:
    """Receipts of the caller's orders, and of what the caller sent, or had sent, directly to a buyer further up: those are shown by count alone."""
    who = viewer(by)
    scope = _own(who, "order__") | _own(who, "despatch__order__") | _own_way(who, "despatch")
    lines = ReceiptLine.objects.select_related("despatch_line__order_line", "despatch_line__end_line")
    direct = Prefetch("despatch_line__direct_lines", DIRECT_LINES.queryset)
    return (
        Receipt.objects.filter(scope)
        .select_related(
            "order__buyer",
            "order__seller",
            "despatch__order__buyer",
            "despatch__order__seller",
            "despatch__end_order__buyer",
            "despatch__end_order__seller",
            "organisation",
            "signer_member__person",
            "device",
        )
        .prefetch_related(Prefetch("lines", lines.prefetch_related(direct)))
    )


def find_order(by: Actor, order_id: UUID) -> PurchaseOrder:
    """One of the caller's orders, NotFound otherwise."""
    return _one(orders(by).filter(id=order_id))


def order_number(by: Actor, order_id: UUID) -> str:
    """The number of one of the caller's orders, whatever the rest of its row says; NotFound otherwise."""
    return str(_one(orders(by).filter(id=order_id).prefetch_related(None).values_list("order_no", flat=True)))


def order_by_number(by: Actor, buyer_uscc: str, order_no: str) -> UUID:
    """Which of the caller's orders has this buyer's code and this number as people write it, NotFound otherwise.

    Several may claim a code: the order of whoever is verified under it goes before the others'. Several sellers may propose an order of one
    number: the one that the buyer signed goes before those. A rejected or cancelled order frees its number.
    """
    if "\0" in buyer_uscc + order_no:  # which no number holds, and PostgreSQL would not look for
        raise NotFound()
    found = orders(by).filter(buyer__uscc=buyer_uscc, order_key=number_key(order_no))
    verified_first = Case(When(buyer__verification=Verification.VERIFIED, then=0), default=1)
    signed_first = Case(
        When(state__in=(OrderState.REJECTED, OrderState.CANCELLED), then=2),
        When(state=OrderState.ISSUED, then=1),
        default=0,
    )
    ranked = found.order_by(verified_first, signed_first, "-id").prefetch_related(None)
    identity: UUID = _one(ranked.values_list("id", flat=True)[:1])
    return identity


def find_despatch(by: Actor, despatch_id: UUID) -> Despatch:
    """One of the caller's despatches, NotFound otherwise."""
    return _one(despatches(by).filter(id=despatch_id))


def find_receipt(by: Actor, receipt_id: UUID) -> Receipt:
    """One of the caller's receipts, NotFound otherwise."""
    return _one(receipts(by).filter(id=receipt_id))


def _one(rows: Any) -> Any:
    for row in rows:
        return row
    raise NotFound()


def order_subject(by: Actor, order_id: UUID) -> Subject:
    """An order as something to attach vouchers to: its two parties may."""
    order = find_order(by, order_id)
    parties = (order.buyer_id, order.seller_id)
    return Subject(order.id, order.id, parties, may_attach=may_attach(viewer(by), parties))


def despatch_subject(by: Actor, despatch_id: UUID) -> Subject:
    """A despatch: the parties of its orders and the carrier may attach. Vouchers that tell prices are for those who see all of its prices."""
    despatch = find_despatch(by, despatch_id)
    who = viewer(by)
    parties = despatch_parties(despatch)
    unseen = () if sees_all_prices(who, despatch) else PRICED_VOUCHERS
    return Subject(
        despatch.id,
        despatch.order_id,
        parties,
        may_attach=may_attach(who, parties),
        unseen=unseen,
        told={one: {"order": order} for one, order in told_orders(despatch).items()},
    )


def despatch_parties(despatch: Despatch) -> tuple[UUID, ...]:
    """Whom a despatch concerns: buyer and seller of every order that it goes through, and the carrier."""
    named = [one for order in orders_through(despatch) for one in (order.buyer_id, order.seller_id)]
    return tuple(dict.fromkeys([*named, *([despatch.carrier_id] if despatch.carrier_id else [])]))


def receipt_subject(by: Actor, receipt_id: UUID) -> Subject:
    """A receipt: the two parties of its order may attach, and look. Whoever delivered for them counts, and sees no picture."""
    receipt = find_receipt(by, receipt_id)
    if not sees_prices(viewer(by), receipt.order):
        raise NotFound()
    parties = (receipt.order.buyer_id, receipt.order.seller_id)
    return Subject(receipt.id, receipt.order_id, parties, may_attach=may_attach(viewer(by), parties))


def may_attach(who: Viewer, parties: Iterable[UUID | None]) -> bool:
    """Whether the viewer may add vouchers to a document of these parties: whoever only looks may not."""
    return who.organisation.id in parties and who.member.has_role(*ATTACHING)


def sees_prices(who: Viewer, order: PurchaseOrder) -> bool:
    """Prices are for the order's own parties and for those who see all; a carrier gets none."""
    return who.sees_all or who.organisation.id in (order.buyer_id, order.seller_id)


def sees_all_prices(who: Viewer, despatch: Despatch) -> bool:
    """Whether the viewer is a party of every order that a despatch goes through: neither end sees the other's price."""
    return all(sees_prices(who, order) for order in orders_through(despatch))


def signatures(order: PurchaseOrder) -> list[Signature]:
    """Who signed the order and its receipts, oldest first."""
    return list(order.signatures.select_related("member__person", "organisation", "device").order_by("id"))


def carriers(by: Actor) -> QuerySet[Organisation]:
    """Verified carriers with their active members, for a seller who has an order to send off; none for anybody else."""
    who = viewer(by)
    ready = PurchaseOrder.objects.filter(seller=who.organisation, state__in=ORDER_TRANSITIONS["despatch"])
    if not who.member.has_role(*DESPATCHING) or not ready.exists():
        return Organisation.objects.none()
    drivers = Member.objects.filter(active=True).select_related("person")
    return (
        Organisation.objects.filter(kind=OrganisationKind.CARRIER, verification="VERIFIED")
        .prefetch_related(Prefetch("members", drivers))
        .order_by("name")
    )


def tasks(by: Actor) -> list[dict[str, Any]]:
    """What waits for the caller, oldest first, at most 100 of a kind: to sign, to confirm, to answer, to despatch, to receive, to drive."""
    who = viewer(by)
    member = who.member
    found: list[dict[str, Any]] = []
    placed = orders(by).filter(buyer=who.organisation).order_by("id")
    taken = orders(by).filter(seller=who.organisation).order_by("id")
    signs_orders, signs_receipts = signs(member, "order", "receipt")
    if signs_orders:
        found += [
            _order_task("order_to_sign", order, order.seller)
            for order in placed.filter(state=OrderState.ISSUED)[:TASKS_LIMIT]
        ]
    if signs_receipts:
        arriving = despatches(by).filter(received_by(who.organisation), state__in=OPEN_DESPATCH).order_by("id")
        found += [_despatch_task("delivery_to_receive", row, prices=True) for row in arriving[:TASKS_LIMIT]]
    if signs_orders:
        found += [
            _order_task("order_to_confirm", order, order.buyer)
            for order in taken.filter(state=OrderState.BUYER_SIGNED)[:TASKS_LIMIT]
        ]
        found += [_amendment_task(row, who) for row in _unanswered(who)[:TASKS_LIMIT]]
    if member.has_role(*DESPATCHING):
        left = lines_with_sent().filter(order=OuterRef("pk")).filter(quantity__gt=F("sent"))
        sending = taken.filter(Exists(left), state__in=ORDER_TRANSITIONS["despatch"])
        found += [_order_task("order_to_despatch", order, order.buyer) for order in sending[:TASKS_LIMIT]]
    if member.has_role(Role.DRIVER):
        trips = despatches(by).filter(driver=member, state__in=OPEN_DESPATCH).order_by("id")
        found += [_despatch_task("trip", row, prices=False) for row in trips[:TASKS_LIMIT]]
    return found


def received_by(organisation: UUID | Organisation | None) -> Q:
    """Despatches that this organisation signs for."""
    return Q(end_order=None, order__buyer=organisation) | Q(end_order__buyer=organisation)


def sent_quantities(order: PurchaseOrder) -> dict[str, Decimal]:
    """What was despatched of each line, also directly from further down, and did not come back, by line number."""
    return dict(lines_with_sent().filter(order=order).values_list("line_id", "sent"))


def all_delivered(order: PurchaseOrder) -> bool:
    """Whether of every line as much was accepted as was ordered, by its own buyer or by one further up."""
    return not lines_with_accepted().filter(order=order, accepted__lt=F("quantity")).exists()


def delivered_as(order: PurchaseOrder) -> str:
    """By which transition an order that was being amended goes on: by what was accepted of it."""
    if all_delivered(order):
        return "amended_all"
    accepted = lines_with_accepted().filter(order=order, accepted__gt=0)
    return "amended_part" if accepted.exists() else "amended"


def undespatched(order: PurchaseOrder) -> dict[str, str]:
    """What may still be sent, by line number: ordered less despatched; lines with nothing left are absent."""
    sent = sent_quantities(order)
    left = {line.line_id: line.quantity - sent[line.line_id] for line in order.lines.all()}
    return {line_id: quantity_text(quantity) for line_id, quantity in left.items() if quantity > 0}


def lines_summary(lines: Sequence[tuple[OrderLine, Decimal]]) -> dict[str, Any]:
    """An order or despatch in one line: how many lines, and the first with its quantity."""
    if not lines:  # somebody removed them: the document is shown all the same
        return {"count": 0, "first_item": "", "quantity": quantity_text(Decimal(0)), "unit": ""}
    first, quantity = lines[0]
    return {
        "count": len(lines),
        "first_item": first.item_name,
        "quantity": quantity_text(quantity),
        "unit": first.unit,
    }


def order_lines_summary(order: PurchaseOrder) -> dict[str, Any]:
    """An order's lines in one."""
    return lines_summary([(line, line.quantity) for line in order.lines.all()])


def _order_task(kind: str, order: PurchaseOrder, counterparty: Organisation) -> dict[str, Any]:
    return {
        "kind": kind,
        "subject": typed("order", order.id),
        "order": {"id": typed("order", order.id), "order_no": order.order_no},
        "number": order.order_no,
        "counterparty": {"name": counterparty.name, "name_en": counterparty.name_en},
        "lines_summary": order_lines_summary(order),
        "total": {"amount": money_text(order.total_fen), "currency": order.currency},
        "since": order.issued_at,
        "state": order.state,
    }


def _unanswered(who: Viewer) -> QuerySet[OrderAmendment]:
    """Changes that the other side proposed and that wait for the viewer's."""
    waiting = OrderAmendment.objects.filter(_own(who, "order__"), state=AmendmentState.PROPOSED)
    return (
        waiting.exclude(proposed_by__organisation=who.organisation)
        .select_related("order", "proposed_by__organisation")
        .prefetch_related("order__lines")
        .order_by("id")
    )


def _amendment_task(amendment: OrderAmendment, who: Viewer) -> dict[str, Any]:
    kind = "amendment_to_answer" if amendment.kind == "AMEND" else "cancellation_to_answer"
    task = _order_task(kind, amendment.order, amendment.proposed_by.organisation)
    return task | {"since": amendment.proposed_at}


def _despatch_task(kind: str, despatch: Despatch, *, prices: bool) -> dict[str, Any]:
    order, lines = despatch.receiving_order, list(despatch.lines.all())
    counterparty = order.seller if prices else order.buyer
    worth = sum(line_amount_fen(line.quantity, Decimal(line.receiving_price)) for line in lines)
    return {
        "kind": kind,
        "subject": typed("despatch", despatch.id),
        "order": {"id": typed("order", order.id), "order_no": order.order_no},
        "number": despatch.despatch_no,
        "counterparty": {"name": counterparty.name, "name_en": counterparty.name_en},
        "lines_summary": lines_summary([(line.receiving_line, line.quantity) for line in lines]),
        "total": {"amount": money_text(worth), "currency": order.currency} if prices else None,
        "since": despatch.despatched_at,
        "state": despatch.state,
    }
