"""The database against the ledger: a verdict that is computed each time, never stored.

What is trusted is the entry under the signed root, read from the published folder and checked with the key that lies beside the
database. The Event row, its leaf, its sections, and the rows of the rooms are compared with it, not with one another: whoever rewrites
all of them by hand is found out by the commitment that he cannot rewrite.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

from django.db.models import F, Max, Q, QuerySet

from backend.core import clock, data_keys
from backend.core.models import DataKey, Event, SealedSection
from backend.core.sealed import SealedModel, declared
from backend.core.sections import open_row
from backend.evidence import indices
from backend.evidence.faults import Fault
from backend.evidence.models import LedgerOrigin
from backend.evidence.published import CHAINS, Ledger
from backend.evidence.unreadable import UNREADABLE, Unreadable, blamed_columns, read_each
from backend.ledger.commitment import Leaf, check_section, parse_leaf
from backend.ledger.errors import Invalid, LedgerError, SectionMismatch

ABSENT = "(absent)"
CANNOT_BE_READ = "it cannot be read"


class Rows:
    """The sealed rows that some events speak of, each table read once for all of them."""

    def __init__(self, events: Iterable[Event], subjects: Iterable[tuple[str, UUID]] = ()) -> None:
        self._events = list(events)
        named = [*subjects, *((event.subject_type, event.subject_id) for event in self._events)]
        self._subjects = {kind: {pk for other, pk in named if other == kind} for kind, _ in named}
        self._newest: dict[tuple[str, UUID, str], UUID] | None = None
        self._of_subjects: dict[tuple[type, str | None], dict[UUID, Any]] = {}
        self._of_events: dict[SealedModel, dict[UUID, list[Any]]] = {}

    def newest(self, one: SealedModel, subject_id: UUID) -> UUID | None:
        """The newest event of the subject that has this section."""
        if self._newest is None:
            sections = SealedSection.objects.filter(
                name__in={one.section for one in declared() if one.subject_type is not None},
                event__subject_id__in=set().union(*self._subjects.values()),
                event__chain__isnull=False,
            ).order_by(F("event__index").asc(nulls_last=True), "event_id")
            rising = sections.values_list("event__subject_type", "event__subject_id", "name", "event_id")
            self._newest = {(kind, subject, name): event for kind, subject, name, event in rising}
        return self._newest.get((str(one.subject_type), subject_id, one.section))

    def of_subject(self, one: SealedModel, subject_id: UUID) -> Any:
        """The row that is the subject, None when it is gone. What stands in several sections is read once for all of them."""
        key = one.model, one.subject_type
        if key not in self._of_subjects:
            alike = [other for other in declared() if (other.model, other.subject_type) == key]
            related = {name for other in alike for name in other.related}
            lists = {name for other in alike for name in other.lists}
            rows = one.model._default_manager.filter(pk__in=self._subjects.get(str(one.subject_type), ()))
            rows = rows.select_related(*related) if related else rows
            self._of_subjects[key] = {row.pk: row for row in read_each(rows.prefetch_related(*lists), lists)}
        return self._of_subjects[key].get(subject_id)

    def of_event(self, one: SealedModel, event_id: UUID) -> list[Any]:
        """The rows that rest on the event."""
        if one not in self._of_events:
            told = [event.id for event in self._events if event.type in one.types]
            asked = one.rows().filter(**{f"{one.event_field}__in": told})
            found: dict[UUID, list[Any]] = {}
            for row in read_each(asked, one.lists):
                plain = one.model._default_manager.filter(pk=row.pk).values_list(str(one.event_field), flat=True)
                event = plain.get() if isinstance(row, Unreadable) else getattr(row, str(one.event_field))
                found.setdefault(event, []).append(row)
            self._of_events[one] = found
        return self._of_events[one].get(event_id, [])


def check_event(event: Event, ledger: Ledger | None = None, rows: Rows | None = None) -> list[Fault]:
    """The faults of one event: its row, its sections, and the sealed rows that rest on it. Empty when all is as it was recorded."""
    if event.chain is None:
        return []
    rows = rows or Rows([event])
    try:
        faults, opened = _check_recorded(event, ledger or Ledger())
    except UNREADABLE:
        return _unreadable_event(event.id, blamed_columns(event))
    for one in declared():
        if one.event_field is not None and event.type in one.types:
            faults += _check_bound_row(one, rows.of_event(one, event.id), event, opened)
        elif (
            one.subject_type == event.subject_type
            and one.section in opened
            and rows.newest(one, event.subject_id) == event.id
        ):
            faults += _check_subject_row(one, rows.of_subject(one, event.subject_id), event, opened)
    return faults


def check_subject(subject_type: str, subject_id: UUID, ledger: Ledger | None = None) -> list[Fault]:
    """The faults of a document: all its events, its sealed rows, and whether the ledger holds events that the database has lost."""
    return check_subjects([(subject_type, subject_id)], ledger)


def check_subjects(subjects: Iterable[tuple[str, UUID]], ledger: Ledger | None = None) -> list[Fault]:
    """As check_subject, for several documents under one reading of the ledger. Never raises for what is stored wrongly: it says so."""
    ledger = ledger or Ledger()
    faults: list[Fault] = []
    try:
        for chain in CHAINS:
            faults += indices.check_count(ledger, chain)
        asked = list(dict.fromkeys(subjects))
        events, unreadable = read_events(_events_of(asked))
        faults += unreadable
        rows = Rows(events, asked)
        for event in sorted(events, key=_order):
            faults += check_event(event, ledger, rows)
        for subject_type, subject_id in asked:
            faults += _rows_without_event(subject_type, subject_id, rows)
        misplaced = {fault.event for fault in faults if fault.code == "index-changed"}
        for chain in CHAINS:
            found = indices.check_indices(ledger, chain, [one for _, one in asked], events)
            faults += [fault for fault in found if fault.event is None or fault.event not in misplaced]
    except LedgerError as error:
        faults.append(Fault("ledger-unreadable", "ledger", detail=str(error)))
    return faults


def read_events(events: QuerySet[Event]) -> tuple[list[Event], list[Fault]]:
    """The events with their sections; a fault for each that cannot be read."""
    read = read_each(events.prefetch_related("sections__data_key"), ("sections",))
    sound: list[Event] = []
    faults: list[Fault] = []
    for one in read:
        if isinstance(one, Unreadable):
            faults += _unreadable_event(one.pk, one.columns)
        elif not isinstance(one.index, int | None):
            faults += _unreadable_event(one.pk, ["index"])
        else:
            sound.append(one)
    return sound, faults


def _unreadable_event(event: UUID, columns: Iterable[str]) -> list[Fault]:
    return [Fault("event-changed", f"core.Event {event}", column, CANNOT_BE_READ, event) for column in columns or ("",)]


def _events_of(subjects: list[tuple[str, UUID]]) -> QuerySet[Event]:
    """The documents' events, by their columns, and by the keys that their sections lie under: one given to another document is found too."""
    named = Event.objects.filter(subject_id__in=[one for _, one in subjects], chain__isnull=False)
    scopes = DataKey.objects.filter(
        person=None, purpose="business", scope__in=[f"{kind}:{one}" for kind, one in subjects]
    )
    used = SealedSection.objects.filter(event__in=named, data_key__person=None).values("data_key")
    kept = SealedSection.objects.filter(Q(data_key__in=scopes) | Q(data_key__in=used)).values("event_id")
    return named | Event.objects.filter(id__in=kept, chain__isnull=False)


