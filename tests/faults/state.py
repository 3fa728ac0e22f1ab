"""How the product's database and ledger stand, as JSON: `python -m tests.faults.state`. Ends with an assertion where they contradict each other."""

import json
from collections import Counter
from itertools import pairwise

import django


def main() -> None:
    from backend.core.events import newest_position, subscribers
    from backend.core.models import Cursor, Event, FailedEvent
    from backend.evidence.models import Checkpoint
    from backend.evidence.published import CHAINS, PublishedChain
    from backend.ledger import fsck
    from backend.ledger.checkpoint import open_checkpoint
    from backend.ledger.tiles import TileTree

    positions = sorted(Event.objects.values_list("position", flat=True), key=lambda position: position or 0)
    assert positions == list(range(1, len(positions) + 1)), "every event has a position, without a gap"
    sizes, checkpoints = {}, {}
    for chain in CHAINS:
        published = PublishedChain(chain)
        checkpoint = fsck.verify(published.tiles, published.verifier)
        events = list(Event.objects.filter(chain=chain).order_by("index").values_list("id", "index", "leaf"))
        assert [index for _, index, _ in events] == list(range(checkpoint.size)), f"{chain}: every event, once"
        for event_id, index, leaf in events:
            assert published.proven_entry(index) == bytes(leaf), f"{chain}: the leaf of {event_id} at {index}"
        entries = Counter(published.entry(index) for index in range(checkpoint.size))
        assert max(entries.values(), default=1) == 1, f"{chain}: an entry twice"

        rows = list(Checkpoint.objects.filter(chain=chain).order_by("size"))
        tree = TileTree(published.tiles, checkpoint.size)
        for row in rows:
            signed = open_checkpoint(bytes(row.note), published.verifier)
            assert (signed.size, signed.root) == (row.size, bytes(row.root))
            assert row.size == 0 or tree.root_at(row.size) == signed.root, (
                f"{chain}: another tree was signed at {row.size}"
            )
        for older, newer in pairwise(rows):
            assert newer.previous_id == older.pk, f"{chain}: a checkpoint that follows no other"
        assert rows[-1].size == checkpoint.size, f"{chain}: what is committed is published"
        sizes[chain], checkpoints[chain] = checkpoint.size, len(rows)
    newest = newest_position()
    behind = [name for name in subscribers() if Cursor.objects.get(name=name).position != newest]
    assert not behind and not FailedEvent.objects.exists(), (behind, FailedEvent.objects.count())
    print(json.dumps({"sizes": sizes, "checkpoints": checkpoints, "events": len(positions)}))


if __name__ == "__main__":
    django.setup()
    main()
