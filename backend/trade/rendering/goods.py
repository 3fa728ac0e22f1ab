"""How documents leave by the API: the canonical document, its digest, where it stands in the ledger, and what the viewer may do next."""

from typing import Any
from uuid import UUID

from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.models import Event
from backend.core.money import money_text, quantity_text
from backend.evidence.selectors import Anchor, anchors, voucher_cards, waiting_anchor
from backend.parties.models import Device, Member, Organisation, Role
from backend.trade import documents, places, selectors, texts
from backend.trade.models import (
    OPEN_DESPATCH,
    ORDER_TRANSITIONS,
    Despatch,
    DespatchState,
    PlaceFacts,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Signature,
)
from backend.trade.services import SignedReceipt

Body = dict[str, Any]
DRIVER_ACTIONS: dict[str, list[str]] = {DespatchState.DESPATCHED: ["pick_up"], DespatchState.IN_TRANSIT: ["arrive"]}


def newest_events(subjects: list[UUID], types: tuple[str, ...]) -> dict[UUID, UUID]:
    """The newest event of those types a subject: the one that carries its present document."""
    rows = Event.objects.filter(subject_id__in=subjects, type__in=types).order_by("id").values_list("subject_id", "id")
    return dict(rows)


def organisation_body(organisation: Organisation) -> Body:
    """A firm as its partners see it."""
    return {
        "id": typed("organisation", organisation.id),
        "uscc": organisation.uscc,
        "name": organisation.name,
        "name_en": organisation.name_en,
    }


def person_body(member: Member) -> Body:
    """A member by name."""
    return {"id": typed("member", member.id), "name": member.person.name, "name_en": member.person.name_en}


def _signing(action: str) -> Body:
    text = texts.CURRENT[action]
    return {
        "action": action,
        "text_id": text.text_id,
        "text_version": text.version,
        "text": {"zh": text.zh, "en": text.en},
    }


def place_body(place: PlaceFacts, order: PurchaseOrder, *, own: bool) -> Body:
    """What is known of an act's place: the distance for whose own act it was, a band for everybody else, never a coordinate."""
    return {
        "provided": place.location_given,
        "precision_class": place.precision_class,
        "accuracy_m": place.accuracy_m if own else None,
        "age_s": place.age_s if own else None,
        "distance_m": documents.whole_metres(place.distance_m) if own else None,
        "distance_band": places.distance_band(place, order.radius_m),
        "within": place.within,
        "simulated": place.simulated,
    }


def device_body(device: Device, *, shown: bool) -> Body | None:
    """A handset by id and model; None for the other side."""
    return {"id": typed("device", device.id), "model": device.model} if shown else None


def signature_body(row: Signature, anchor: Any, who: selectors.Viewer) -> Body:
    """Who signed what, with what assurance, and for the own side on which device."""
    return {
        "action": row.action,
        "subject": typed(row.subject_type, row.subject_id),
        "member": person_body(row.member),
        "organisation": organisation_body(row.organisation),
        "device": device_body(row.device, shown=who.sees_all or row.organisation_id == who.organisation.id),
        "assurance": row.assurance,
        "simulated": row.simulated,
        "at": row.at,
        "anchor": anchor,
    }


def order_summary(order: PurchaseOrder) -> Body:
    """An order in a list."""
    return {
        "id": typed("order", order.id),
        "order_no": order.order_no,
        "version": order.version,
        "state": order.state,
        "buyer": organisation_body(order.buyer),
        "seller": organisation_body(order.seller),
        "total": {"amount": money_text(order.total_fen), "currency": order.currency},
        "lines_summary": selectors.order_lines_summary(order),
        "issued_at": order.issued_at,
    }


