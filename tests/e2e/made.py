"""Rides for soon and vendors that may take them, by the system's clock."""

import datetime as dt
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.codes import LevelOfService, ServiceClass
from contracts.geo import Circle, Place, Window
from contracts.patients import Patient
from contracts.pools import Pool, Pools
from contracts.requests import TripRequest
from contracts.vendors import Vendor
from simulation.licences import valid_credentials

ZONE = ZoneInfo("America/New_York")
CENTRE = (-75.16, 39.95)
PATIENT = Patient(name="Nobody Example", phone="+1-555-0100", pickup_address="1 Imaginary Street")


def patient(request_id):
    """One each, or they would be asked for twice."""
    return replace(PATIENT, record_number=f"MRN {request_id}")


def trip(request_id, *excluded):
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=45)
    return TripRequest(
        id=request_id,
        pickup=Place(position=CENTRE),
        dropoff=Place(position=(-75.10, 39.99)),
        level_of_service=LevelOfService.WHEELCHAIR,
        pickup_window=Window(earliest=soon, latest=soon + dt.timedelta(minutes=30)),
        patient=patient(request_id),
        excluded_vendors=excluded,
    )


def vendor(vendor_id):
    return Vendor(
        id=vendor_id,
        name="Careful Vans",
        levels_of_service=(LevelOfService.WHEELCHAIR,),
        service_area=(Circle(centre=CENTRE, radius_m=20_000),),
        credentials=valid_credentials(),
    )


async def post(ops, vendor_id, units=2):
    pool = Pool(id="vans", serves=(ServiceClass.WHEELCHAIR,), units=(units,))
    await ops.put_vendor(vendor(vendor_id))
    today = dt.datetime.now(ZONE).date()
    for day in (today, today + dt.timedelta(days=1)):
        await ops.put_capacity(vendor_id, day, Pools(pools=(pool,)))