def _order(event: Event) -> tuple[bool, int, UUID]:
    return event.index is None, event.index or 0, event.id


def _check_recorded(event: Event, ledger: Ledger) -> tuple[list[Fault], dict[str, Any]]:
    """The faults of the row and its sections, and the sections that are what the ledger committed to."""
    row = f"core.Event {event.id}"

    def fault(code: str, field: str, detail: str = "", expected: Any = None, found: Any = None) -> Fault:
        return Fault(code, row, field, detail, event.id, event.index, expected, found)

    faults: list[Fault] = []
    stored = bytes(event.leaf or b"")
    try:
        entry = ledger.entry(str(event.chain), event.index) if event.index is not None else None
    except LedgerError as error:
        return [fault("ledger-unreadable", "index", str(error))], {}
    if entry is not None and entry != stored:
        faults.append(fault("leaf-changed", "leaf", "the ledger holds other bytes at this index"))
    leaf_bytes = stored if entry is None else entry
    try:
        leaf = parse_leaf(leaf_bytes)
        if leaf.event_id != str(event.id) and leaf_bytes != stored:
            faults.append(
                fault(
                    "index-changed",
                    "index",
                    "the ledger holds another event at this index",
                    leaf.event_id,
                    str(event.id),
                )
            )
            leaf_bytes = stored
            leaf = parse_leaf(stored)
    except Invalid as error:
        return [*faults, fault("leaf-changed", "leaf", str(error))], {}
    faults += [
        fault("event-changed", name, "", expected, found) for name, expected, found in _against_leaf(event, leaf)
    ]
    opened, section_faults = _open_sections(event, leaf, leaf_bytes)
    faults += [fault(code, name, detail) for code, name, detail in section_faults]
    if "header" in opened:
        differences = list(_differences(opened["header"], _header_of(event)))
        faults += [fault("event-changed", path, "", expected, found) for path, expected, found in differences]
    return faults, opened


def _against_leaf(event: Event, leaf: Leaf) -> Iterator[tuple[str, Any, Any]]:
    for name, expected, found in (
        ("id", leaf.event_id, str(event.id)),
        ("chain", leaf.chain, event.chain),
        ("time", leaf.time, clock.rfc3339(event.time)),
    ):
        if expected != found:
            yield name, expected, found


