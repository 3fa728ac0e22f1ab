"""Whether each index of the ledger is held, in the database, by the event that stands there.

An event whose index was taken away, or given to another row, would be numbered and anchored a second time with other contents; a row at the
index of a removed event would hide that it is gone. A count sees neither: what is compared is which event it is.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from uuid import UUID

from django.db.models import CharField, Q
from django.db.models.functions import Cast

from backend.core.models import Event
from backend.evidence.faults import Fault
from backend.evidence.published import Ledger, PublishedChain
from backend.ledger.tiles import WIDTH

# How much is compared for a document, from its first moment on: 16,384 entries, some 20 ms.
BUNDLES_FOLLOWED = 64
FAULTS_TOLD = 50

# An index, the event that the ledger has there, the one that holds it in the database.
Wrong = tuple[int, str, str | None]


def check_count(ledger: Ledger, chain: str) -> list[Fault]:
    """A fault when the ledger holds more events than the database: somebody removed one, or took its number away."""
    size = ledger.chain(chain).size
    if not size:
        return []
    there = Event.objects.filter(chain=chain, index__lt=size, index__gte=0).count()
    detail = f"the ledger holds {size} events, the database {there} of them"
    return [Fault("events-missing", f"chain {chain}", detail=detail)] if there < size else []


def check_indices(ledger: Ledger, chain: str, documents: Collection[UUID], events: Collection[Event]) -> list[Fault]:
    """The indices that are held wrongly, of those that can concern these documents and their events: at most 50, their own first.

    That is what was recorded after the first of them came to be, up to BUNDLES_FOLLOWED, and around the moment and the index that each event
    claims: the cost is that of the documents, however long the ledger grows. `ledger audit` compares every index.
    """
    published = ledger.chain(chain)
    if not published.size or not documents:
        return []
    bundles = _concerned(published, min([*documents, *(event.id for event in events)]), events)
    own = {event.id.hex for event in events}
    wrong = sorted(_wrong_of(published, chain, bundles), key=lambda one: one[1] not in own)
    return name_wrong(chain, wrong[:FAULTS_TOLD])


def _concerned(published: PublishedChain, since: UUID, events: Iterable[Event]) -> list[int]:
    first = published.bundle_of_moment(since) - 1
    chosen = set(range(first, first + BUNDLES_FOLLOWED))
    for event in events:
        moment = published.bundle_of_moment(event.id)
        chosen |= {moment - 1, moment, moment + 1}
        if event.index is not None:
            chosen.add(event.index // WIDTH)
    return sorted(n for n in chosen if 0 <= n < published.bundles)


def _wrong_of(published: PublishedChain, chain: str, bundles: Sequence[int]) -> Iterator[Wrong]:
    """What is held wrongly in these bundles: one query for all."""
    where = Q()
    for _, run in groupby(enumerate(bundles), lambda pair: pair[1] - pair[0]):
        numbers = [n for _, n in run]
        where |= Q(index__gte=numbers[0] * WIDTH, index__lt=(numbers[-1] + 1) * WIDTH)
    rows = Event.objects.filter(where, chain=chain).annotate(text=Cast("id", CharField())).values_list("index", "text")
    held = {index: text.replace("-", "") for index, text in rows.iterator()}
    for n in bundles:
        yield from wrong_indices(published.ids(n), n * WIDTH, held)


def wrong_indices(ids: Iterable[str], start: int, held: Mapping[int | None, str]) -> Iterator[Wrong]:
    """Of the indices from `start` on, where the ledger has these events, those that another event holds, or none."""
    for index, logged in enumerate(ids, start):
        if held.get(index) != logged:
            yield index, logged, held.get(index)


def name_wrong(chain: str, wrong: Sequence[Wrong]) -> list[Fault]:
    """The faults of indices that are held wrongly: their event stands elsewhere now, or is gone."""
    elsewhere = set(Event.objects.filter(id__in=[UUID(logged) for _, logged, _ in wrong]).values_list("id", flat=True))
    faults = []
    for index, logged, holder in wrong:
        event = UUID(logged)
        if event in elsewhere:
            found = f"the ledger has it at {index}"
            faults.append(Fault("index-changed", f"core.Event {event}", "index", found, event, index))
        else:
            instead = "no event has" if holder is None else f"the event {UUID(holder)} has"
            detail = f"{instead} the index {index} of the event {event}"
            faults.append(Fault("event-missing", f"chain {chain}", "index", detail, index=index))
    return faults
