"""What every write of the supply chain does: who acts, the order's lock, the state's move, the signature's row.

Lock order: purchase orders by their ids, then everything below them. The lock is a no-op UPDATE: it holds on SQLite and PostgreSQL alike.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import F, Q

from backend.core import clock
from backend.core.errors import Forbidden, NotFound
from backend.core.events import Actor
from backend.core.ids import PREFIXES, from_typeid, typed
from backend.core.sections import Section
from backend.evidence.services import attach_voucher
from backend.evidence.subjects import typed_subject
from backend.parties.errors import AuthorityExceeded
from backend.parties.models import Delegation, Device, Member, Role
from backend.parties.selectors import consent_held, delegations_held, may_sign, member_of
from backend.trade import errors, places
from backend.trade.models import Despatch, OrderAmendment, ProductionOrder, PurchaseOrder, Signature
from backend.trade.selectors import despatch_parties, told_orders
from backend.trade.signing import CLOCK_SKEW, SignedAct

# Whoever may sign a change of an order may sign its cancellation.
DELEGATED_AS = {"cancellation": "amendment"}


def acting_member(by: Actor, *roles: str) -> Member:
    """The member who acts. Raises Forbidden without any of the roles."""
    member = member_of(by)
    if member is None or not set(roles) & set(member.roles):
        raise Forbidden()
    return member


def acting_signer(by: Actor, doc_type: str) -> Member:
    """The member who signs: a signer, or a colleague who holds a delegation. Whether that covers this document is asked by keep_signature,
    once amount and time are known. Raises Forbidden, AuthorityExceeded."""
    member = member_of(by)
    if member is None:
        raise Forbidden()
    if not member.has_role(Role.SIGNER):
        held = delegations_held(member)
        if not held:
            raise Forbidden()
        if not any(doc_type in one.doc_types for one in held):
            raise AuthorityExceeded("No delegation of yours is for this kind of document.", field="doc_type")
    return member


def lock_order(order_id: UUID, *, party: str, organisation: UUID | None) -> PurchaseOrder:
    """The order, locked until the transaction ends. NotFound unless `organisation` is its `party` (buyer or seller)."""
    if not PurchaseOrder.objects.filter(id=order_id, **{party: organisation}).update(version=F("version")):
        raise NotFound()
    return PurchaseOrder.objects.select_related("buyer", "seller").get(id=order_id)


def lock_order_of(order_id: UUID, *, organisation: UUID | None) -> PurchaseOrder:
    """As lock_order, for an act that either party may do."""
    parties = Q(buyer=organisation) | Q(seller=organisation)
    if not PurchaseOrder.objects.filter(parties, id=order_id).update(version=F("version")):
        raise NotFound()
    return PurchaseOrder.objects.select_related("buyer", "seller").get(id=order_id)


def lock_orders(order_ids: Iterable[UUID]) -> None:
    """Locks all the orders that goods go through until the transaction ends, in one order for everybody: that of their ids."""
    for one in sorted(order_ids):
        PurchaseOrder.objects.filter(id=one).update(version=F("version"))


def move(
    row: PurchaseOrder | Despatch | OrderAmendment | ProductionOrder,
    transitions: dict[str, dict[str, str]],
    action: str,
) -> None:
    """Moves a document along its declared transition. Raises WrongState, also when another request moved it in between."""
    following = transitions[action].get(row.state)
    if following is None or not type(row).objects.filter(id=row.id, state=row.state).update(state=following):
        raise errors.WrongState(state=row.state)
    row.state = following


def party_ids(order: PurchaseOrder, **more: UUID | None) -> dict[str, str]:
    named = {"order": order.id, "buyer": order.buyer_id, "seller": order.seller_id, **more}
    return {name: str(value) for name, value in named.items() if value is not None}


def despatch_audience(despatch: Despatch) -> list[UUID]:
    """Whom what happens to a despatch concerns: the parties of every order that it goes through, and the carrier."""
    return list(despatch_parties(despatch))


def order_told(despatch: Despatch) -> dict[UUID, dict[str, UUID | None]]:
    """Which order each party of a despatch that goes through several is told of: the one that it may open."""
    return {one: {"order": order} for one, order in told_orders(despatch).items()}


def assurance_of(by: Actor, place: places.Place) -> str:
    """Of an act that asks for a place: a device key in ordinary storage is L2; where the place was refused, the signature stays, at L1."""
    return by.assurance if place.location_given else min(by.assurance, "L1")


def check_consent(by: Actor, act: SignedAct) -> None:
    """A place counts only with the consent that this person had given by then, and had not withdrawn (PIPL art. 14, 15, 29).

    The act may have waited on the phone: what was agreed to or withdrawn since changes nothing about it.
    """
    if act.capture["location"] is None:
        return
    named = act.capture["consent"]
    if not by.person or not named:
        raise errors.ConsentMissing(field="capture.consent")
    held = consent_held(
        from_typeid(PREFIXES["consent"], named),
        person_id=by.person,
        purpose="location",
        at=act.captured_at,
        behind=CLOCK_SKEW,
    )
    if not held:
        raise errors.ConsentMissing(field="capture.consent")


def capture_section(by: Actor, act: SignedAct, scope: str) -> Section:
    return Section(act.capture, person=by.person, purpose="capture", scope=scope)


def attach_files(by: Actor, act: SignedAct, subject: tuple[str, UUID]) -> None:
    """Attaches the pictures of an act to its document. Raises as attach_voucher does."""
    for file in act.files:
        attach_voucher(by=by, upload_id=file.upload, kind=file.kind, subject=subject, sha256=file.sha256)


def keep_signature(
    *,
    by: Actor,
    member: Member,
    device: Device,
    act: SignedAct,
    client_event_id: str,
    action: str,
    subject: tuple[str, UUID],
    order: PurchaseOrder,
    event_id: UUID,
    assurance: str,
    version: int | None = None,
) -> Signature:
    """The signature's row, with the delegation under which it was made (none: the member is a signer). Call it once the act is checked.

    `version`: of the subject, where that is not the order's. Raises Forbidden and AuthorityExceeded as may_sign does.
    """
    return Signature.objects.create(
        action=action,
        subject_type=subject[0],
        subject_id=subject[1],
        version=order.version if version is None else version,
        order=order,
        member=member,
        organisation=member.organisation,
        device=device,
        delegation=_authority(member, action, act),
        client_event_id=client_event_id,
        assurance=assurance,
        simulated=by.simulated,
        at=act.captured_at,
        event_id=event_id,
    )


def _authority(member: Member, action: str, act: SignedAct) -> Delegation | None:
    """By what right the act is signed; a delegation that is being revoked now either came first and is seen here, or is revoked after."""
    total, noun = act.signed["total"], action.partition(".")[0]
    amount = int(Decimal(total["amount"]) * 100)
    delegation = may_sign(member, DELEGATED_AS.get(noun, noun), amount, act.captured_at, currency=total["currency"])
    if delegation and not Delegation.objects.filter(id=delegation.id, revoked_at=None).update(revoked_at=None):
        raise AuthorityExceeded("Your delegation was revoked.", field="at")
    return delegation


def signature_section(row: Signature) -> dict[str, Any]:
    """What the chain commits to of a Signature row."""
    return {
        "action": row.action,
        "subject": typed_subject(row.subject_type, row.subject_id),
        "version": row.version,
        "order": typed("order", row.order_id),
        "member": typed("member", row.member_id),
        "organisation": typed("organisation", row.organisation_id),
        "device": typed("device", row.device_id),
        "client_event_id": row.client_event_id,
        "assurance": row.assurance,
        "simulated": row.simulated,
        "at": clock.rfc3339(row.at),
    } | ({"delegation": typed("delegation", row.delegation_id)} if row.delegation_id else {})
