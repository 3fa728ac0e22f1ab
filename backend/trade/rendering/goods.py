"""How documents leave by the API: the canonical document, its digest, where it stands in the ledger, and what the viewer may do next."""

from typing import Any
from uuid import UUID

from backend.core.events import Actor
from backend.core.ids import typed
from backend.core.models import Event
from backend.core.money import money_text, quantity_text
from backend.evidence.selectors import Anchor, anchors, voucher_cards, waiting_anchor
from backend.parties.models import Device, Member, Organisation, Role
from backend.parties.selectors import signs
from backend.trade import documents, places, selectors, texts
from backend.trade.models import (
    AMENDMENT_TRANSITIONS,
    OPEN_DESPATCH,
    ORDER_TRANSITIONS,
    AmendmentState,
    Despatch,
    DespatchState,
    OrderAmendment,
    PlaceFacts,
    PurchaseOrder,
    Receipt,
    ReceiptLine,
    Signature,
)
from backend.trade.services import SignedReceipt

Body = dict[str, Any]
PROPOSING = ("amendment.propose", "cancellation.propose")
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


def signing_body(action: str) -> Body:
    """The sentence that is signed with an act, in both languages."""
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
        "digest": order.digest,
        "issued_by": {"organisation": typed("organisation", order.issued_by.organisation_id)},
        "rejection_reason": order.rejection_reason,
        "cancellation_reason": order.cancellation_reason,
        "undespatched": selectors.undespatched(order),
        "delivers_to": _delivers_to(order, who),
        "signatures": [signature_body(row, known[row.event_id], who) for row in rows],
        "despatches": [
            {"id": typed("despatch", row.id), "despatch_no": row.despatch_no, "state": row.state}
            for row in selectors.deliveries_of(order.id).order_by("id")
        ],
        "receipts": [
            {"id": typed("receipt", row.id), "receipt_no": row.receipt_no, "state": row.state}
            for row in selectors.receipts_of(order.id).order_by("id")
        ],
        "productions": [
            {"id": typed("production", row.id), "production_no": row.production_no, "state": row.state}
            for row in order.productions.order_by("id")
        ],
        **_amendments_of(order, by),
        "vouchers": voucher_cards("order", [order.id], by=by),
        "anchor": known[issued[order.id]],
        "actions": actions,
        "signing": signing_body(signing) if signing else None,
        "proposing": [signing_body(one) for one in PROPOSING] if "amend" in actions else [],
    }


def _delivers_to(order: PurchaseOrder, who: selectors.Viewer) -> list[Body]:
    """Back-to-back: to whom the seller may deliver instead, by whose order and to which address, and how much of each of its own lines."""
    if who.organisation.id != order.seller_id:
        return []
    return [
        {
            "order": {"id": typed("order", one.order.id), "order_no": one.order.order_no},
            "buyer": organisation_body(one.order.buyer),
            "ship_to": {"name": one.order.ship_to_name, "address": one.order.ship_to_address},
            "left": {line_id: quantity_text(left) for line_id, left in one.left.items()},
        }
        for one in selectors.direct_destinations(order)
    ]


def _order_actions(order: PurchaseOrder, who: selectors.Viewer) -> tuple[list[str], str | None]:
    """What the viewer may do next, and the one act among it that the order itself is signed with."""
    buys, sells = who.organisation.id == order.buyer_id, who.organisation.id == order.seller_id
    may_sign = all(signs(who.member, "order"))
    answers = who.member.has_role(*selectors.ANSWERING)
    can = {
        "sign": buys and may_sign,
        "confirm": sells and may_sign,
        "withdraw": answers and who.organisation.id == order.issued_by.organisation_id,
        "despatch": sells and who.member.has_role(*selectors.DESPATCHING),
        "amend": (buys or sells) and all(signs(who.member, "amendment")),
    }
    actions = [action for action, may in can.items() if may and order.state in ORDER_TRANSITIONS[action]]
    refusing = "reject" if buys else "refuse"
    if answers and (buys or sells) and order.state in ORDER_TRANSITIONS[refusing]:
        actions.append("reject")
    signing = next((f"order.{action}" for action in ("sign", "confirm") if action in actions), None)
    attach = ["attach"] if selectors.may_attach(who, (order.buyer_id, order.seller_id)) else []
    return [*actions, *attach], signing


def amendment_summary(amendment: OrderAmendment) -> Body:
    """A change that was proposed of an order, in a list."""
    return {
        "id": typed("amendment", amendment.id),
        "kind": amendment.kind,
        "state": amendment.state,
        "base_version": amendment.base_version,
        "reason": amendment.reason,
        "proposed_at": amendment.proposed_at,
    }


