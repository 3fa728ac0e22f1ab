from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.core.errors import NotFound
from backend.core.events import Actor, emit
from backend.core.ids import new_id, typed
from backend.core.models import Event
from backend.core.money import line_amount_fen, money_text, quantity_text
from backend.core.sections import Section
from backend.trade import documents, errors, places
from backend.trade.models import (
    DESPATCH_TRANSITIONS,
    OPEN_DESPATCH,
    ORDER_TRANSITIONS,
    Despatch,
    DirectLine,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    ReceiptState,
)
from backend.trade.selectors import all_delivered, orders_through, received_by, with_way
from backend.trade.services.acts import (
    acting_signer,
    assurance_of,
    attach_files,
    capture_section,
    check_consent,
    despatch_audience,
    keep_signature,
    lock_orders,
    move,
    order_told,
    party_ids,
    signature_section,
)
from backend.trade.services.versions import keep_version
from backend.trade.signing import SignedAct, acting_device, check_act

# What the delivery becomes; anything between all and nothing is a part.
RECEIVED_AS: dict[str, str] = {ReceiptState.SIGNED: "receive", ReceiptState.REJECTED: "return"}


@dataclass(frozen=True)
class SignedReceipt:
    """What a signature wrote: the receipt, its lines in the despatch's order, its event; and whether pictures were attached."""

    receipt: Receipt
    lines: list[ReceiptLine]
    event: Event
    pictures: bool


@transaction.atomic
def sign_receipt(*, by: Actor, despatch_id: UUID, act: SignedAct, client_event_id: str) -> SignedReceipt:
    """The buyer signs for a delivery: counts, capture, place, device key. One receipt a despatch; whoever comes second gets ReceiptExists.

    Raises what acting_device, check_act and attach_voucher do, QuantityInvalid (field of the line), LocationInvalid, ConsentMissing, WrongState, NotFound, Forbidden.
    """
    member = acting_signer(by, "receipt")
    despatch = _lock_despatch(despatch_id, by.organisation)
    order = despatch.receiving_order
    device = acting_device(by)
    if despatch.state not in OPEN_DESPATCH and Receipt.objects.filter(despatch=despatch).exists():
        raise errors.ReceiptExists()
    counts = _counts(despatch, act.signed["lines"])
    total_fen = sum(count.amount_fen for count in counts)
    document = documents.despatch_document(despatch)
    signature = check_act(
        act,
        by=by,
        member=member,
        device=device,
        client_event_id=client_event_id,
        action="receipt.sign",
        document=document,
        order=order,
        counterparty_uscc=order.seller.uscc,
        lines=[_count_document(count) for count in counts],
        total={"amount": money_text(total_fen), "currency": order.currency},
        order_version=despatch.receiving_version,
    )
    place = places.check_place(act.capture, order)
    check_consent(by, act)
    state = _receipt_state(counts)
    move(
        despatch,
        DESPATCH_TRANSITIONS,
        RECEIVED_AS.get(state, "receive_part"),
    )
    receipt = Receipt(
        receipt_no=f"{despatch.despatch_no}-R",
        order=order,
        despatch=despatch,
        state=state,
        organisation=order.buyer,
        signer_member=member,
        device=device,
        assurance=assurance_of(by, place),
        total_fen=total_fen,
        captured_at=act.captured_at,
        signed_at=clock.now(),
        simulated=by.simulated,
        **asdict(place),
    )
    written = documents.receipt_document(receipt, counts)
    receipt.digest = documents.digest(written)
    receipt.save(force_insert=True)
    for count in counts:
        count.receipt = receipt
    ReceiptLine.objects.bulk_create(counts)
    for one in orders_through(despatch):
        move(one, ORDER_TRANSITIONS, _delivered_as(one, state))
    event_id = new_id()
    row = keep_signature(
        by=by,
        member=member,
        device=device,
        act=act,
        client_event_id=client_event_id,
        action="receipt.sign",
        subject=("receipt", receipt.id),
        order=order,
        event_id=event_id,
        assurance=receipt.assurance,
    )
    event = emit(
        event_id=event_id,
        type="receipt.signed",
        chain="supply",
        subject=("receipt", receipt.id),
        by=by,
        sections={
            "document": Section(written),
            "circumstances": Section(
                documents.receipt_circumstances(receipt), by.person, "circumstances", typed("receipt", receipt.id)
            ),
            "act": Section(signature_section(row)),
            "signature": signature,
            "capture": capture_section(by, act, typed("receipt", receipt.id)),
        },
        audience=despatch_audience(despatch),
        payload=party_ids(order, receipt=receipt.id, despatch=despatch.id, member=by.member, device=by.device),
        told=order_told(despatch),
    )
    keep_version(event, order=order, document=written)
    attach_files(by, act, ("receipt", receipt.id))
    return SignedReceipt(receipt, counts, event, pictures=bool(act.files))