def _header_of(event: Event) -> dict[str, Any]:
    """The header as core builds it from the row; the actor's assurance stands in no column."""
    return {
        "type": event.type,
        "subject": {"type": event.subject_type, "id": str(event.subject_id)},
        "version": event.version,
        "actor": {
            "member": event.actor_member and str(event.actor_member),
            "organisation": event.actor_organisation and str(event.actor_organisation),
            "device": event.actor_device and str(event.actor_device),
        },
    }


def _open_sections(event: Event, leaf: Leaf, leaf_bytes: bytes) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    rows = {row.name: row for row in event.sections.all()}
    opened: dict[str, Any] = {}
    faults = [
        ("section-unknown", name, "the ledger knows no such section")
        for name in sorted(rows.keys() - leaf.commitments.keys())
    ]
    for name in sorted(leaf.commitments):
        if name not in rows:
            faults.append(("section-missing", name, ""))
            continue
        try:
            section = open_row(rows[name])
            check_section(leaf_bytes, name, section.salt, section.content)
        except data_keys.Erased:
            if name in _needed_sections():
                faults.append(("section-erased", name, "what it says can no longer be compared"))
        except SectionMismatch:
            faults.append(("section-changed", name, "it is not what the ledger commits to"))
        except (*UNREADABLE, Invalid, data_keys.MasterKeyMissing) as error:
            faults.append(("section-changed", name, f"it does not open: {error}"))
        else:
            opened[name] = _without_assurance(section.content) if name == "header" else section.content
    return opened, faults


def _without_assurance(header: Any) -> Any:
    if isinstance(header, dict) and isinstance(header.get("actor"), dict):
        return {**header, "actor": {key: value for key, value in header["actor"].items() if key != "assurance"}}
    return header


def _needed_sections() -> set[str]:
    return {"header"} | {one.section for one in declared()}


def _check_subject_row(one: SealedModel, found: Any, event: Event, opened: dict[str, Any]) -> list[Fault]:
    if found is None:
        return [
            Fault("row-missing", f"{one.name} {event.subject_id}", "", "the ledger knows it", event.id, event.index)
        ]
    return _compare(one, found, event, opened[one.section])


def _check_bound_row(one: SealedModel, rows: list[Any], event: Event, opened: dict[str, Any]) -> list[Fault]:
    if len(rows) != 1:
        detail = f"{len(rows)} rows rest on the event {event.id}, there should be one"
        return [
            Fault(
                "row-missing" if not rows else "row-unknown",
                one.name,
                str(one.event_field),
                detail,
                event.id,
                event.index,
            )
        ]
    return _compare(one, rows[0], event, opened[one.section]) if one.section in opened else []


def _compare(one: SealedModel, row: Any, event: Event, committed: Any) -> list[Fault]:
    name = f"{one.name} {row.pk}"
    try:
        built = row if isinstance(row, Unreadable) else one.build_section(row)
    except UNREADABLE:
        built = Unreadable(row.pk, tuple(blamed_columns(row, one.lists)))
    if isinstance(built, Unreadable):
        columns = built.columns or ("",)
        return [Fault("row-changed", name, column, CANNOT_BE_READ, event.id, event.index) for column in columns]
    return [
        Fault("row-changed", name, path, "", event.id, event.index, expected, found)
        for path, expected, found in _differences(committed, built)
    ]


def _differences(expected: Any, found: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The paths at which two canonical values differ: `lines.0.quantity`, with both values."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in sorted(expected.keys() | found.keys()):
            yield from _differences(expected.get(key, ABSENT), found.get(key, ABSENT), f"{path}.{key}" if path else key)
    elif isinstance(expected, list) and isinstance(found, list):
        for at in range(max(len(expected), len(found))):
            one, other = (values[at] if at < len(values) else ABSENT for values in (expected, found))
            yield from _differences(one, other, f"{path}.{at}" if path else str(at))
    elif type(expected) is not type(found) or expected != found:
        yield path, expected, found


def _rows_without_event(subject_type: str, subject_id: UUID, rows: Rows) -> list[Fault]:
    """A sealed row that no event of the ledger speaks of."""
    return [
        Fault("row-unknown", f"{one.name} {subject_id}", "", "no event of the ledger speaks of it")
        for one in declared()
        if one.subject_type == subject_type and rows.of_subject(one, subject_id) and not rows.newest(one, subject_id)
    ]


def check_numbers(ledger: Ledger, chain: str) -> list[Fault]:
    """Whether the database's names for a chain are the ledger's: its key, its size."""
    published = ledger.chain(chain)
    origin = LedgerOrigin.objects.filter(chain=chain).first()
    faults = []
    if origin is None or origin.vkey != published.verifier.vkey:
        faults.append(Fault("key-changed", f"evidence.LedgerOrigin {chain}", "vkey", "the key file says another"))
    newest = Event.objects.filter(chain=chain).aggregate(newest=Max("index"))["newest"]
    if (-1 if newest is None else newest) + 1 < published.size:
        faults.append(
            Fault(
                "events-missing",
                f"chain {chain}",
                "",
                f"published are {published.size}, the newest index here is {newest}",
            )
        )
    return faults
