"""Taking away what was given: a session, a device, a membership. It holds from the commit on, for open sockets too."""

from uuid import UUID

from django.db import transaction

from backend.core import clock
from backend.core.errors import NotFound
from backend.core.events import Actor, emit
from backend.parties import events, sockets
from backend.parties.models import Device, Member, Session
from backend.parties.selectors import may_revoke_device
from backend.parties.services.authority import administrator, lock_organisation
from backend.parties.services.enrolment import keep_an_administrator


def end_session(*, by: Actor, session_id: UUID) -> None:
    """Ends one of the caller's own sessions: its token works no more. Ending it twice is ending it. Raises NotFound."""
    with transaction.atomic():
        mine = Session.objects.filter(id=session_id, user=by.person)
        if not mine.exists():
            raise NotFound()
        mine.filter(revoked_at=None).update(revoked_at=clock.now())
        sockets.close([session_id])


def revoke_device(*, by: Actor, device_id: UUID) -> None:
    """Revokes a device, and ends every session on it: its signatures are taken no more.

    Open to whoever registered it and to administrators of the organisation it was registered for; to others it is not there (NotFound).
    """
    device = Device.objects.select_related("registered_by").filter(id=device_id).first()
    if device is None or not may_revoke_device(by, device):
        raise NotFound()
    with transaction.atomic():
        if not Device.objects.filter(id=device_id, revoked_at=None).update(revoked_at=clock.now()):
            return
        _end(Session.objects.filter(device=device_id, revoked_at=None).values_list("id", flat=True))
        emit(
            type=events.DEVICE_REVOKED,
            chain="supply",
            subject=("device", device_id),
            by=by,
            audience=[device.registered_by_id],
            payload={
                "device": str(device_id),
                "person": str(device.registered_by.person_id),
                "member": str(device.registered_by_id),
                "organisation": str(device.registered_by.organisation_id),
            },
        )


def revoke_member(*, by: Actor, member_id: UUID) -> None:
    """Ends a membership, and every session under it. Open to administrators of the organisation; to other organisations it is not there.

    Raises NotFound, Forbidden, LastAdministrator.
    """
    member = Member.objects.filter(id=member_id, organisation=by.organisation).first()
    if member is None:
        raise NotFound()
    with transaction.atomic():
        lock_organisation(member.organisation_id)
        # asked under the lock: of two administrators who revoke one another, one comes second and is none any more
        administrator(by)
        keep_an_administrator(member)
        if not Member.objects.filter(id=member_id, active=True).update(active=False):
            return
        _end(Session.objects.filter(member=member_id, revoked_at=None).values_list("id", flat=True))
        # the member's console sessions have no row here: their sockets are reached by the member's own group
        sockets.close([member_id])
        emit(
            type=events.MEMBER_REVOKED,
            chain="supply",
            subject=("member", member_id),
            by=by,
            audience=[by.member] if by.member else [],
            payload={
                "member": str(member_id),
                "person": str(member.person_id),
                "organisation": str(member.organisation_id),
            },
        )


def _end(sessions: list[UUID]) -> None:
    ended = list(sessions)
    Session.objects.filter(id__in=ended).update(revoked_at=clock.now())
    sockets.close(ended)
