"""Offers as a vendor sees them, and the whole application."""

import datetime as dt

import pytest

from contracts.codes import OfferState
from contracts.geo import Window
from contracts.offers import Offer
from tests.http.conftest import api, cancelling, engine, limits, market, more_routes, registry, store  # noqa: F401

NOON = dt.datetime(2026, 9, 16, 12, tzinfo=dt.UTC)


@pytest.fixture
def some_offers():
    return [
        Offer(
            id=f"r{number}.1",
            request_id=f"r{number}",
            vendor_id="v1",
            state=OfferState.REQUESTED,
            kind="trip",
            window=Window(earliest=NOON, latest=NOON),
            start_at=NOON,
            duration_minutes=30,
            price_cents=3_500,
            pickup_zone=(-75.1, 39.9),
            expires_at=NOON,
        )
        for number in range(2_000)
    ]
