"""The ledger's home: events are its journal, a table holds its committed checkpoints, a folder its tiles.

drain()    woken after events were numbered: integrate, commit, publish, tell
check()    before a start serves anything, and every ten seconds: does all that is stored fit together?
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction

from backend.core import clock, push
from backend.core.ids import PREFIXES, new_id, typed
from backend.core.models import Event
from backend.evidence import refusals
from backend.evidence.models import Checkpoint as CheckpointRow
from backend.evidence.models import DrainLease, LedgerOrigin
from backend.evidence.published import CHAINS, chain_tiles, published_size, read_signer
from backend.ledger.checkpoint import Checkpoint
from backend.ledger.errors import Fatal, JournalWrong, LedgerError, NotInitialised, Retryable, Stale
from backend.ledger.log import Log

log = structlog.get_logger(__name__)

DRAINED_AT_ONCE = 4_096
TOLD_EACH = 200
LEASE = timedelta(seconds=10)


class OriginChanged(Fatal):
    """The settings, the database and the key name different origins: this is not the ledger that was begun here."""

    code = "origin-changed"


class DiskFailed(Fatal):
    """A file of the ledger cannot be read or written."""

    code = "disk-failed"


class Journal:
    """The events of a chain that have an index, as the entries of its log."""

    def __init__(self, chain: str) -> None:
        self._chain = chain

    def leaves(self, start: int, limit: int) -> list[bytes]:
        """As ledger.log.Journal. Raises JournalWrong when an index is missing: numbers are given without a gap, so a row was removed."""
        waiting = Event.objects.filter(chain=self._chain, index__gte=start).order_by("index")
        leaves = []
        for expected, (index, leaf) in enumerate(waiting.values_list("index", "leaf")[:limit], start):
            if index != expected:
                raise JournalWrong(f"the event with index {expected} of the chain {self._chain} is gone")
            leaves.append(bytes(leaf or b""))  # a constraint says that a chain's event has a leaf
        return leaves


class Checkpoints:
    """The table of committed checkpoints of a chain."""

    def __init__(self, chain: str) -> None:
        self._chain = chain

    def latest(self) -> Checkpoint | None:
        """As ledger.log.Checkpoints: from the table, now, after an error on a connection that works."""
        if connection.errors_occurred and not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        row = CheckpointRow.objects.filter(chain=self._chain).order_by("-size").first()
        return None if row is None else self._opened(row)

    def advance(self, old: Checkpoint | None, new: Checkpoint) -> None:
        """As ledger.log.Checkpoints. The insertion is the comparison: `previous` and (chain, size) are unique."""
        try:
            with transaction.atomic():
                previous = None
                if old is not None:
                    previous = CheckpointRow.objects.get(chain=self._chain, size=old.size, root=old.root)
                CheckpointRow.objects.create(
                    chain=self._chain, size=new.size, root=new.root, note=new.note, previous=previous
                )
        except (IntegrityError, CheckpointRow.DoesNotExist) as error:
            raise Stale(f"another worker committed the chain {self._chain} first") from error

    @staticmethod
    def _opened(row: CheckpointRow) -> Checkpoint:
        note = bytes(row.note)
        return Checkpoint(note.partition(b"\n")[0].decode(), row.size, bytes(row.root), note)


def open_log(chain: str) -> Log:
    """The chain's log, after its three names were compared. Raises NotInitialised, KeyMissing, KeyInvalid, OriginChanged, OSError."""
    stored = LedgerOrigin.objects.filter(chain=chain).first()
    if stored is None:
        raise NotInitialised(f"the chain {chain} was never begun here: `manage.py ledger init`")
    if settings.LEDGER_ORIGIN and stored.origin != f"{settings.LEDGER_ORIGIN}/{chain}":
        raise OriginChanged(f"LEDGER_ORIGIN asks for {settings.LEDGER_ORIGIN}/{chain}, begun here was {stored.origin}")
    signer = read_signer(chain)
    if signer.name != stored.origin or signer.vkey != stored.vkey:
        raise OriginChanged(f"the key file signs as {signer.vkey}, the database knows {stored.vkey}")
    return Log(Journal(chain), Checkpoints(chain), chain_tiles(chain), signer)