def order_body(order: PurchaseOrder, by: Actor) -> Body:
    """An order whole, with what the viewer may do."""
    who = selectors.viewer(by)
    rows = selectors.signatures(order)
    issued = newest_events([order.id], ("order.issued",))
    known = anchors([*issued.values(), *(row.event_id for row in rows)])
    document = documents.order_document(order)
    actions, signing = _order_actions(order, who)
    return {
        **order_summary(order),
        "document": document,
        "digest": documents.digest(document),
        "issued_by": {"organisation": typed("organisation", order.issued_by.organisation_id)},
        "rejection_reason": order.rejection_reason,
        "undespatched": selectors.undespatched(order),
        "signatures": [signature_body(row, known[row.event_id], who) for row in rows],
        "despatches": [
            {"id": typed("despatch", row.id), "despatch_no": row.despatch_no, "state": row.state}
            for row in order.despatches.order_by("id")
        ],
        "receipts": [
            {"id": typed("receipt", row.id), "receipt_no": row.receipt_no, "state": row.state}
            for row in order.receipts.order_by("id")
        ],
        "vouchers": voucher_cards("order", [order.id], by=by),
        "anchor": known[issued[order.id]],
        "actions": actions,
        "signing": _signing(signing) if signing else None,
    }


def _order_actions(order: PurchaseOrder, who: selectors.Viewer) -> tuple[list[str], str | None]:
    member, state = who.member, order.state
    attach = ["attach"] if selectors.may_attach(who, (order.buyer_id, order.seller_id)) else []
    if who.organisation.id == order.buyer_id:
        if state in ORDER_TRANSITIONS["sign"] and member.has_role(Role.SIGNER):
            return ["sign", "reject", *attach], "order.sign"
    elif who.organisation.id == order.seller_id:
        if state in ORDER_TRANSITIONS["confirm"] and member.has_role(Role.SIGNER):
            return ["confirm", *attach], "order.confirm"
        if state in ORDER_TRANSITIONS["despatch"] and member.has_role(*selectors.DESPATCHING):
            return ["despatch", *attach], None
    return attach, None


def despatch_summary(despatch: Despatch) -> Body:
    """A despatch in a list."""
    order = despatch.order
    receipt = getattr(despatch, "receipt", None)
    return {
        "id": typed("despatch", despatch.id),
        "despatch_no": despatch.despatch_no,
        "version": despatch.version,
        "state": despatch.state,
        "order": {
            "id": typed("order", order.id),
            "order_no": order.order_no,
            "version": order.version,
            "buyer": organisation_body(order.buyer),
            "seller": organisation_body(order.seller),
        },
        "carrier": organisation_body(despatch.carrier) if despatch.carrier else None,
        "driver": person_body(despatch.driver) if despatch.driver else None,
        "receipt": {"id": typed("receipt", receipt.id), "receipt_no": receipt.receipt_no, "state": receipt.state}
        if receipt
        else None,
        "despatched_at": despatch.despatched_at,
    }


def despatch_body(despatch: Despatch, by: Actor) -> Body:
    """A despatch whole. Prices are for the order's own parties; a carrier gets none."""
    who = selectors.viewer(by)
    order = despatch.order
    sent = newest_events([despatch.id], ("despatch.despatched",))
    milestones = list(despatch.milestones.all())
    known = anchors([*sent.values(), *(row.event_id for row in milestones)])
    document = documents.despatch_document(despatch)
    prices = selectors.sees_prices(who, order)
    actions: list[str] = []
    signing = None
    if despatch.state in OPEN_DESPATCH:
        if who.organisation.id == order.buyer_id and who.member.has_role(Role.SIGNER):
            actions, signing = ["receive"], _signing("receipt.sign")
        elif despatch.driver_id == who.member.id:
            actions = DRIVER_ACTIONS.get(despatch.state, [])
    attach = selectors.may_attach(who, (order.buyer_id, order.seller_id, despatch.carrier_id))
    return {
        **despatch_summary(despatch),
        "document": document,
        "digest": documents.digest(document),
        "lines": [
            {
                "despatch_line": line.despatch_line,
                "order_line": line.order_line.line_id,
                "item_name": line.order_line.item_name,
                "quantity": quantity_text(line.quantity),
                "unit": line.order_line.unit,
                "unit_price": line.unit_price if prices else None,
            }
            for line in despatch.lines.all()
        ],
        "currency": order.currency if prices else None,
        "milestones": [
            {
                "kind": row.kind,
                "member": person_body(row.member),
                "at": row.captured_at,
                "place": place_body(row, order, own=row.member.organisation_id == who.organisation.id),
                "anchor": known[row.event_id],
            }
            for row in milestones
        ],
        "vouchers": voucher_cards("despatch", [despatch.id], unseen=() if prices else selectors.PRICED_VOUCHERS, by=by),
        "anchor": known[sent[despatch.id]],
        "actions": actions + (["attach"] if attach else []),
        "signing": signing,
    }


