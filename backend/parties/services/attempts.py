"""One try to sign in, from wherever: what is known of it, and the record it leaves, let in or refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from backend.core import clock
from backend.core.errors import DomainError
from backend.core.events import Actor, emit
from backend.core.ids import new_id
from backend.core.models import Event
from backend.core.sections import Section
from backend.parties import events
from backend.parties.errors import FAILURES_OF_OTHERS, LockedOut
from backend.parties.models import Device, LoginRecord, Member, Person, Session, SignInResult
from backend.parties.origins import Origin
from backend.parties.services import lockout, refusals

PURPOSE = "sign_in"


@dataclass
class Attempt:
    """A try under way. Person, member and device are filled in as they become known."""

    channel: str
    source: str
    origin: Origin
    model: str = ""
    system: str = ""
    platform: str = ""
    sdk_version: str = ""
    person: Person | None = None
    member: Member | None = None
    device: Device | None = None
    record: LoginRecord = field(init=False)

    def __post_init__(self) -> None:
        self.record = LoginRecord(id=new_id())

    @property
    def address(self) -> str:
        """The source that the address alone is."""
        return lockout.source_of("address", self.origin.ip)

    def actor(self, assurance: str = "L0") -> Actor:
        """Who acts in what this try records."""
        return Actor(
            person=self.person.id if self.person else None,
            member=self.member.id if self.member else None,
            organisation=self.member.organisation_id if self.member else None,
            device=self.device.id if self.device else None,
            assurance=assurance,
            ip=self.origin.ip,
            network_type=self.origin.network_type,
            simulated=self.origin.simulated,
            handset=self.origin.handset,
        )


@contextmanager
def counted(attempt: Attempt) -> Iterator[None]:
    """Counts the try, lets it run, and keeps what became of it: a refusal is recorded in a transaction of its own and raised on.

    Raises LockedOut before anything of the try was looked at, and whatever the try raises. A failure of another's (WeChat is busy) is
    recorded, but not held against the source.
    """
    admitted: dict[str, datetime] = {}
    try:
        admitted[attempt.address] = lockout.admit(attempt.address, lockout.ADDRESS_TRIES)
        admitted[attempt.source] = lockout.admit(attempt.source)
        yield
    except DomainError as error:
        held_against = not isinstance(error, FAILURES_OF_OTHERS)
        if not held_against or isinstance(error, LockedOut):
            _release(admitted)
        record_refused(attempt, error.code, held_against=held_against)
        raise
    except BaseException:
        _release(admitted)
        raise
    _release(admitted)


def _release(admitted: dict[str, datetime]) -> None:
    for source, moment in admitted.items():
        lockout.release(source, moment)


def record_refused(attempt: Attempt, code: str, *, held_against: bool) -> None:
    """Writes the login record of a refused try; one that is held against its source also counts in its address's window and is told to the
    rules. Windows are of addresses: each is an entry of the ledger, and nobody writes there by making up a key a try."""
    with transaction.atomic():
        _write(attempt, SignInResult.REFUSED, failure_code=code)
        if held_against:
            refusals.count(attempt.address, at=attempt.record.time)
            emit(
                type=events.SESSION_REFUSED,
                chain=None,
                subject=("session", attempt.record.id),
                by=attempt.actor(),
                payload=_payload(attempt, code=code, source=attempt.source),
            )


def record_opened(attempt: Attempt, *, session: Session | None, assurance: str, new_device: bool = False) -> Event:
    """Writes the login record of a try that was let in, and its anchored event. Call it in the transaction that opens the session."""
    if attempt.person is None:
        raise ValueError("nobody was let in")
    event_id = new_id()
    _write(attempt, SignInResult.OPENED, session=session, event=event_id)
    subject = session.id if session else attempt.record.id
    act = {
        "channel": attempt.channel,
        "device": attempt.device and str(attempt.device.id),
        "model": attempt.model,
        "system": attempt.system,
        "platform": attempt.platform,
        "sdk_version": attempt.sdk_version,
        "ip": attempt.origin.ip,
        "network_type": attempt.origin.network_type,
        "simulated": attempt.origin.simulated,
        "handset": attempt.origin.handset,
    }
    month = f"{attempt.record.time:%Y-%m}"
    return emit(
        type=events.SESSION_OPENED,
        chain="supply",
        subject=("session", subject),
        by=attempt.actor(assurance),
        sections={"act": Section(act, person=attempt.person.id, purpose=PURPOSE, scope=month)},
        audience=[attempt.member.id] if attempt.member else [],
        payload=_payload(attempt, session=str(subject), new_device=new_device),
        event_id=event_id,
    )


def _write(attempt: Attempt, result: SignInResult, **fields: object) -> None:
    attempt.record = LoginRecord.objects.create(
        id=attempt.record.id,
        time=clock.now(),
        channel=attempt.channel,
        result=result,
        source=attempt.source,
        person=attempt.person,
        member=attempt.member,
        device=attempt.device,
        model=attempt.model,
        system=attempt.system,
        platform=attempt.platform,
        sdk_version=attempt.sdk_version,
        ip=attempt.origin.ip,
        network_type=attempt.origin.network_type,
        simulated=attempt.origin.simulated,
        handset=attempt.origin.handset,
        **fields,
    )


def _payload(attempt: Attempt, **more: object) -> dict[str, object]:
    known = {"person": attempt.person, "member": attempt.member, "device": attempt.device}
    payload: dict[str, object] = {"login": str(attempt.record.id), "channel": attempt.channel, **more}
    payload |= {name: str(row.id) for name, row in known.items() if row}
    if attempt.member:
        payload["organisation"] = str(attempt.member.organisation_id)
    return payload