def amendment_body(amendment: OrderAmendment, by: Actor) -> Body:
    """A proposed change whole: the order as it will be, what differs line by line, who signed, and what the viewer may do."""
    who = selectors.viewer(by)
    order = amendment.order
    rows = selectors.amendment_signatures(amendment)
    proposed = newest_events([amendment.id], ("amendment.proposed",))
    known = anchors([*proposed.values(), *(row.event_id for row in rows)])
    actions, signing = _amendment_actions(amendment, who)
    before = selectors.order_version(order, amendment.base_version).document
    return {
        **amendment_summary(amendment),
        "order": {"id": typed("order", order.id), "order_no": order.order_no},
        "document": amendment.document,
        "digest": documents.digest(amendment.document),
        "differences": documents.line_differences(before, amendment.document),
        "refusal_reason": amendment.refusal_reason,
        "proposed_by": {
            "member": person_body(amendment.proposed_by),
            "organisation": organisation_body(amendment.proposed_by.organisation),
        },
        "closed_at": amendment.closed_at,
        "signatures": [signature_body(row, known[row.event_id], who) for row in rows],
        "anchor": known[proposed[amendment.id]],
        "actions": actions,
        "signing": signing_body(signing) if signing else None,
    }


def _amendment_actions(amendment: OrderAmendment, who: selectors.Viewer) -> tuple[list[str], str | None]:
    parties = (amendment.order.buyer_id, amendment.order.seller_id)
    if who.organisation.id not in parties or not who.member.has_role(*selectors.ANSWERING):
        return [], None
    own = who.organisation.id == amendment.proposed_by.organisation_id
    can = {"withdraw": own, "agree": not own and all(signs(who.member, "amendment")), "refuse": not own}
    actions = [action for action, may in can.items() if may and amendment.state in AMENDMENT_TRANSITIONS[action]]
    agreeing = "cancellation.agree" if amendment.kind == "CANCEL" else "amendment.agree"
    return actions, agreeing if "agree" in actions else None


def _amendments_of(order: PurchaseOrder, by: Actor) -> Body:
    """What an order's page says of its amendments: each in a line, and the one that waits for an answer whole."""
    rows = list(selectors.amendments(by).filter(order=order).order_by("id"))
    waiting = next((row for row in rows if row.state == AmendmentState.PROPOSED), None)
    return {
        "amendments": [amendment_summary(row) for row in rows],
        "amendment": amendment_body(waiting, by) if waiting else None,
    }


def despatch_summary(despatch: Despatch, by: Actor) -> Body:
    """A despatch in a list, under the order by which the viewer knows it."""
    order = selectors.order_known(despatch, by.organisation)
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
        "despatch_party": organisation_body(despatch.seller),
        "direct": despatch.end_order_id is not None,
        "carrier": organisation_body(despatch.carrier) if despatch.carrier else None,
        "driver": person_body(despatch.driver) if despatch.driver else None,
        "receipt": {"id": typed("receipt", receipt.id), "receipt_no": receipt.receipt_no, "state": receipt.state}
        if receipt
        else None,
        "despatched_at": despatch.despatched_at,
    }


def despatch_body(despatch: Despatch, by: Actor) -> Body:
    """A despatch whole. Prices are for the order's own parties; a carrier gets none. Goods that go through several orders show the viewer's own."""
    who = selectors.viewer(by)
    order, received = selectors.order_known(despatch, by.organisation), despatch.receiving_order
    sent = newest_events([despatch.id], ("despatch.despatched",))
    milestones = list(despatch.milestones.all())
    known = anchors([*sent.values(), *(row.event_id for row in milestones)])
    document = documents.despatch_document(despatch)
    prices = selectors.sees_prices(who, order)
    actions: list[str] = []
    signing = None
    if despatch.state in OPEN_DESPATCH:
        if who.organisation.id == received.buyer_id and all(signs(who.member, "receipt")):
            actions, signing = ["receive"], signing_body("receipt.sign")
        elif despatch.driver_id == who.member.id:
            actions = DRIVER_ACTIONS.get(despatch.state, [])
    attach = selectors.may_attach(who, selectors.despatch_parties(despatch))
    unseen = () if selectors.sees_all_prices(who, despatch) else selectors.PRICED_VOUCHERS
    lines = [(line, selectors.line_under(line, order)) for line in despatch.lines.all()]
    return {
        **despatch_summary(despatch, by),
        "document": document,
        "digest": despatch.digest,
        "lines": [
            {
                "despatch_line": line.despatch_line,
                "order_line": under.line_id,
                "item_name": under.item_name,
                "quantity": quantity_text(line.quantity),
                "unit": under.unit,
                "unit_price": selectors.price_under(line, order) if prices else None,
            }
            for line, under in lines
        ],
        "currency": order.currency if prices else None,
        "milestones": [
            {
                "kind": row.kind,
                "member": person_body(row.member),
                "at": row.captured_at,
                "place": place_body(row, received, own=row.member.organisation_id == who.organisation.id),
                "anchor": known[row.event_id],
            }
            for row in milestones
        ],
        "vouchers": voucher_cards("despatch", [despatch.id], unseen=unseen, by=by),
        "anchor": known[sent[despatch.id]],
        "actions": actions + (["attach"] if attach else []),
        "signing": signing,
    }


