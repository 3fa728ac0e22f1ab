"""Who failed too often waits: at most five failed tries of a source within any ten minutes, also when they come at the same moment.

A source is made of what a caller may choose anew for each try (a device key, a username), so the address alone has a limit too: a wide one,
for a whole office may share it."""

from datetime import datetime, timedelta
from math import ceil

from django.utils.crypto import salted_hmac

from backend.core import clock
from backend.parties.errors import LockedOut
from backend.parties.models import SignInSource

STRETCH = timedelta(minutes=10)
TRIES = 5
ADDRESS_TRIES = 100


def source_of(kind: str, *parts: str | None) -> str:
    """The name under which tries are counted: a keyed hash, so that the tables hold neither address nor username (64 hex digits)."""
    return salted_hmac(
        f"yirong.sign-in.{kind}", "\n".join(part or "" for part in parts), algorithm="sha256"
    ).hexdigest()


def admit(source: str, tries: int = TRIES) -> datetime:
    """Counts a try before it is looked at, and returns the moment by which `release` takes it back if it does not fail.

    Raises LockedOut (429, `retry_after` in seconds) when that many tries of the last ten minutes failed or are under way; it is not counted.
    """
    while True:
        now = clock.now()
        row = _row(source, now)
        recent = [moment for moment in row.recent if _read(moment) > now - STRETCH]
        if len(recent) >= tries:
            wait = _read(recent[-tries]) + STRETCH - now
            raise LockedOut(retry_after=max(1, ceil(wait.total_seconds())))
        if _swap(row, [*recent, clock.rfc3339(now)], now):
            return now


def release(source: str, admitted: datetime) -> None:
    """Takes back a try that did not fail."""
    moment = clock.rfc3339(admitted)
    while True:
        row = SignInSource.objects.filter(source=source).first()
        if row is None or moment not in row.recent:
            return
        rest = list(row.recent)
        rest.remove(moment)
        if _swap(row, rest, row.touched_at):
            return


def forget_old_sources() -> int:
    """Deletes sources without a try in the last ten minutes; how many."""
    return SignInSource.objects.filter(touched_at__lt=clock.now() - STRETCH).delete()[0]


def _row(source: str, now: datetime) -> SignInSource:
    row = SignInSource.objects.filter(source=source).first()
    if row is None:
        SignInSource.objects.bulk_create([SignInSource(source=source, touched_at=now)], ignore_conflicts=True)
        row = SignInSource.objects.filter(source=source).first()
    return row or SignInSource(source=source, version=-1, touched_at=now)


def _swap(row: SignInSource, recent: list[str], touched_at: datetime) -> bool:
    same = SignInSource.objects.filter(source=row.source, version=row.version)
    return same.update(recent=recent, version=row.version + 1, touched_at=touched_at) == 1


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
