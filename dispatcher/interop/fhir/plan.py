"""RequestGroup: in which sequence the requests of a bundle go, and whether all or none.

Only what has a meaning here is taken: actions that name requests of the bundle, `before-start`, `after-end`,
`after-start` and their mirror images, offsets, and `all-or-none`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.problems import InvalidMessage
from dispatcher.interop.fhir import extensions
from dispatcher.interop.fhir.along import refuse_other_meaning
from dispatcher.interop.fhir.datatypes import Element, Quantity, Reference
from dispatcher.interop.fhir.extension_table import PLAN
from dispatcher.interop.fhir.references import Around, read

MINUTES: Mapping[str, int] = {"min": 1, "h": 60, "d": 24 * 60}
FINISH, START = "finish_to_start", "start_to_start"
# relationship -> whether this action goes first, and from where the lag counts
RELATIONS: Mapping[str, tuple[bool, str]] = {
    "before-start": (True, FINISH),  # it is over before the other begins
    "after-end": (False, FINISH),  # it begins once the other is over
    "after-start": (False, START),  # it begins once the other has begun
}


class Range(Element, frozen=True):
    """At least `low`, at most `high`."""

    low: Quantity | None = None
    high: Quantity | None = None


class Related(Element, frozen=True):
    """How an action lies to another."""

    action_id: str
    relationship: str
    offset_duration: Quantity | None = None
    offset_range: Range | None = None


class Action(Element, frozen=True):
    """One request of the group, or the group of all."""

    resource: Reference | None = None
    related_action: tuple[Related, ...] = ()
    selection_behavior: str = ""
    action: tuple[Action, ...] = ()


class RequestGroup(Element, frozen=True):
    """Requests that belong together."""

    status: str = ""
    action: tuple[Action, ...] = ()


def draft(body: Mapping[str, Any], around: Around, at: str) -> dict[str, Any]:
    """For an episode: `sequence`, and `bundle` with `decide_by` if all or none. Raises InvalidMessage."""
    group = read(body, RequestGroup, at)
    refuse_other_meaning(body, PLAN, at)
    if group.status != "active":
        raise InvalidMessage.at(
            f"{at}/status", f"{group.status[:20]!r} is not `active`\nMaybe send it once it is."
        )
    actions, behaviour, pointer = group.action, "", f"{at}/action"
    if len(actions) == 1 and actions[0].action:
        if actions[0].resource is not None or actions[0].related_action:
            raise InvalidMessage.at(
                f"{pointer}/0", "an action of actions has no other part\nMaybe put it beside them."
            )
        behaviour, actions, pointer = actions[0].selection_behavior, actions[0].action, f"{pointer}/0/action"
    edges = _edges(actions, around, pointer)
    made: dict[str, Any] = {"sequence": edges} if edges else {}
    if behaviour not in ("", "all", "all-or-none"):
        raise InvalidMessage.at(
            pointer, f"selectionBehavior {behaviour[:20]!r} has no meaning here\nMaybe all, or all-or-none."
        )
    said = extensions.found(group.extension, PLAN, around, at).get("decide-by", ())
    if bool(said) is not (behaviour == "all-or-none"):
        raise InvalidMessage.at(
            at,
            "all-or-none has the extension `decide-by`, and nothing else has\nMaybe give both, or neither.",
        )
    return made | {"bundle": "all_or_none", "decide_by": said[0][0]} if said else made


def _edges(actions: Sequence[Action], around: Around, at: str) -> list[dict[str, Any]]:
    names = dict[str, str]()
    for place, each in enumerate(actions):
        if each.action or each.resource is None:
            raise InvalidMessage.at(
                f"{at}/{place}", "an action names one request of the bundle\nMaybe name it in `resource`."
            )
        names[each.id or str(place)] = around.request(each.resource, f"{at}/{place}/resource")
    return [
        _edge(names, each, related, f"{at}/{place}/relatedAction/{number}")
        for place, each in enumerate(actions)
        for number, related in enumerate(each.related_action)
    ]


def _edge(names: Mapping[str, str], action: Action, related: Related, at: str) -> dict[str, Any]:
    if related.relationship not in RELATIONS:
        raise InvalidMessage.at(
            at, f"{related.relationship[:20]!r} has no meaning here\nMaybe one of {', '.join(RELATIONS)}."
        )
    if related.action_id not in names or action.id not in names:
        raise InvalidMessage.at(at, "it names an action that is not there\nMaybe give each action an id.")
    goes_first, kind = RELATIONS[related.relationship]
    own, other = names[action.id], names[related.action_id]
    before, after = (own, other) if goes_first else (other, own)
    return {"before": before, "after": after, "kind": kind} | _lags(related, at)


def _lags(related: Related, at: str) -> dict[str, int]:
    made = dict[str, int]()
    low, high = related.offset_duration, None
    if related.offset_range is not None:
        low, high = related.offset_range.low, related.offset_range.high
    for name, given in (("least_lag_minutes", low), ("most_lag_minutes", high)):
        if given is not None:
            made[name] = _minutes(given, at)
    return made


def _minutes(given: Quantity, at: str) -> int:
    unit = extensions.unit_of(given, at)
    if unit not in MINUTES:
        raise InvalidMessage.at(at, f"its unit is {unit[:20]!r}\nMaybe one of {', '.join(MINUTES)}.")
    return round(given.value * MINUTES[unit])
