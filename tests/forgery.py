"""What somebody can do who writes to the database and holds the data keys beside it: rewrite a row, and all that speaks of it, to match."""

from typing import Any

from backend.core.ids import new_id
from backend.core.models import Event, SealedSection
from backend.core.sections import Section, seal_sections
from backend.ledger import commitment


def reseal(event: Event, contents: dict[str, dict[str, Any]]) -> Event:
    """Seals sections of an event anew, each under the key that it lay under, and gives the event the leaf that commits to them."""
    kept = {row.name: row.data_key for row in SealedSection.objects.filter(event=event).select_related("data_key")}
    sections = {
        name: Section(content, kept[name].person, kept[name].purpose, kept[name].scope)
        for name, content in contents.items()
    }
    commitments, rows = seal_sections(event, sections)
    SealedSection.objects.filter(event=event, name__in=contents).delete()
    SealedSection.objects.bulk_create(rows)
    old = commitment.parse_leaf(bytes(event.leaf or b"")).commitments
    leaf = commitment.build_leaf(str(event.id), str(event.chain), event.time, {**old, **commitments})
    Event.objects.filter(id=event.id).update(leaf=leaf)
    return Event.objects.get(id=event.id)


def put_in_its_place(event: Event) -> Event:
    """Another row with the event's numbers and its leaf; the event has none any more, and would be numbered again."""
    numbers = {"position": event.position, "index": event.index}
    Event.objects.filter(id=event.id).update(position=None, index=None)
    decoy = Event(id=new_id(), type="x", chain=event.chain, subject_type="pallet", subject_id=new_id())
    decoy.time, decoy.leaf = event.time, event.leaf
    decoy.position, decoy.index = numbers["position"], numbers["index"]
    decoy.save(force_insert=True)
    return decoy