def _lock_despatch(despatch_id: UUID, buyer: UUID | None) -> Despatch:
    """The despatch with its lines, all its orders locked until the transaction ends. NotFound unless it goes to this buyer."""
    sent = Despatch.objects.filter(received_by(buyer), id=despatch_id)
    above = DirectLine.objects.filter(despatch_line__despatch__in=sent)
    through = sent.order_by().values_list("order").union(above.order_by().values_list("order_line__order"))
    lock_orders(one for (one,) in through)
    for despatch in with_way().filter(received_by(buyer), id=despatch_id):
        return despatch
    raise NotFound()


def _counts(despatch: Despatch, given: list[dict[str, str]]) -> list[ReceiptLine]:
    """The counted lines, in the despatch's order, each adding up. Raises QuantityInvalid naming the field."""
    lines = list(despatch.lines.all())
    if [line.despatch_line for line in lines] != [one["despatch_line"] for one in given]:
        raise errors.QuantityInvalid("Count every line of the delivery once, in its order.", field="signed.lines")
    counts = []
    for place, (line, one) in enumerate(zip(lines, given, strict=True)):
        received, accepted, short, rejected, over = (
            Decimal(one[f"{kind}_quantity"]) for kind in ("received", "accepted", "short", "rejected", "oversupply")
        )
        where = f"signed.lines.{place}"
        if received + short != line.quantity + over or (short and over):
            raise errors.QuantityInvalid(
                "Received and short together are not what was despatched and oversupplied.",
                field=f"{where}.received_quantity",
            )
        if accepted != received - rejected - over:
            raise errors.QuantityInvalid(
                "Accepted is received less rejected and oversupplied.", field=f"{where}.accepted_quantity"
            )
        if bool(rejected) != bool(one["reject_reason"]):
            raise errors.QuantityInvalid(
                "A rejection needs a reason, a reason needs a rejection.", field=f"{where}.reject_reason"
            )
        counts.append(
            ReceiptLine(
                despatch_line=line,
                received_quantity=received,
                accepted_quantity=accepted,
                short_quantity=short,
                rejected_quantity=rejected,
                reject_reason=one["reject_reason"],
                oversupply_quantity=over,
                amount_fen=line_amount_fen(accepted, Decimal(line.receiving_price)),
            )
        )
    return counts


def _count_document(count: ReceiptLine) -> dict[str, str]:
    names = ("received_quantity", "accepted_quantity", "short_quantity", "rejected_quantity", "oversupply_quantity")
    quantities = {name: quantity_text(getattr(count, name)) for name in names}
    return {"despatch_line": count.despatch_line.despatch_line, "reject_reason": count.reject_reason, **quantities}


def _receipt_state(counts: Iterable[ReceiptLine]) -> str:
    counts = list(counts)
    if all(
        count.accepted_quantity == count.despatch_line.quantity and not count.oversupply_quantity for count in counts
    ):
        return ReceiptState.SIGNED
    if all(not count.accepted_quantity for count in counts):
        return ReceiptState.REJECTED
    return ReceiptState.SIGNED_WITH_EXCEPTION


def _delivered_as(order: PurchaseOrder, state: str) -> str:
    if all_delivered(order):
        return "receive_all"
    return "receive_none" if state == ReceiptState.REJECTED else "receive_part"
