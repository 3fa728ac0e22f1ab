"""Places on the globe: WGS-84 degrees, distances in metres on the ellipsoid, and the way back from China's shifted datum."""

from math import cos, pi, radians, sin, sqrt
from typing import NamedTuple

from geographiclib.geodesic import Geodesic

# The ellipsoid of Krasovsky (1940), on which GCJ-02 is built: semi-major axis in metres, first eccentricity squared.
_AXIS_M = 6_378_245.0
_ECCENTRICITY_SQUARED = 0.00669342162296594323
_CONVERGED_DEGREES = 1e-10
_ROUNDS = 30


class Point(NamedTuple):
    """A place in degrees, latitude first."""

    latitude: float
    longitude: float


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """The shortest way between two WGS-84 points (latitude, longitude), in metres (geodesic on the ellipsoid, Karney 2013)."""
    return float(Geodesic.WGS84.Inverse(*a, *b, Geodesic.DISTANCE)["s12"])


def gcj02_to_wgs84(latitude: float, longitude: float) -> Point:
    """Undoes the shift of Chinese maps and handsets (some 100 to 700 m) to well under a millimetre; outside China nothing is shifted.

    The shift has no closed inverse: the guess is moved by what is still wrong until nothing is.
    """
    guess = Point(latitude, longitude)
    if not _is_shifted(guess):
        return guess
    for _ in range(_ROUNDS):
        north, east = _shift(guess)
        wrong_north, wrong_east = guess.latitude + north - latitude, guess.longitude + east - longitude
        guess = Point(guess.latitude - wrong_north, guess.longitude - wrong_east)
        if max(abs(wrong_north), abs(wrong_east)) < _CONVERGED_DEGREES:
            break
    return guess


def wgs84_to_gcj02(latitude: float, longitude: float) -> Point:
    """The point as a Chinese map shows it; outside China unchanged."""
    point = Point(latitude, longitude)
    if not _is_shifted(point):
        return point
    north, east = _shift(point)
    return Point(latitude + north, longitude + east)


def _is_shifted(point: Point) -> bool:
    """The rectangle within which the common implementations shift; it reaches beyond China's border."""
    return 0.8293 <= point.latitude <= 55.8271 and 72.004 <= point.longitude <= 137.8347


def _shift(point: Point) -> tuple[float, float]:
    """How many degrees GCJ-02 moves a WGS-84 point north and east (the polynomial and sines as they are publicly known)."""
    x, y = point.longitude - 105.0, point.latitude - 35.0
    ripple = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + ripple
    north_m += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north_m += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + ripple
    east_m += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east_m += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    bend = 1 - _ECCENTRICITY_SQUARED * sin(radians(point.latitude)) ** 2
    metres_a_degree_north = _AXIS_M * (1 - _ECCENTRICITY_SQUARED) / (bend * sqrt(bend)) * pi / 180.0
    metres_a_degree_east = _AXIS_M / sqrt(bend) * cos(radians(point.latitude)) * pi / 180.0
    return north_m / metres_a_degree_north, east_m / metres_a_degree_east
