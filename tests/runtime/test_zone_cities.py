"""Where a time zone's city is, east and north of what it is."""

import pytest

from dispatcher.runtime.zone_cities import city_of


def test_a_zone_is_where_its_city_is():
    assert city_of("America/New_York") == pytest.approx((-74.006, 40.714), abs=0.001)
    assert city_of("Asia/Kathmandu") == pytest.approx((85.317, 27.717), abs=0.001)
    assert city_of("Australia/Lord_Howe") == pytest.approx((159.083, -31.55), abs=0.001)
    assert city_of("Atlantic/Azores") == pytest.approx((-25.667, 37.733), abs=0.001)
    assert city_of("UTC") is None
