"""Changes of an order that both parties sign (UBL OrderChange), and its cancellation once it was confirmed.

One side proposes and signs the order as it will be; the other signs the same document, or refuses, or the first takes it back. Until then
nothing of the order changes, nothing more is sent off, and what is on its way is signed for as ever.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import IntegrityError, transaction

from backend.core import clock
from backend.core.errors import NotFound, RuleBroken
from backend.core.events import Actor, emit
from backend.core.ids import new_id
from backend.core.money import fen, line_amount_fen
from backend.core.sections import Section
from backend.parties.models import Device, Member
from backend.trade import documents, errors, places
from backend.trade.models import (
    AMENDMENT_TRANSITIONS,
    OPEN_DESPATCH,
    ORDER_TRANSITIONS,
    AmendmentKind,
    AmendmentState,
    OrderAmendment,
    OrderLine,
    PurchaseOrder,
    ReceiptState,
    Signature,
)
from backend.trade.selectors import delivered_as, deliveries_of, receipts_of, sent_quantities
from backend.trade.services.acts import (
    acting_member,
    acting_signer,
    attach_files,
    capture_section,
    check_consent,
    keep_signature,
    lock_order_of,
    move,
    party_ids,
    signature_section,
)
from backend.trade.services.orders import TOTAL_LIMIT_FEN, LineTerms
from backend.trade.services.versions import keep_version
from backend.trade.signing import SignedAct, acting_device, check_act

ACTS: dict[str, tuple[str, str]] = {
    AmendmentKind.AMEND: ("amendment.propose", "amendment.agree"),
    AmendmentKind.CANCEL: ("cancellation.propose", "cancellation.agree"),
}
# What a line is about stays: another item is another line.
FIXED = ("item_code", "item_name", "unit", "tax_rate")


@transaction.atomic
def propose_amendment(
    *,
    by: Actor,
    order_id: UUID,
    kind: str,
    reason: str,
    lines: Sequence[LineTerms] = (),
    act: SignedAct,
    client_event_id: str,
) -> OrderAmendment:
    """One party signs a change of a confirmed order (`AMEND`, with all its lines as they will be), or its cancellation (`CANCEL`).

    Raises AmendmentOpen (one waits already), WrongState, RuleBroken (what may not change, or nothing does), AlreadyDelivered, and what
    acting_device and check_act do.
    """
    member = acting_signer(by, "amendment")
    order = lock_order_of(order_id, organisation=by.organisation)
    device = acting_device(by)
    if order.amendments.filter(state=AmendmentState.PROPOSED).exists():
        raise errors.AmendmentOpen()
    if order.state not in ORDER_TRANSITIONS["amend"]:
        raise errors.WrongState(state=order.state)
    if kind == AmendmentKind.CANCEL:
        _check_nothing_delivered(order)
        document = documents.order_document(order)
    else:
        document = documents.amended_order_document(order, _amended_lines(order, lines))
        if not documents.line_differences(documents.order_document(order), document):
            raise RuleBroken("This changes nothing.", field="lines")
    signature = _check_signed(
        act, ACTS[kind][0], by=by, member=member, device=device, order=order, document=document, key=client_event_id
    )
    amendment = OrderAmendment(
        order=order,
        kind=kind,
        base_version=order.version,
        reason=reason,
        document=document,
        digest=documents.digest(document),
        proposed_by=member,
        proposed_at=clock.now(),
    )
    try:
        with transaction.atomic():
            amendment.save(force_insert=True)
    except IntegrityError:
        raise errors.AmendmentOpen() from None
    move(order, ORDER_TRANSITIONS, "amend")
    event_id = new_id()
    row = _keep(
        act,
        ACTS[kind][0],
        by=by,
        member=member,
        device=device,
        amendment=amendment,
        event_id=event_id,
        key=client_event_id,
    )
    proposal = documents.amendment_document(amendment)
    event = emit(
        event_id=event_id,
        type="amendment.proposed",
        chain="supply",
        subject=("amendment", amendment.id),
        by=by,
        sections={
            "document": Section(proposal),
            "act": Section(signature_section(row)),
            "signature": signature,
            "capture": capture_section(by, act, proposal["id"]),
        },
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order, amendment=amendment.id, member=by.member, device=by.device),
    )
    keep_version(event, order=order, document=proposal, reason=reason)
    attach_files(by, act, ("order", order.id))
    return amendment


@transaction.atomic
def agree_amendment(*, by: Actor, amendment_id: UUID, act: SignedAct, client_event_id: str) -> OrderAmendment:
    """The other party signs the same document: the order becomes its next version, or is cancelled.

    Raises OwnProposal, WrongState, DocumentChanged (the order is no longer what the proposal rests on), and what check_act does.
    """
    member = acting_signer(by, "amendment")
    amendment = _lock_amendment(by, amendment_id)
    order = amendment.order
    _check_others(by, amendment)
    device = acting_device(by)
    action = ACTS[amendment.kind][1]
    signature = _check_signed(
        act, action, by=by, member=member, device=device, order=order, document=amendment.document, key=client_event_id
    )
    move(amendment, AMENDMENT_TRANSITIONS, "agree")
    if amendment.kind == AmendmentKind.CANCEL:
        move(order, ORDER_TRANSITIONS, "cancel")
        PurchaseOrder.objects.filter(id=order.id).update(cancellation_reason=amendment.reason)
    else:
        _apply(amendment)
        move(order, ORDER_TRANSITIONS, delivered_as(order))
    event_id = new_id()
    row = _keep(
        act, action, by=by, member=member, device=device, amendment=amendment, event_id=event_id, key=client_event_id
    )
    event = emit(
        event_id=event_id,
        type="order.cancelled" if amendment.kind == AmendmentKind.CANCEL else "order.amended",
        chain="supply",
        subject=("order", order.id),
        version=order.version,
        by=by,
        sections={
            "document": Section(amendment.document),
            "act": Section(signature_section(row)),
            "signature": signature,
            "capture": capture_section(by, act, amendment.document["id"]),
        },
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order, amendment=amendment.id, member=by.member, device=by.device),
    )
    if amendment.kind == AmendmentKind.AMEND:
        keep_version(event, order=order, document=amendment.document, reason=amendment.reason)
    _close(amendment, event.time)
    attach_files(by, act, ("order", order.id))
    return amendment


@transaction.atomic
def refuse_amendment(*, by: Actor, amendment_id: UUID, reason: str) -> OrderAmendment:
    """The other party refuses and says why; the order is what it was. Raises OwnProposal, WrongState."""
    acting_member(by, "signer", "maker", "admin")
    amendment = _lock_amendment(by, amendment_id)
    _check_others(by, amendment)
    move(amendment, AMENDMENT_TRANSITIONS, "refuse")
    OrderAmendment.objects.filter(id=amendment.id).update(refusal_reason=reason)
    return _leave(by, amendment, done="amendment.refused", said={"act": Section({"reason": reason})})


@transaction.atomic
def withdraw_amendment(*, by: Actor, amendment_id: UUID) -> OrderAmendment:
    """Whoever proposed it takes it back; the order is what it was. Raises NotProposer, WrongState."""
    acting_member(by, "signer", "maker", "admin")
    amendment = _lock_amendment(by, amendment_id)
    if amendment.proposed_by.organisation_id != by.organisation:
        raise errors.NotProposer()
    move(amendment, AMENDMENT_TRANSITIONS, "withdraw")
    return _leave(by, amendment, done="amendment.withdrawn", said={})


def _leave(by: Actor, amendment: OrderAmendment, *, done: str, said: dict[str, Section]) -> OrderAmendment:
    """The order goes back to the state that its deliveries give, which may have gone on meanwhile."""
    order = amendment.order
    move(order, ORDER_TRANSITIONS, delivered_as(order))
    event = emit(
        type=done,
        chain="supply",
        subject=("amendment", amendment.id),
        by=by,
        sections=said,
        audience=[order.buyer_id, order.seller_id],
        payload=party_ids(order, amendment=amendment.id),
    )
    _close(amendment, event.time)
    return amendment


def _close(amendment: OrderAmendment, at: datetime) -> None:
    OrderAmendment.objects.filter(id=amendment.id).update(closed_at=at)


def _lock_amendment(by: Actor, amendment_id: UUID) -> OrderAmendment:
    """The amendment, its order locked until the transaction ends. NotFound unless the caller's side is one of the order's."""
    found = OrderAmendment.objects.filter(id=amendment_id).values_list("order_id", flat=True).first()
    if found is None:
        raise NotFound()
    order = lock_order_of(found, organisation=by.organisation)
    amendment = OrderAmendment.objects.select_related("proposed_by").get(id=amendment_id)
    amendment.order = order
    return amendment


def _check_others(by: Actor, amendment: OrderAmendment) -> None:
    if amendment.proposed_by.organisation_id == by.organisation:
        raise errors.OwnProposal()
    if amendment.state != AmendmentState.PROPOSED:
        raise errors.WrongState(state=amendment.state)


def _check_signed(
    act: SignedAct,
    action: str,
    *,
    by: Actor,
    member: Member,
    device: Device,
    order: PurchaseOrder,
    document: documents.Document,
    key: str,
) -> Section:
    """Verifies that what was signed is the order as it will be, on top of the order as it is."""
    signature = check_act(
        act,
        by=by,
        member=member,
        device=device,
        client_event_id=key,
        action=action,
        document=document,
        order=order,
        counterparty_uscc=(order.seller if by.organisation == order.buyer_id else order.buyer).uscc,
        lines=[{"line_id": line["line_id"], "quantity": line["quantity"]} for line in document["lines"]],
        total={"amount": document["total"], "currency": order.currency},
    )
    places.check_place(act.capture, order)
    check_consent(by, act)
    return signature


def _keep(
    act: SignedAct,
    action: str,
    *,
    by: Actor,
    member: Member,
    device: Device,
    amendment: OrderAmendment,
    event_id: UUID,
    key: str,
) -> Signature:
    return keep_signature(
        by=by,
        member=member,
        device=device,
        act=act,
        client_event_id=key,
        action=action,
        subject=("amendment", amendment.id),
        order=amendment.order,
        event_id=event_id,
        assurance=by.assurance,
        version=1,
    )


def _amended_lines(order: PurchaseOrder, lines: Sequence[LineTerms]) -> list[OrderLine]:
    """The order's lines as they will be, in its order, new ones behind. Raises RuleBroken naming the line."""
    asked = {line.line_id: (place, line) for place, line in enumerate(lines)}
    if len(asked) < len(lines):
        raise RuleBroken("Two lines carry the same number.", field="lines")
    sent = sent_quantities(order)
    present = list(order.lines.all())
    if {line.line_id for line in present} - asked.keys():
        raise RuleBroken("A line cannot be taken out of a confirmed order: name them all.", field="lines")
    ordered = [asked[line.line_id] for line in present]
    known = {line.line_id: line for line in present}
    added = [(place, line) for place, line in asked.values() if line.line_id not in known]
    amended = []
    for place, line in [*ordered, *added]:
        before = known.get(line.line_id)
        if before:
            _check_line(before, line, sent[line.line_id], f"lines.{place}")
        bought_for = before.fulfils if before else None
        if line.fulfils and line.fulfils != (bought_for and (bought_for.order_id, bought_for.line_id)):
            raise RuleBroken(
                "What a line is bought for is said when it is first ordered.", field=f"lines.{place}.fulfils"
            )
        amount = line_amount_fen(line.quantity, Decimal(line.unit_price))
        amended.append(OrderLine(order=order, **(asdict(line) | {"fulfils": bought_for}), amount_fen=amount))
    if not 0 < sum(line.amount_fen for line in amended) < TOTAL_LIMIT_FEN:
        raise RuleBroken("An order costs more than nothing, and less than ten trillion.", field="lines")
    return amended


