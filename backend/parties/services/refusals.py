"""Refused sign-ins, counted by source and ten minutes, and anchored as one event when the ten minutes are over."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F

from backend.core import clock
from backend.core.events import SYSTEM, emit
from backend.core.ids import new_id
from backend.core.sections import Section
from backend.parties import events
from backend.parties.models import RefusalWindow
from backend.parties.services.lockout import STRETCH

WINDOWS_AT_ONCE = 500


def window_start(moment: datetime) -> datetime:
    """The beginning of the ten minutes that `moment` lies in: :00, :10, :20 ..."""
    seconds = int(moment.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(STRETCH.total_seconds()), UTC)


def count(source: str, *, at: datetime) -> None:
    """Adds a refusal to its window. One that comes late, when its window was anchored, counts in the next: none is lost, none counts twice."""
    start = window_start(at)
    while not RefusalWindow.objects.filter(source=source, started_at=start, event=None).update(count=F("count") + 1):
        if RefusalWindow.objects.filter(source=source, started_at=start).exclude(event=None).exists():
            start += STRETCH
        else:
            RefusalWindow.objects.bulk_create([RefusalWindow(source=source, started_at=start)], ignore_conflicts=True)


def anchor_refusals() -> int:
    """Emits one anchored event for each window that is over, with its count; how many. Safe to run twice at a time."""
    over = clock.now() - STRETCH
    waiting = RefusalWindow.objects.filter(event=None, started_at__lte=over).order_by("started_at")
    return sum(_anchor(window) for window in waiting[:WINDOWS_AT_ONCE])


def _anchor(window: RefusalWindow) -> bool:
    event_id = new_id()
    with transaction.atomic():
        if not RefusalWindow.objects.filter(id=window.id, event=None).update(event=event_id):
            return False
        window.refresh_from_db()
        facts = {
            "source": window.source,
            "started_at": clock.rfc3339(window.started_at),
            "seconds": int(STRETCH.total_seconds()),
            "count": window.count,
        }
        emit(
            type=events.SESSION_REFUSALS,
            chain="supply",
            subject=("source", window.id),
            by=SYSTEM,
            sections={"act": Section(facts)},
            payload={"window": str(window.id), **facts},
            event_id=event_id,
        )
    return True
