"""From an event to findings: which rules an event concerns, the facts each is asked with, and whom a hit concerns."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from uuid import UUID

from backend.core.models import Event
from backend.parties.models import LoginRecord, Organisation, OrganisationKind
from backend.risk import selectors
from backend.risk.rules import MODES, R21, R27, R31, Finding, Mode, Rule, between, opposing_parties
from backend.trade.models import Receipt


def place_of_receipt(event: Event) -> Iterator[Finding]:
    """R21. In danger is the buyer in whose name it was signed; the signer is not told."""
    receipt = Receipt.objects.select_related("order").get(id=event.subject_id)
    yield Finding(
        rule=R21,
        result=R21.judge(selectors.receipt_place(receipt)),
        key=f"R21:receipt:{receipt.id}",
        subject=("receipt", receipt.id),
        order=receipt.order_id,
        endangered=(receipt.organisation_id,),
        suspected=(receipt.signer_member_id,),
        simulated=receipt.simulated,
    )


def parties_of_device(event: Event) -> Iterator[Finding]:
    """R27, once for each buyer in danger, who learns of the own trade alone; whoever acted on the device is not told. A console has no device."""
    if event.actor_device is None:
        return
    use = selectors.device_use(event.actor_device, event.time)
    found = Finding(
        rule=R27,
        result=R27.judge(use),
        key=f"R27:device:{event.actor_device}",
        subject=("device", event.actor_device),
    )
    if found.severity is None:
        return
    found = replace(
        found,
        suspected=tuple(selectors.device_members(event.actor_device, event.time)),
        simulated=LoginRecord.objects.filter(device=event.actor_device, simulated=True).exists(),
    )
    endangered = dict(reversed(opposing_parties(use)))
    if not endangered:
        yield found
    for buyer, seller in endangered.items():
        yield replace(
            found,
            result=R27.judge(between(use, buyer, seller)),
            key=f"{found.key}:{buyer}",
            order=_own_order(event, buyer),
            endangered=(buyer,),
        )


def _own_order(event: Event, buyer: UUID) -> UUID | None:
    """The order that the event is about, when it is this buyer's."""
    return UUID(event.payload["order"]) if event.payload.get("buyer") == str(buyer) else None


def anomaly_of_sign_ins(event: Event) -> Iterator[Finding]:
    """R31. In danger is a buyer whose member's account is tried; a supplier's is the operator's business alone."""
    record = LoginRecord.objects.get(id=event.payload["login"])
    result = R31.judge(selectors.sign_ins(record, new_device=event.payload.get("new_device", False)))
    buyers = Organisation.objects.filter(
        kind=OrganisationKind.BUYER, members__person=record.person_id, members__active=True
    )
    yield Finding(
        rule=R31,
        result=result,
        key=f"R31:person:{record.person_id}" if record.person_id else f"R31:source:{record.source}",
        subject=("person", record.person_id) if record.person_id else ("source", None),
        endangered=tuple(buyers.values_list("id", flat=True))
        if record.person_id and R31.bands[result.band].severity
        else (),
        simulated=record.simulated,
    )


ASKED: dict[str, tuple[tuple[Rule, Callable[[Event], Iterable[Finding]]], ...]] = {
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
            yield from (finding for finding in ask(event) if finding.severity is not None)
