"""Where an act was done, as far as a phone's word goes: distance to the address, never the coordinates, outlives this module."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from backend.core import geo
from backend.trade import errors
from backend.trade.models import PlaceFacts, PurchaseOrder

OLDEST_PLACE_S = 3_600
TRUSTED_ACCURACY_M = 200
BANDS_M = (0, 1_000, 5_000, 20_000, 100_000)


@dataclass(frozen=True)
class Place:
    """The facts of a place that rows keep: the columns of models.PlaceFacts."""

    location_given: bool = False
    precision_class: str = ""
    datum: str = ""
    accuracy_m: int | None = None
    age_s: int | None = None
    distance_m: float | None = None
    within: bool | None = None


def check_place(capture: dict[str, Any], order: PurchaseOrder) -> Place:
    """The place of an act against the order's address; an empty Place where none was given.

    `within` compares distance less the accuracy (of which at most 200 m count) with the address's radius; None when the accuracy is
    worse than the radius. Raises LocationInvalid for a place off the globe, an age below zero or over an hour.
    """
    location = capture["location"]
    if location is None:
        return Place()
    latitude, longitude = Decimal(location["latitude"]), Decimal(location["longitude"])
    for field, value, limit in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if not value.is_finite() or abs(value) > limit:
            raise errors.LocationInvalid(
                f"{field} must lie between -{limit} and {limit}.", field=f"capture.location.{field}"
            )
    if location["age_s"] < 0:
        raise errors.LocationInvalid("The place was measured after the act.", field="capture.location.age_s")
    if location["age_s"] > OLDEST_PLACE_S:
        raise errors.LocationInvalid(
            "The place was measured over an hour before the act.", field="capture.location.age_s"
        )
    point = geo.Point(float(latitude), float(longitude))
    if location["datum"] == "gcj02":
        point = geo.gcj02_to_wgs84(*point)
    distance = geo.distance_m(point, (float(order.latitude), float(order.longitude)))
    accuracy = location["accuracy_m"]
    within = None if accuracy > order.radius_m else distance - min(accuracy, TRUSTED_ACCURACY_M) <= order.radius_m
    return Place(
        location_given=True,
        precision_class=location["precision_class"],
        datum=location["datum"],
        accuracy_m=accuracy,
        age_s=location["age_s"],
        distance_m=round(distance, 1),
        within=within,
    )


def distance_band(place: PlaceFacts, radius_m: int) -> dict[str, int | None] | None:
    """How far from the address, roughly, in metres: what those may know whose own act it was not. No far end beyond 100 km."""
    if place.distance_m is None:
        return None
    if place.within:
        return {"from_m": 0, "to_m": radius_m}
    near = max((limit for limit in BANDS_M if limit <= place.distance_m), default=BANDS_M[0])
    return {"from_m": near, "to_m": next((limit for limit in BANDS_M if limit > near), None)}
