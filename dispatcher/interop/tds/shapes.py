"""The telegrams that a vendor may send, as the schema has them: which elements and attributes, of what type.

Names and types are those of TCRP Report 210's schema; a test holds them against it. In two places we take
more than it says: a licence plate may be any text (the schema says `meter` or `seconds`), and the elements of
a telegram may come in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

from contracts.codes import DeclineCode, ProviderCancelCode


class Kind(StrEnum):
    """What a text is read as."""

    TEXT = "string"
    WORDS = "list"
    FLAG = "boolean"
    WHOLE = "integer"
    POSITIVE = "positiveInteger"
    NUMBER = "float"
    INSTANT = "dateTime"


class Codes(NamedTuple):
    """One of some words."""

    words: tuple[str, ...]


class Shape(NamedTuple):
    """What an element holds: attributes and elements by name."""

    attributes: Mapping[str, Field]
    elements: Mapping[str, Field]


class Field(NamedTuple):
    """One of them. `needed`: it has to be there; `many`: it may come again."""

    kind: Kind | Codes | Shape
    needed: bool = False
    many: bool = False


K = Kind


def _needed(kind: Kind | Codes | Shape) -> Field:
    return Field(kind, needed=True)


def _all(kind: Kind | Codes | Shape, *names: str) -> dict[str, Field]:
    return dict.fromkeys(names, Field(kind))


def _each(kind: Kind | Codes | Shape, *names: str) -> dict[str, Field]:
    return dict.fromkeys(names, _needed(kind))


TELEGRAM_TYPES = Codes(
    (
        "TripRequest",
        "ExpeditedTripRequest",
        "TripRequestResponse",
        "ClientOrderConfirmation",
        "CustomerInfo",
        "ProviderOrderConfirmation",
        "VehicleConfirmation",
        "TripTask",
        "TripTaskConfirmation",
        "TripTaskCompletion",
        "TripScheduledConfirmation",
        "TripTaskStatus",
        "TripCancelRequest",
        "TripCancelResponse",
    )
)
CLIENT_CANCELS = ("BOOKED_BY_MISTAKE", "BOOKING_TIME", "CHANGED_MY_MIND", "UNABLE_TO_MAKE_TRIP", "OTHER")
TIME_TYPES = Codes(
    (
        *("2101", "scheduledtime", "2102", "estimatedtime", "2103", "promisedtime", "2104", "actual"),
        *("2105", "scheduled", "2107", "estimated", "2106", "promised", "2108", "asap"),
        *("estimatedEndtime", "estimatedStarttime"),
    )
)

TIME = Shape(
    _all(K.TEXT, "timeAccuracy", "timeZoneIdentifer")
    | _all(K.WHOLE, "timeZoneOffset", "dwellTime")
    | {"time": _needed(K.INSTANT), "timeType": Field(TIME_TYPES)},
    {},
)
ID = Shape(_each(K.TEXT, "src", "id") | _all(K.FLAG, "unique"), {})
DISTANCE = Shape(
    {"range": Field(K.WHOLE), "rangeUnit": Field(Codes(("meter", "seconds")))},
    _each(TIME, "startTime", "stopTime"),
)
PLACE = Shape(
    {"zone": Field(K.TEXT), "precision": _needed(K.WHOLE), "direction": Field(K.WHOLE)}
    | _all(K.NUMBER, "speed", "height", "deviationSpeed")
    | {"speedSource": Field(Codes(("gpsunit", "taximeter")))},
    {"typeOfCoordinate": _needed(Codes(("WGS84", "RT90")))}
    | _each(K.NUMBER, "lat", "long")
    | {"vehicleDistance": Field(DISTANCE, many=True)},
)
MANUAL = Shape(
    _each(K.FLAG, "sendtoInvoice", "sendtoVehicle", "sendtoOperator", "vehicleConfirmation")
    | {"manualText": _needed(K.TEXT), "sendingOperator": Field(K.TEXT)},
    {"idActionText": Field(ID), "textTimestamp": Field(TIME)},
)
ADDRESS = Shape(
    _all(K.TEXT, "addressName", "street", "streetNoLetter", "location", "community", "postalNo")
    | _all(K.TEXT, "country", "mapPage")
    | {"streetNo": Field(K.POSITIVE)},
    {"manualDescriptionAddress": Field(MANUAL, many=True), "geographicLocation": Field(PLACE)}
    | _all(ID, "idAddressName", "idStreet", "idPostalCode", "idCommunity", "idCountry")
    | {"idZone": Field(ID, many=True), "idMap": Field(ID, many=True)},
)
_SEATS = (
    _all(K.NUMBER, "fuelRange")
    | _all(K.WHOLE, "ambulatorySpacePoints", "largeWheelchairSpacePoints")
    | _all(K.WHOLE, "standardWheelchairSpacePoints", "cargoSpacePoints")
    | _all(K.FLAG, "hasRamp", "hasLift")
    | _all(K.NUMBER, "conversionFactorForAmbulatoryPointsToStandardWheelchairPoints")
    | _all(K.NUMBER, "conversionFactorForAmbulatoryPointsToLargeWheelchairPoints")
    | _all(K.TEXT, "vehicleModel", "flatFloor", "owner", "rideVibrationQuality")
)
VEHICLE = Shape(_SEATS | _all(K.TEXT, "vin", "licensePlate"), _each(K.TEXT, "id", "number"))
DRIVER = Shape({}, _each(K.TEXT, "id", "firstName", "lastName"))
HEAD = {
    "tripRequestId": _needed(K.TEXT),
    "telegramType": _needed(TELEGRAM_TYPES),
    "timestamp": _needed(TIME),
}
_PAID = {"paymentType": Field(K.WORDS), "fareAmount": Field(K.NUMBER)}
_SERVICES = {"transportServices": Field(K.WORDS)}
_POINTS = ("scheduledPickupPoint", "scheduledDropoffPoint")
_WHO = {"driverInfo": _needed(DRIVER), "vehicleInfo": _needed(VEHICLE)}

TELEGRAMS: Mapping[str, Shape] = {
    "tripRequestResponse": Shape(
        _SERVICES | {"paymentTypeList": Field(K.TEXT), "fareAmount": Field(K.NUMBER)},
        HEAD
        | {"tripAvailable": Field(K.FLAG), "scheduledPickupTime": Field(TIME)}
        | _all(ADDRESS, *_POINTS, "transferPoint")
        | {"tripRejectionReason": Field(Codes(tuple(DeclineCode)))},
    ),
    "providerOrderConfirmation": Shape(
        _PAID | _SERVICES | _all(K.TEXT, "vehicleNumber", "driverId", "vehicleInformation"),
        HEAD
        | {"scheduledPickupTime": _needed(TIME)}
        | _each(ADDRESS, *_POINTS)
        | {"transferPoint": Field(ADDRESS)},
    ),
    "vehicleConfirmation": Shape(
        _SEATS | {"vehicleId": Field(K.WHOLE)},
        HEAD
        | _all(K.TEXT, "vehicleNumber", "driverId", "vehicleInformation")
        | {"availabilityForService": Field(TIME)},
    ),
    "tripTaskConfirmation": Shape(
        {"tripStatus": _needed(Codes(("performed", "no show", "no pickup"))), "driverId": Field(K.TEXT)},
        HEAD
        | {"tripTaskId": _needed(K.TEXT), "customerLocInDropoffSequence": _needed(K.POSITIVE)}
        | {"nodePerformedTime": _needed(TIME), "vehicleNumber": _needed(K.TEXT)},
    ),
    "tripTaskStatus": Shape(
        _all(K.NUMBER, "driverHours", "odometerReading", "passengerMiles", "vehicleHours", "vehicleMiles")
        | _all(K.TEXT, "boardingsAndAlightingsAtTripEnd", "otherFleetVariables"),
        HEAD
        | {"vehicleNumber": _needed(K.TEXT), "GPS": _needed(PLACE), "timecode": _needed(TIME)}
        | _all(K.TEXT, "driverId", "tripTaskId"),
    ),
    "realtimeTripUpdate": Shape({}, HEAD | _WHO | {"GPS": Field(PLACE), "estimatedArrivalTime": Field(TIME)}),
    "realtimeVehiclePosition": Shape(
        {}, HEAD | {"vehicleInfo": _needed(VEHICLE), "GPS": _needed(PLACE), "driverInfo": Field(DRIVER)}
    ),
    "tripPickupArrivalConfirmation": Shape(
        {}, HEAD | _WHO | {"GPS": _needed(PLACE), "passengerBoarded": _needed(K.FLAG)}
    ),
    "tripTaskCompletion": Shape(
        _PAID | _SERVICES | {"specialAttributes": Field(K.WORDS)},
        HEAD
        | {"cost": _needed(K.NUMBER), "pickupTime": _needed(TIME), "dropoffTime": _needed(TIME)}
        | _all(ADDRESS, "pickupAddress", "dropoffAddress", *_POINTS, "transferPoint")
        | _all(ADDRESS, "performedPickupPoint", "performedDropoffPoint")
        | _all(TIME, "scheduledPickupTime", "scheduledDropoffTime")
        | _all(TIME, "performedPickupTime", "performedDropoffTime")
        | {"detoursPermissible": Field(K.FLAG)},
    ),
    "tripScheduledConfirmation": Shape(
        {"paymentRejected": Field(K.FLAG)}, HEAD | {"dataReceived": _needed(K.FLAG)}
    ),
    "tripCancelRequest": Shape(
        {"reason": Field(Codes(CLIENT_CANCELS))}, HEAD | {"cancellationTime": _needed(TIME)}
    ),
    "tripCancelResponse": Shape(
        {"reason": Field(Codes(tuple(ProviderCancelCode)))},
        HEAD
        | {"cancellationTime": _needed(TIME), "cancellationApproved": _needed(K.FLAG)}
        | {"cancellationRequestOrigin": _needed(Codes(("client", "provider")))},
    ),
}
OURS = (  # telegrams that this service sends, or that a provider sends its own vehicles
    "tripRequest",
    "expeditedTripRequest",
    "tripRequestWithRiderInformation",
    "clientOrderConfirmation",
    "customerInfo",
    "tripTask",
)
WITHOUT_A_TYPE = ("realtimeTripUpdate", "realtimeVehiclePosition", "tripPickupArrivalConfirmation")
