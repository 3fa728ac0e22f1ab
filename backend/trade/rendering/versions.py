from collections.abc import Iterable

from backend.core.ids import typed
from backend.evidence.selectors import anchors
from backend.trade.models import DocumentVersion
from backend.trade.rendering.goods import Body


def version_bodies(rows: Iterable[DocumentVersion]) -> list[Body]:
    """Documents as they stood, each with where it lies in the ledger."""
    rows = list(rows)
    known = anchors([row.event_id for row in rows])
    return [
        {
            "subject": typed(row.subject_type, row.subject_id),
            "type": row.subject_type,
            "version": row.version,
            "document": row.document,
            "digest": row.digest,
            "reason": row.reason,
            "at": row.at,
            "anchor": known[row.event_id],
        }
        for row in rows
    ]
