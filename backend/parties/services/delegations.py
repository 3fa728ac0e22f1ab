"""Letting a colleague sign, within documents, an amount and a time; and taking that back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.core.errors import Forbidden, Malformed, NotFound, RuleBroken
from backend.core.events import Actor, emit
from backend.core.ids import typed
from backend.core.money import money_text
from backend.core.sections import Section
from backend.parties import events
from backend.parties.models import DelegatedDocument, Delegation, Member, Role
from backend.parties.selectors import member_of

LARGEST_FEN = 10**15
GRANTING = (Role.SIGNER, Role.ADMIN)


@transaction.atomic
def grant_delegation(
    *,
    by: Actor,
    to_member: UUID,
    doc_types: list[str],
    max_amount_fen: int,
    valid_from: datetime,
    valid_to: datetime,
    currency: str = "CNY",
) -> Delegation:
    """A signer or an administrator lets a colleague sign these kinds of document, up to an amount each, from one moment to another.

    Raises Forbidden, NotFound (nobody of that organisation), Malformed, RuleBroken.
    """
    granting = _granting(by)
    colleague = Member.objects.filter(id=to_member, organisation=granting.organisation_id, active=True).first()
    if colleague is None:
        raise NotFound()
    if colleague.id == granting.id:
        raise RuleBroken("Nobody delegates to themselves.", field="to_member")
    unknown = [one for one in doc_types if one not in DelegatedDocument.values]
    if unknown or not doc_types:
        raise Malformed(f"Not to be delegated: {', '.join(map(str, unknown)) or 'nothing'}.", field="doc_types")
    if not 0 < max_amount_fen < LARGEST_FEN:
        raise RuleBroken("The amount is more than nothing and less than ten trillion.", field="max_amount")
    if not valid_from < valid_to or valid_to <= clock.now():
        raise RuleBroken("It ends after it begins, and not in the past.", field="valid_to")
    delegation = Delegation.objects.create(
        organisation=granting.organisation,
        from_member=granting,
        to_member=colleague,
        doc_types=[one for one in DelegatedDocument.values if one in doc_types],
        max_amount_fen=max_amount_fen,
        currency=currency,
        valid_from=_cut(valid_from),
        valid_to=_cut(valid_to),
    )
    _tell(delegation, by, type_=events.DELEGATION_GRANTED)
    return delegation


@transaction.atomic
def revoke_delegation(*, by: Actor, delegation_id: UUID) -> Delegation:
    """Ends a delegation at once, by a signer or an administrator; revoking twice is revoking once. Raises Forbidden, NotFound."""
    revoking = _granting(by)
    mine = Delegation.objects.filter(id=delegation_id, organisation=revoking.organisation_id)
    done = mine.filter(revoked_at=None).update(revoked_at=clock.now(), revoked_by=revoking)
    delegation = mine.first()
    if delegation is None:
        raise NotFound()
    if done:
        _tell(delegation, by, type_=events.DELEGATION_REVOKED)
    return delegation


def delegation_document(row: Delegation) -> dict[str, Any]:
    """What the chain commits to of a delegation, granted or revoked."""
    return {
        "id": typed("delegation", row.id),
        "organisation": typed("organisation", row.organisation_id),
        "from_member": typed("member", row.from_member_id),
        "to_member": typed("member", row.to_member_id),
        "doc_types": row.doc_types,
        "max_amount": {"amount": money_text(row.max_amount_fen), "currency": row.currency},
        "valid_from": clock.rfc3339(row.valid_from),
        "valid_to": clock.rfc3339(row.valid_to),
        "granted_at": clock.rfc3339(row.granted_at),
        "revoked_at": row.revoked_at and clock.rfc3339(row.revoked_at),
        "revoked_by": row.revoked_by_id and typed("member", row.revoked_by_id),
    }


def _granting(by: Actor) -> Member:
    member = member_of(by)
    if member is None or not member.has_role(*GRANTING):
        raise Forbidden()
    return member


def _cut(moment: datetime) -> datetime:
    """To milliseconds, which is what the ledger can carry."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _tell(delegation: Delegation, by: Actor, *, type_: str) -> None:
    emit(
        type=type_,
        chain="supply",
        subject=("delegation", delegation.id),
        by=by,
        sections={"document": Section(delegation_document(delegation))},
        audience=[delegation.from_member_id, delegation.to_member_id],
        payload={
            "delegation": str(delegation.id),
            "organisation": str(delegation.organisation_id),
            "from_member": str(delegation.from_member_id),
            "to_member": str(delegation.to_member_id),
        },
    )
