"""How the ledger stands, as its table and its published folder say."""

from dataclasses import dataclass
from datetime import datetime

from backend.core import events
from backend.core.models import Chain, Cursor, Event, FailedEvent
from backend.evidence.models import Checkpoint, LedgerOrigin, Refusal
from backend.evidence.published import published_size
from backend.evidence.refusals import refused


@dataclass(frozen=True)
class LedgerHealth:
    """`size`: committed entries; `published`: those the world can see; `waiting`: events of the chain that are not committed yet."""

    size: int
    published: int
    waiting: int
    committed_at: datetime | None
    vkey: str
    refused: list[Refusal]


@dataclass(frozen=True)
class Reader:
    """A subscriber: how many events it is behind, and how many it put aside."""

    name: str
    lag: int
    failed: int


def ledger_health(chain: str = Chain.SUPPLY) -> LedgerHealth:
    """The state of a chain, and what either of them refuses."""
    newest = Checkpoint.objects.filter(chain=chain).order_by("-size").first()
    size = newest.size if newest else 0
    total = Event.objects.filter(chain=chain).count()
    vkey = LedgerOrigin.objects.filter(chain=chain).values_list("vkey", flat=True).first() or ""
    return LedgerHealth(
        size=size,
        published=published_size(chain),
        waiting=max(total - size, 0),
        committed_at=newest.committed_at if newest and size else None,
        vkey=vkey,
        refused=refused(),
    )


def readers() -> list[Reader]:
    """Every subscriber with its lag: the newest position minus its own."""
    newest = events.newest_position()
    positions = dict(Cursor.objects.values_list("name", "position"))
    failed: dict[str, int] = {}
    for name in FailedEvent.objects.filter(retried_at=None).values_list("subscriber", flat=True):
        failed[name] = failed.get(name, 0) + 1
    return [Reader(name, newest - positions.get(name, 0), failed.get(name, 0)) for name in events.subscribers()]