def drain() -> None:
    """Brings every chain up to its newest numbered event, publishes it, and tells whom it concerns. Not inside a transaction.

    What cannot be done now is done at the next call. What a chain refuses is kept (see `refusals`) and does not hold up the other: a person
    must look, and nothing was signed.
    """
    for chain in CHAINS:
        with _refusal_kept(chain):
            while _behind(chain):
                holder = _claim(chain)
                if holder is None:
                    break  # another worker drains, and looks again after it has let go
                try:
                    _drain_chain(chain, holder)
                    refusals.clear(chain)
                except Retryable as error:
                    log.info("drain stopped", chain=chain, reason=str(error))
                    break
                finally:
                    _release(chain, holder)


def check() -> dict[str, LedgerError]:
    """What each chain refuses although it need not sign now; kept, or forgotten when the chain is sound. Not inside a transaction.

    While events wait, only a drain that goes through makes forgotten what was refused: it looks at more than this.
    """
    found: dict[str, LedgerError] = {}
    for chain in CHAINS:
        with _refusal_kept(chain, found):
            open_log(chain).check()
            if not _behind(chain):
                refusals.clear(chain)
    return found


@contextmanager
def _refusal_kept(chain: str, found: dict[str, LedgerError] | None = None) -> Iterator[None]:
    """Keeps what the chain refuses meanwhile instead of raising it."""
    try:
        try:
            yield
        except OSError as error:
            raise DiskFailed(f"{type(error).__name__}: {error}") from error
    except LedgerError as error:
        refusals.keep(chain, error)
        if found is not None:
            found[chain] = error


def _behind(chain: str) -> bool:
    """Whether the chain has events to commit, or a commit to publish."""
    committed = _committed_size(chain)
    return committed > published_size(chain) or Event.objects.filter(chain=chain, index__gte=committed).exists()


def _committed_size(chain: str) -> int:
    return CheckpointRow.objects.filter(chain=chain).order_by("-size").values_list("size", flat=True).first() or 0


def _drain_chain(chain: str, holder: UUID) -> None:
    """Commits and publishes what waits, a batch at a time; publishes also what a crash left committed and unpublished."""
    ledger = open_log(chain)
    more = True
    while more:
        committed = _committed_size(chain)
        new = ledger.drain(DRAINED_AT_ONCE)
        published = published_size(chain)
        anchored = ledger.publish_latest().size
        news = _news("event.on_chain", chain, committed, new.size) if new is not None else []
        push.push_all(news + _news("event.anchored", chain, published, anchored))
        more = new is not None and new.size - committed >= DRAINED_AT_ONCE
        if more:
            _renew(chain, holder)


def _claim(chain: str) -> UUID | None:
    """The lease of a chain, when it is free or has run out."""
    holder, now = new_id(), clock.now()
    free = DrainLease.objects.filter(chain=chain, until__lte=now)
    return holder if free.update(holder=holder, until=now + LEASE) else None


def _renew(chain: str, holder: UUID) -> None:
    DrainLease.objects.filter(chain=chain, holder=holder).update(until=clock.now() + LEASE)


def _release(chain: str, holder: UUID) -> None:
    try:
        DrainLease.objects.filter(chain=chain, holder=holder).update(holder=None, until=clock.now())
    except DatabaseError as error:  # it runs out by itself
        log.info("lease left to run out", chain=chain, reason=type(error).__name__)


def _news(kind: str, chain: str, start: int, end: int) -> list[push.Push]:
    """What to tell each event's audience when the chain reached it; one word for all when they are many."""
    if end <= start:
        return []
    events = Event.objects.filter(chain=chain, index__gte=start, index__lt=end).order_by("index")
    if end - start > TOLD_EACH:
        everyone = _everyone(events.values_list("audience", flat=True).iterator())
        return [push.Push(everyone, "ledger.advanced", {"chain": chain, "size": end})]
    news = []
    for event_id, index, subject_type, subject_id, audience in events.values_list(
        "id", "index", "subject_type", "subject_id", "audience"
    ):
        subject = typed(subject_type, subject_id) if subject_type in PREFIXES else None
        ids = {"event": typed("event", event_id), "chain": chain, "index": index, "subject": subject}
        news.append(push.Push(_everyone([audience]), kind, ids))
    return news


def _everyone(audiences: Iterable[list[str]]) -> tuple[UUID, ...]:
    return tuple(UUID(one) for one in dict.fromkeys(one for audience in audiences for one in audience))
