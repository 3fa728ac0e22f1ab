import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.geo import Point, distance_m, gcj02_to_wgs84, wgs84_to_gcj02

FORBIDDEN_CITY = Point(39.915, 116.404)
FORBIDDEN_CITY_GCJ02 = Point(39.91640428150164, 116.41024449916938)
in_china = st.builds(Point, st.floats(1, 55), st.floats(73, 137))


def test_a_point_is_shifted_as_the_well_known_implementations_shift_it():
    assert distance_m(wgs84_to_gcj02(*FORBIDDEN_CITY), FORBIDDEN_CITY_GCJ02) < 0.001


def test_a_shifted_point_comes_back_to_where_it_was():
    assert distance_m(gcj02_to_wgs84(*FORBIDDEN_CITY_GCJ02), FORBIDDEN_CITY) < 0.001


@given(in_china)
def test_every_point_in_china_comes_back_to_within_a_millimetre(point):
    assert distance_m(gcj02_to_wgs84(*wgs84_to_gcj02(*point)), point) < 0.001


def test_a_distance_taken_without_conversion_would_be_wrong_by_hundreds_of_metres():
    assert 500 < distance_m(FORBIDDEN_CITY_GCJ02, FORBIDDEN_CITY) < 600


@pytest.mark.parametrize("place", [Point(48.8584, 2.2945), Point(-33.8568, 151.2153), Point(40.6892, -74.0445)])
def test_outside_china_nothing_is_shifted(place):
    assert wgs84_to_gcj02(*place) == place
    assert gcj02_to_wgs84(*place) == place


def test_a_distance_is_the_geodesic_on_the_ellipsoid_in_metres():
    # Karney's own example: JFK airport to LHR airport
    assert distance_m(Point(40.6, -73.8), Point(51.6, -0.5)) == pytest.approx(5_551_759.400, abs=0.001)
    assert distance_m(FORBIDDEN_CITY, FORBIDDEN_CITY) == 0
