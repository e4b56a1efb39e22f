"""Elements of what comes along with an order: which there are, and which may change what the others mean.

FHIR calls some elements modifiers: a Patient that is not `active` any more, a Location that is closed. Each
is taken with the values that change nothing, and refused with any other. So is what R4 does not have: an
action whose `relatedAction` is misspelt would lose its place in the sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from contracts.problems import InvalidMessage
from dispatcher.interop.fhir.elements import ORDERS, no_such_element

_PART = "id extension modifierExtension"
_RESOURCE = f"resourceType meta implicitRules language text contained {_PART}"
GROUP, ACTION, RELATED = "RequestGroup", "RequestGroup.action", "RequestGroup.action.relatedAction"
ENTRY = "Bundle.entry"


class Only(NamedTuple):
    """With which values an element changes nothing, and in words what may be done about any other."""

    values: tuple[Any, ...]
    words: str


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


NAMES: Mapping[str, frozenset[str]] = {
    "Patient": _names(
        f"{_RESOURCE} identifier active name telecom gender birthDate deceasedBoolean deceasedDateTime "
        "address maritalStatus multipleBirthBoolean multipleBirthInteger photo contact communication "
        "generalPractitioner managingOrganization link"
    ),
    "Patient.link": _names(f"{_PART} other type"),
    "Location": _names(
        f"{_RESOURCE} identifier status operationalStatus name alias description mode type telecom address "
        "physicalType position managingOrganization partOf hoursOfOperation availabilityExceptions endpoint"
    ),
    "Coverage": _names(
        f"{_RESOURCE} identifier status type policyHolder subscriber subscriberId beneficiary dependent "
        "relationship period payor class order network costToBeneficiary subrogation contract"
    ),
    GROUP: _names(
        f"{_RESOURCE} identifier instantiatesCanonical instantiatesUri basedOn replaces groupIdentifier "
        "status intent priority code subject encounter authoredOn author reasonCode reasonReference "
        "note action"
    ),
    ACTION: _names(
        f"{_PART} prefix title description textEquivalent priority code documentation condition "
        "relatedAction timingDateTime timingAge timingPeriod timingDuration timingRange timingTiming "
        "participant type groupingBehavior selectionBehavior requiredBehavior precheckBehavior "
        "cardinalityBehavior resource action"
    ),
    RELATED: _names(f"{_PART} actionId relationship offsetDuration offsetRange"),
    "Bundle": _names(
        "resourceType id meta implicitRules language identifier type timestamp total link entry signature"
    ),
    ENTRY: _names(f"{_PART} link fullUrl resource search request response"),
    "Bundle.entry.request": _names(f"{_PART} method url ifNoneMatch ifModifiedSince ifMatch ifNoneExist"),
}
_DIED = "cancel what was asked for who has died"
_TIMED = "say when in each request, and how they lie to each other in `relatedAction`"
MODIFIERS: Mapping[str, Mapping[str, Only]] = {
    "Patient": {
        "active": Only((True,), "send the record that is in use"),
        "deceasedBoolean": Only((False,), _DIED),
        "deceasedDateTime": Only((), _DIED),
    },
    "Patient.link": {"type": Only(("seealso", "replaces"), "send the record that took its place")},
    "Location": {
        "status": Only(("active",), "name a door that is open"),
        "mode": Only(("instance",), "name one door, not a kind of them"),
    },
    "Coverage": {"status": Only(("active",), "send the Coverage that holds")},
    GROUP: {
        "intent": Only(tuple(sorted(ORDERS)), "send it once it is an order"),
        "replaces": Only((), "cancel what it replaces"),
    },
    ACTION: {
        "condition": Only((), "leave out what is not to be done, and send it once it is"),
        "timingDateTime": Only((), _TIMED),
        "timingAge": Only((), _TIMED),
        "timingPeriod": Only((), _TIMED),
        "timingDuration": Only((), _TIMED),
        "timingRange": Only((), _TIMED),
        "timingTiming": Only((), _TIMED),
        "requiredBehavior": Only(("must",), "leave out what need not be done"),
        "cardinalityBehavior": Only(("single",), "ask for each time by a request of its own"),
    },
}
_PARTS: Mapping[str, Mapping[str, str]] = {  # elements that have elements, and what those are of
    "Patient": {"link": "Patient.link"},
    GROUP: {"action": ACTION},
    ACTION: {"action": ACTION, "relatedAction": RELATED},
    "Bundle": {"entry": ENTRY},
    ENTRY: {"request": "Bundle.entry.request"},
}


def refuse_other_meaning(given: Mapping[str, Any], kind: str, at: str) -> None:
    """Raises InvalidMessage for an element that `kind` has not, or that changes what the others mean."""
    for name, value in given.items():
        if name.removeprefix("_") not in NAMES[kind]:
            raise no_such_element(name, NAMES[kind], kind, at)
        only = MODIFIERS.get(kind, {}).get(name)
        if only is not None and value not in (*only.values, None, [], {}):
            taken = " or ".join(f"`{str(each).lower()}`" for each in only.values) or "nothing"
            raise InvalidMessage.at(
                f"{at}/{name}", f"{taken} is taken there: it changes what is meant\nMaybe {only.words}."
            )
        if inner := _PARTS.get(kind, {}).get(name):
            for part, pointer in _parts(value, f"{at}/{name}"):
                refuse_other_meaning(part, inner, pointer)


def _parts(value: Any, at: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Each element that has elements in it, and where it stands."""
    if isinstance(value, dict):
        yield value, at
    elif isinstance(value, list):
        yield from ((each, f"{at}/{n}") for n, each in enumerate(value) if isinstance(each, dict))