def receipt_body(receipt: Receipt, by: Actor) -> Body:
    """A receipt whole: the card that its signer keeps.

    Whoever delivered for the order's seller is shown the counts: no price, no digest that a price could be guessed from, no person, place or
    picture.
    """
    who = selectors.viewer(by)
    signed = newest_events([receipt.id], ("receipt.signed",))
    anchor = anchors(signed.values())[signed[receipt.id]]
    pictures = voucher_cards("receipt", [receipt.id], by=by) if selectors.sees_prices(who, receipt.order) else []
    return _receipt_body(receipt, who, list(receipt.lines.all()), anchor, pictures)


def signed_receipt_body(signed: SignedReceipt, by: Actor) -> Body:
    """As receipt_body, in the transaction of the signature: what was just written is not read again."""
    pictures = voucher_cards("receipt", [signed.receipt.id], by=by) if signed.pictures else []
    signer = selectors.Viewer(
        signed.receipt.signer_member, sees_all=False
    )  # of the buyer: what they may see, they see as a party
    return _receipt_body(signed.receipt, signer, signed.lines, waiting_anchor(signed.event), pictures)


def _receipt_body(
    receipt: Receipt, who: selectors.Viewer, lines: list[ReceiptLine], anchor: Anchor, vouchers: list[Body]
) -> Body:
    open_ = selectors.sees_prices(who, receipt.order)
    own = who.organisation.id == receipt.organisation_id
    document = documents.receipt_document(receipt, lines)
    order = selectors.order_counted(receipt, who.organisation.id, lines)
    under = [selectors.line_under(row.despatch_line, order) for row in lines]
    return {
        **receipt_summary(receipt, who, lines),
        "version": receipt.version,
        "order": {"id": typed("order", order.id), "order_no": order.order_no, "version": order.version},
        "document": document if open_ else None,
        "digest": receipt.digest if open_ else None,
        "lines": [
            {
                **line,
                "item_name": known.item_name,
                "unit": known.unit,
                "amount": money_text(row.amount_fen) if open_ else None,
            }
            for line, row, known in zip(documents.receipt_lines(lines), lines, under, strict=True)
        ],
        "buyer": organisation_body(receipt.order.buyer),
        "seller": organisation_body(receipt.order.seller),
        "device": device_body(receipt.device, shown=own or who.sees_all),
        "location": place_body(receipt, receipt.order, own=own) if open_ else None,
        "captured_at": receipt.captured_at,
        "vouchers": vouchers,
        "anchor": anchor,
    }


def receipt_summary(receipt: Receipt, who: selectors.Viewer, lines: list[ReceiptLine] | None = None) -> Body:
    """A receipt in a list, under the order by which the viewer knows it. `lines`: its lines, where they are at hand."""
    order = selectors.order_counted(receipt, who.organisation.id, lines)
    open_ = selectors.sees_prices(who, receipt.order)
    return {
        "id": typed("receipt", receipt.id),
        "receipt_no": receipt.receipt_no,
        "state": receipt.state,
        "order": {"id": typed("order", order.id), "order_no": order.order_no},
        "despatch": {"id": typed("despatch", receipt.despatch_id), "despatch_no": receipt.despatch.despatch_no},
        "total": {"amount": money_text(receipt.total_fen), "currency": receipt.order.currency} if open_ else None,
        "signer": person_body(receipt.signer_member) if open_ else None,
        "assurance": receipt.assurance,
        "signed_at": receipt.signed_at,
    }


def counted_body(receipt: Receipt, order: PurchaseOrder) -> Body:
    """What was counted of an order's delivery, by the order's own lines and without money."""
    return {
        "id": typed("receipt", receipt.id),
        "receipt_no": receipt.receipt_no,
        "state": receipt.state,
        "despatch": typed("despatch", receipt.despatch_id),
        "lines": [
            {**counted, "order_line": known.line_id, "item_name": known.item_name, "unit": known.unit}
            for counted, known in (
                (line, selectors.line_under(row.despatch_line, order))
                for line, row in zip(documents.receipt_lines(receipt.lines.all()), receipt.lines.all(), strict=True)
            )
        ],
    }


def carrier_body(carrier: Organisation) -> Body:
    """A carrier with the drivers who may be given a trip."""
    drivers = [person_body(member) for member in carrier.members.all() if member.has_role(Role.DRIVER)]
    return {**organisation_body(carrier), "drivers": drivers}
