"""A day on which every parameter of rules and solvers has something to say."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date, timedelta

import numpy as np

from contracts.codes import CredentialKind, Priority
from contracts.geo import Circle, Place
from contracts.requests import OrderLine
from contracts.vendors import Credential, Hours, RateCard
from solvers.acceptance import CELLS, tables
from solvers.posing import pose
from solvers.screening import OpenRequest, Screening
from tests.solvers.town import CENTRE, NOON, asked, ms, order, screening, standing_at, supply, trip, vendor


def rich_day(values: Mapping[str, float]) -> Screening:
    """With these overrides of the tuning; each vendor has a floor under its share."""
    values = {"share_floor": 0.5, **values}
    far, near = (-74.3, 40.7), (-74.22, 40.7)
    monday = Hours(weekday=0, opens_minute=6 * 60, closes_minute=20 * 60)
    lapsed = tuple(Credential(kind=kind, expires_on=date(2026, 11, 22)) for kind in CredentialKind)
    listed = RateCard(included_miles=1, night_cents=4_500)
    vendors = [
        vendor("v1", rate_card=listed),
        vendor("v2", hours=(monday,), rate_card=listed),
        vendor("v3", credentials=lapsed),
        vendor("v4", service_area=(Circle(centre=near, radius_m=3_000),)),
        vendor("v5"),
        vendor("v6", out_of_area_m=100_000),
    ]
    held = supply(6, pools=2)
    held.left[0, 0, ::7] = 0
    requests = [
        *(trip(f"p{n}", priority=each, start_min=70 + 3 * n) for n, each in enumerate(Priority)),
        trip("night", start_min=9 * 60, width_min=150),
        trip("deep", start_min=15 * 60, width_min=60),
        trip("peak", start_min=5 * 60, preferred_vendors=("v2",)),
        trip("soon", start_min=-20, width_min=120),
        trip("far", pickup=Place(position=far), dropoff=Place(position=CENTRE)),
        order("box", OrderLine(hcpcs="E1390", quantity=90), start_min=7.4 * 60),
        trip("away", dropoff=Place(position=(-74.0, 41.3)), start_min=4 * 60),
        trip("closing", start_min=7.3 * 60, width_min=20),
    ]
    told = tables({"v1": np.full(CELLS, 7.0)}, {"v1": np.full(CELLS, 9.0)}, unknown=0.9, weight=10)
    known = {"scorecards": {"v1": 0.5}, "offers": {"v1": {"wheelchair": 40}}, "acceptance": told}
    at = NOON + timedelta(hours=3)
    visit = OpenRequest(
        request=trip("visit", pickup_window=None, appointment_at=at),
        earliest_ms=ms(at) - 120 * 60_000,
        latest_ms=ms(at),
    )
    waiting = [replace(asked(each), behind=1.5 * (each.id == "closing")) for each in requests]
    day = screening([*waiting, visit], vendors, held, values, known=known)
    return standing_at(day, {0: (1, int(day.facts.earliest_ms[0]))})


def model(day: Screening) -> str:
    """A digest of all that is made of the day: its candidates, and the problem of choosing among them."""
    posed = pose(day)
    found, problem = posed.screened, posed.priced
    state = hashlib.blake2b()
    for field in fields(problem):
        state.update(np.asarray(getattr(problem, field.name)).tobytes())
    for field in fields(found.candidates):
        state.update(getattr(found.candidates, field.name).tobytes())
    return state.hexdigest()
