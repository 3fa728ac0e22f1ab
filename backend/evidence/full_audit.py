"""The whole database against the whole ledger, for the operator and the auditor: `manage.py ledger audit`."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from django.db.models import QuerySet

from backend.core import data_keys
from backend.core.models import Event, SealedSection
from backend.core.sealed import SealedModel, declared
from backend.evidence import vault
from backend.evidence.audit import CANNOT_BE_READ, Rows, check_event, check_numbers, read_events
from backend.evidence.faults import Fault
from backend.evidence.indices import name_wrong, wrong_indices
from backend.evidence.models import StoredFile
from backend.evidence.published import CHAINS, Ledger
from backend.evidence.unreadable import Unreadable, read_each
from backend.ledger import fsck
from backend.ledger.errors import LedgerError
from backend.ledger.tiles import WIDTH

AT_ONCE = WIDTH

Step = Callable[[str, int, int], None]


def audit(step: Step = lambda what, done, total: None) -> Iterator[Fault]:
    """Every fault there is, in order: the folders, each event at its index, each sealed row, each stored file.

    `step(what, done, total)` is told how far it has come. A chain whose folder does not verify is named and its events are not compared.
    """
    ledger = Ledger(proven=False)
    for chain in CHAINS:
        try:
            published = ledger.chain(chain)
            step(f"{chain}: ledger", 0, 1)
            fsck.verify(published.tiles, published.verifier)
            step(f"{chain}: ledger", 1, 1)
        except LedgerError as fault:
            yield Fault("ledger-unreadable", f"chain {chain}", detail=str(fault))
            continue
        yield from check_numbers(ledger, chain)
        yield from _audit_events(ledger, chain, step)
    for one in declared():
        yield from _audit_rows(one, step)
    yield from _audit_files(step)


def _audit_events(ledger: Ledger, chain: str, step: Step) -> Iterator[Fault]:
    published = ledger.chain(chain)
    size = published.size
    recorded = Event.objects.filter(chain=chain)
    for start in range(0, size, AT_ONCE):
        end = min(start + AT_ONCE, size)
        read, unreadable = read_events(recorded.filter(index__gte=start, index__lt=end))
        yield from unreadable
        there = {event.index: event for event in read}
        rows = Rows(there.values())
        held = {index: event.id.hex for index, event in there.items()}
        yield from name_wrong(chain, list(wrong_indices(published.ids(start // WIDTH), start, held)))
        for _, event in sorted(there.items()):
            yield from check_event(event, ledger, rows)
        step(f"{chain}: events", end, size)
    later = recorded.filter(index__gte=size) | recorded.filter(index__isnull=True)
    pks = list(later.values_list("pk", flat=True))
    for at in range(0, len(pks), AT_ONCE):
        read, unreadable = read_events(recorded.filter(pk__in=pks[at : at + AT_ONCE]))
        yield from unreadable
        rows = Rows(read)
        for event in read:
            yield from check_event(event, ledger, rows)


def _audit_rows(one: SealedModel, step: Step) -> Iterator[Fault]:
    """Sealed rows that no event speaks of; what the rows say was compared with their events already."""
    told: QuerySet[Any, Any]
    if one.subject_type is not None:
        told = SealedSection.objects.filter(
            name=one.section, event__subject_type=one.subject_type, event__chain__isnull=False
        )
        known = set(told.values_list("event__subject_id", flat=True))
        rows = one.model._default_manager.values_list("pk", "pk")
    else:
        known = set(Event.objects.filter(type__in=one.types, chain__isnull=False).values_list("id", flat=True))
        rows = one.model._default_manager.values_list("pk", str(one.event_field))
    total = rows.count()
    for done, (row, identity) in enumerate(rows.iterator(), 1):
        if identity not in known:
            yield Fault("row-unknown", f"{one.name} {row}", detail="no event of the ledger speaks of it")
        if done % AT_ONCE == 0 or done == total:
            step(one.name, done, total)


def _audit_files(step: Step) -> Iterator[Fault]:
    pks = list(StoredFile.objects.order_by("id").values_list("pk", flat=True))
    for at in range(0, len(pks), AT_ONCE):
        chunk = StoredFile.objects.prefetch_related("data_key").filter(pk__in=pks[at : at + AT_ONCE]).order_by("id")
        for done, stored in enumerate(read_each(chunk), at + 1):
            fault = check_file(stored)
            if fault:
                yield fault
            step("stored files", done, len(pks))


def check_file(stored: StoredFile | Unreadable) -> Fault | None:
    """Whether the file on the disk still is the one that its row names. An erased one is no fault: nobody can read it."""
    row = f"evidence.StoredFile {stored.pk}"
    if isinstance(stored, Unreadable):
        return Fault("row-changed", row, ", ".join(stored.columns), CANNOT_BE_READ)
    try:
        data = vault.original(stored)
    except data_keys.Erased:
        return None
    except FileNotFoundError:
        return Fault("file-missing", row, "sha256", "it is not on the disk")
    except (ValueError, TypeError, data_keys.MasterKeyMissing) as error:
        return Fault("file-changed", row, "sha256", f"it does not open: {error}")
    if hashlib.sha256(data).hexdigest() != stored.sha256 or len(data) != stored.size:
        return Fault("file-changed", row, "sha256", "the bytes are others")
    return None
