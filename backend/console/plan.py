"""Where a receipt was signed, as a drawing: the address with its radius, the reported point with its accuracy, to scale, north up, no map.

Exact places are for the organisation whose own act it was; everybody else gets whether it was within the radius, and a band of distance, drawn as a ring.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from backend.core import geo
from backend.core.data_keys import Erased
from backend.core.sections import open_section
from backend.trade.models import PurchaseOrder

WIDTH, HEIGHT, MARGIN, FOOT = 260, 220, 16, 24
STEPS = (1, 2, 5)
# How far beyond its near end a band without a far end is drawn.
OPEN_BAND = 1.5


@dataclass(frozen=True)
class Plan:
    """Everything in the drawing's own units (x right, y down); `bar_m` is what the scale bar is long, in metres."""

    address: tuple[float, float]
    radius: float
    signed: tuple[float, float]
    accuracy: float
    bar: float
    bar_m: int
    outside: bool
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True)
class Rings:
    """The address in the middle, its radius, and the band of distance around it: no direction. Radii in the drawing's own units."""

    centre: tuple[float, float]
    radius: float
    inner: float
    outer: float
    bar: float
    bar_m: int
    outside: bool
    endless: bool
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle(self) -> float:
        """The radius of the band's middle, which is drawn as wide as the band."""
        return round((self.inner + self.outer) / 2, 1)

    @property
    def breadth(self) -> float:
        """How wide the band is."""
        return round(self.outer - self.inner, 1)


Band = tuple[int, int | None]


def band_text(band: Band, within: bool | None) -> str:
    """How far, roughly: for those who may not know exactly."""
    near, far = band
    if within:
        return _("within the agreed radius")
    if far is None:
        return _("more than %(distance)s from the address") % {"distance": _rough(near)}
    if near == 0:
        return _("less than %(distance)s from the address") % {"distance": _rough(far)}
    both_km = near >= 1_000
    return _("%(near)s to %(far)s from the address") % {
        "near": f"{near / 1_000:g}" if both_km else _rough(near),
        "far": _rough(far),
    }


def _rough(metres: int) -> str:
    if metres < 1_000:
        return _("%(number)s m") % {"number": metres}
    return _("%(number)s km") % {"number": f"{metres / 1_000:g}"}


def rings(band: Band, radius_m: float, within: bool | None) -> Rings:
    """The band around an address, to scale."""
    near, far = band
    reach = max(far or near * OPEN_BAND, radius_m, 1)
    scale = ((HEIGHT - FOOT) / 2 - MARGIN / 2) / reach
    bar_m = _round_length(WIDTH / 4 / scale)
    return Rings(
        centre=(WIDTH / 2, (HEIGHT - FOOT) / 2),
        radius=max(round(radius_m * scale, 1), 3),
        inner=round(near * scale, 1),
        outer=round((far or near * OPEN_BAND) * scale, 1),
        bar=round(bar_m * scale, 1),
        bar_m=bar_m,
        outside=within is False,
        endless=far is None,
    )


def draw(order: PurchaseOrder, *, latitude: float, longitude: float, accuracy_m: float, within: bool | None) -> Plan:
    """The plan of a point (WGS-84) beside an order's address."""
    home = (float(order.latitude), float(order.longitude))
    east = geo.distance_m(home, (home[0], longitude)) * (1 if longitude >= home[1] else -1)
    north = geo.distance_m(home, (latitude, home[1])) * (1 if latitude >= home[0] else -1)
    radius = float(order.radius_m)
    left, right = min(-radius, east - accuracy_m), max(radius, east + accuracy_m)
    low, high = min(-radius, north - accuracy_m), max(radius, north + accuracy_m)
    scale = min((WIDTH - 2 * MARGIN) / (right - left), (HEIGHT - FOOT - 2 * MARGIN) / (high - low))
    middle = ((left + right) / 2, (low + high) / 2)

    def at(x: float, y: float) -> tuple[float, float]:
        return round(WIDTH / 2 + (x - middle[0]) * scale, 1), round((HEIGHT - FOOT) / 2 - (y - middle[1]) * scale, 1)

    bar_m = _round_length(WIDTH / 4 / scale)
    return Plan(
        address=at(0, 0),
        radius=max(round(radius * scale, 1), 3),
        signed=at(east, north),
        accuracy=round(accuracy_m * scale, 1),
        bar=round(bar_m * scale, 1),
        bar_m=bar_m,
        outside=within is False,
    )


def _round_length(longest: float) -> int:
    """The longest of 1, 2, 5, 10, 20, 50 ... metres that is not longer."""
    power = 1
    while power * 10 <= longest:
        power *= 10
    return max(step * power for step in STEPS if step == 1 or step * power <= longest)


def plan_of_act(order: PurchaseOrder, event: UUID, *, within: bool | None) -> Plan | None:
    """The plan of a signed act, from its sealed capture; None where no place was given, or it was erased. Only for whose act it was."""
    try:
        capture: dict[str, Any] = open_section(event, "capture").content
    except Erased:
        return None
    place = capture["location"]
    if place is None:
        return None
    point = (float(place["latitude"]), float(place["longitude"]))
    if place["datum"] == "gcj02":
        point = geo.gcj02_to_wgs84(*point)
    return draw(order, latitude=point[0], longitude=point[1], accuracy_m=float(place["accuracy_m"]), within=within)
