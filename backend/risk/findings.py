"""From an event to findings: which rules an event concerns, the facts each is asked with, and whom a hit concerns."""

from collections.abc import Callable, Iterator
from uuid import UUID

from backend.core.models import Event
from backend.parties.models import LoginRecord, Organisation, OrganisationKind
from backend.risk import selectors
from backend.risk.rules import MODES, R21, R27, R31, Finding, Mode, Rule, opposing_parties
from backend.trade.models import Receipt


def place_of_receipt(event: Event) -> Finding:
    """R21. In danger is the buyer in whose name it was signed; the signer is not told."""
    receipt = Receipt.objects.select_related("order").get(id=event.subject_id)
    return Finding(
        rule=R21,
        result=R21.judge(selectors.receipt_place(receipt)),
        key=f"R21:receipt:{receipt.id}",
        subject=("receipt", receipt.id),
        order=receipt.order_id,
        endangered=(receipt.organisation_id,),
        suspected=(receipt.signer_member_id,),
        simulated=receipt.simulated,
    )


def parties_of_device(event: Event) -> Finding | None:
    """R27. In danger are the buyers among the opposing parties; whoever acted on the device is not told. A console has no device."""
    if event.actor_device is None:
        return None
    use = selectors.device_use(event.actor_device, event.time)
    result = R27.judge(use)
    hit = R27.bands[result.band].severity is not None
    return Finding(
        rule=R27,
        result=result,
        key=f"R27:device:{event.actor_device}",
        subject=("device", event.actor_device),
        order=UUID(event.payload["order"]) if "order" in event.payload else None,
        endangered=tuple({buyer for buyer, _ in opposing_parties(use)}),
        suspected=tuple(selectors.device_members(event.actor_device, event.time)) if hit else (),
        simulated=LoginRecord.objects.filter(device=event.actor_device, simulated=True).exists() if hit else False,
    )


def anomaly_of_sign_ins(event: Event) -> Finding:
    """R31. In danger is a buyer whose member's account is tried; a supplier's is the operator's business alone."""
    record = LoginRecord.objects.get(id=event.payload["login"])
    result = R31.judge(selectors.sign_ins(record, new_device=event.payload.get("new_device", False)))
    buyers = Organisation.objects.filter(
        kind=OrganisationKind.BUYER, members__person=record.person_id, members__active=True
    )
    return Finding(
        rule=R31,
        result=result,
        key=f"R31:person:{record.person_id}" if record.person_id else f"R31:source:{record.source}",
        subject=("person", record.person_id) if record.person_id else ("source", None),
        endangered=tuple(buyers.values_list("id", flat=True))
        if record.person_id and R31.bands[result.band].severity
        else (),
        simulated=record.simulated,
    )


ASKED: dict[str, tuple[tuple[Rule, Callable[[Event], Finding | None]], ...]] = {
    "receipt.signed": ((R21, place_of_receipt), (R27, parties_of_device)),
    "order.signed": ((R27, parties_of_device),),
    "order.confirmed": ((R27, parties_of_device),),
    "session.opened": ((R27, parties_of_device), (R31, anomaly_of_sign_ins)),
    "session.refused": ((R31, anomaly_of_sign_ins),),
}


def hits(event: Event) -> Iterator[Finding]:
    """What the rules that are not off find in this event."""
    for rule, ask in ASKED.get(event.type, ()):
        if MODES[rule.id] is not Mode.OFF:
            finding = ask(event)
            if finding is not None and finding.severity is not None:
                yield finding