def receipt_body(receipt: Receipt, by: Actor) -> Body:
    """A receipt whole: the card that its signer keeps."""
    signed = newest_events([receipt.id], ("receipt.signed",))
    anchor = anchors(signed.values())[signed[receipt.id]]
    return _receipt_body(receipt, by, list(receipt.lines.all()), anchor, voucher_cards("receipt", [receipt.id], by=by))


def signed_receipt_body(signed: SignedReceipt, by: Actor) -> Body:
    """As receipt_body, in the transaction of the signature: what was just written is not read again."""
    pictures = voucher_cards("receipt", [signed.receipt.id], by=by) if signed.pictures else []
    return _receipt_body(signed.receipt, by, signed.lines, waiting_anchor(signed.event), pictures)


def _receipt_body(receipt: Receipt, by: Actor, lines: list[ReceiptLine], anchor: Anchor, vouchers: list[Body]) -> Body:
    own = by.organisation == receipt.organisation_id
    oversees = by.organisation not in (receipt.order.buyer_id, receipt.order.seller_id)
    document = documents.receipt_document(receipt, lines)
    return {
        "id": typed("receipt", receipt.id),
        "receipt_no": receipt.receipt_no,
        "version": receipt.version,
        "state": receipt.state,
        "order": {
            "id": typed("order", receipt.order_id),
            "order_no": receipt.order.order_no,
            "version": receipt.order.version,
        },
        "despatch": {"id": typed("despatch", receipt.despatch_id), "despatch_no": receipt.despatch.despatch_no},
        "document": document,
        "digest": documents.digest(document),
        "lines": [
            {
                **line,
                "item_name": row.despatch_line.order_line.item_name,
                "unit": row.despatch_line.order_line.unit,
                "amount": money_text(row.amount_fen),
            }
            for line, row in zip(documents.receipt_lines(lines), lines, strict=True)
        ],
        "total": {"amount": money_text(receipt.total_fen), "currency": receipt.order.currency},
        "buyer": organisation_body(receipt.order.buyer),
        "seller": organisation_body(receipt.order.seller),
        "signer": person_body(receipt.signer_member),
        "device": device_body(receipt.device, shown=own or oversees),
        "assurance": receipt.assurance,
        "location": place_body(receipt, receipt.order, own=own),
        "captured_at": receipt.captured_at,
        "signed_at": receipt.signed_at,
        "vouchers": vouchers,
        "anchor": anchor,
    }


def receipt_summary(receipt: Receipt) -> Body:
    """A receipt in a list."""
    return {
        "id": typed("receipt", receipt.id),
        "receipt_no": receipt.receipt_no,
        "state": receipt.state,
        "order": {"id": typed("order", receipt.order_id), "order_no": receipt.order.order_no},
        "despatch": {"id": typed("despatch", receipt.despatch_id), "despatch_no": receipt.despatch.despatch_no},
        "total": {"amount": money_text(receipt.total_fen), "currency": receipt.order.currency},
        "signer": person_body(receipt.signer_member),
        "assurance": receipt.assurance,
        "signed_at": receipt.signed_at,
    }


def carrier_body(carrier: Organisation) -> Body:
    """A carrier with the drivers who may be given a trip."""
    drivers = [person_body(member) for member in carrier.members.all() if member.has_role(Role.DRIVER)]
    return {**organisation_body(carrier), "drivers": drivers}
