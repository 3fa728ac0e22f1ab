from collections.abc import Iterable, Iterator

from backend.evidence.audit import Fault
from backend.trade.models import Despatch, DespatchLine
from backend.trade.replay.goods import compare
from backend.trade.selectors import lines_above


def check_ways(despatches: Iterable[Despatch]) -> list[Fault]:
    """Each despatch line counts for the lines that its own is bought for, up to the order whose buyer receives, and for no others."""
    despatches = list(despatches)
    faults: list[Fault] = []
    above = lines_above(line.order_line for row in despatches for line in row.lines.all())
    for row in despatches:
        for place, line in enumerate(row.lines.all()):
            way = [one.pk for one in above[line.order_line_id] if row.end_order_id]
            reached = way.index(line.end_line_id) + 1 if line.end_line_id in way else 0
            faults += compare(row, f"lines.{place}.direct_lines", str(way[:reached]), str(_counted_for(line)))
            faults += _check_end(row, line, place)
    return faults


def _counted_for(line: DespatchLine) -> list[int]:
    return [one.order_line_id for one in line.direct_lines.all()]


def _check_end(row: Despatch, line: DespatchLine, place: int) -> Iterator[Fault]:
    ends_with = line.end_line.order_id if line.end_line else None
    yield from compare(row, f"lines.{place}.end_line", str(row.end_order_id), str(ends_with))
    if row.end_order_id is None:
        yield from compare(row, f"lines.{place}.end_unit_price", "", line.end_unit_price)
        yield from compare(row, "end_version", "None", str(row.end_version))
