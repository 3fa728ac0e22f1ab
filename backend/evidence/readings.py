from collections.abc import Iterator

from backend.core.metrics import Reading
from backend.core.models import Event
from backend.evidence.models import Checkpoint, Upload
from backend.evidence.published import CHAINS, published_size


def readings() -> Iterator[Reading]:
    """How far each chain has come, for /metrics."""
    for chain in CHAINS:
        labels = {"chain": chain}
        committed = Checkpoint.objects.filter(chain=chain).order_by("-size").values_list("size", flat=True).first() or 0
        waiting = Event.objects.filter(chain=chain).count() - committed
        yield "yirong_ledger_size", "Entries under the newest committed checkpoint", labels, committed
        yield "yirong_ledger_published_size", "Entries under the published checkpoint", labels, published_size(chain)
        yield "yirong_ledger_waiting", "Events recorded and not yet committed to the ledger", labels, max(0, waiting)
    unfinished = Upload.objects.filter(state=Upload.State.OPEN).count()
    yield "yirong_uploads_open", "Uploads that have not arrived in full", {}, unfinished