def _check_line(present: OrderLine, asked: LineTerms, sent: Decimal, where: str) -> None:
    for name in FIXED:
        if getattr(present, name) != getattr(asked, name):
            raise RuleBroken(
                "What a line is about cannot change: add a line for another item.", field=f"{where}.{name}"
            )
    if sent > asked.quantity * (1 + Decimal(asked.tolerance_pct) / 100):
        raise RuleBroken(f"{sent} were despatched of this line already.", field=f"{where}.quantity")


def _check_nothing_delivered(order: PurchaseOrder) -> None:
    """An order of which something was received stands; goods on their way come to an order that is still there."""
    received = receipts_of(order.id).exclude(state=ReceiptState.REJECTED)
    if received.exists() or deliveries_of(order.id).filter(state__in=OPEN_DESPATCH).exists():
        raise errors.AlreadyDelivered()


def _apply(amendment: OrderAmendment) -> None:
    """Makes the order what both have signed. Raises DocumentChanged when it would be anything else."""
    order, document = amendment.order, amendment.document
    for line in document["lines"]:
        terms = {name: line[name] for name in (*FIXED, "unit_price", "tolerance_pct")}
        terms |= {"quantity": Decimal(line["quantity"]), "amount_fen": fen(line["amount"])}
        OrderLine.objects.update_or_create(order=order, line_id=line["line_id"], defaults=terms)
    order.version, order.total_fen, order.digest = amendment.base_version + 1, fen(document["total"]), amendment.digest
    order.save(update_fields=["version", "total_fen", "digest"])
    if documents.digest(documents.order_document(order)) != amendment.digest:
        raise errors.DocumentChanged()
