"""Task: what became of a request. Each vendor that was asked is a contained Task, an output of the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.codes import RequestState
from contracts.request_views import Attempt, RequestView
from dispatcher.domain.states import LIVE_OFFERS, TERMINAL, WORKED_ON
from dispatcher.interop.fhir.canonical import (
    EPISODE_ID,
    NPI,
    OFFER_STATE,
    OUTPUT,
    REASON,
    REQUEST_ID,
    REQUIREMENT,
    RULE,
    STATE,
    TASK_CODE,
    TRACKING,
    coded,
    url,
)
from dispatcher.interop.fhir.ids import fhir_id
from dispatcher.interop.fhir.people import MASKED
from dispatcher.interop.fhir.references import vendor
from dispatcher.interop.fhir.states import OFFERS, REQUESTS
from dispatcher.interop.fhir.told import KINDS, charge, charges, instant, meta

UNMATCHED = frozenset({RequestState.MATCHING, RequestState.UNMATCHED})  # so far, or for good
Npis = Mapping[str, str]  # of vendors that have one


def task(view: RequestView, npis: Npis) -> dict[str, Any]:
    """The Task of a request, under the request's id."""
    focus = {"reference": f"{KINDS[view.kind]}/{fhir_id(view.id)}", "type": KINDS[view.kind]}
    made: dict[str, Any] = {
        "resourceType": "Task",
        "id": fhir_id(view.id),
        "meta": meta(view),
        "identifier": [{"system": REQUEST_ID, "value": view.id}],
        "basedOn": [focus],
        "status": REQUESTS[view.state].task,
        "businessStatus": _business_status(view),
        "intent": "order",
        "code": coded(TASK_CODE, "fulfill"),
        "focus": focus,
        "for": MASKED,
        "authoredOn": instant(view.received_at),
        "lastModified": meta(view)["lastUpdated"],
        **_attempts(view, npis),
    }
    if view.asked is not None:
        made["priority"] = view.asked.priority.value
    if view.episode:
        made["groupIdentifier"] = {"system": EPISODE_ID, "value": view.episode}
    if reason := _reason(view):
        made["statusReason"] = reason
    if view.window is not None:
        made["restriction"] = {"period": _period(view.window.earliest, view.window.latest)}
    if taker := taker_of(view):
        made["owner"] = owner(taker, npis)
    if done := _execution(view):
        made["executionPeriod"] = done
    said = _extensions(view)
    return made | ({"extension": said} if said else {})


def taker_of(view: RequestView) -> str:
    """The vendor that has the work, has done it, or is asked for it now; "": none, or several at once."""
    working = [each.vendor_id for each in view.attempts if each.state in WORKED_ON]
    asked = [each.vendor_id for each in view.attempts if each.state.value == "requested"]
    if working:
        return working[-1]
    return asked[0] if len(asked) == 1 else ""


def vendors_of(view: RequestView) -> set[str]:
    """Every vendor that its Task names."""
    return {each.vendor_id for each in view.attempts}


def owner(name: str, npis: Npis) -> dict[str, Any]:
    """A vendor, by its National Provider Identifier if it has one; shown by our id."""
    known = (
        {"type": "Organization", "identifier": {"system": NPI, "value": npis[name]}} if name in npis else {}
    )
    return (known or vendor(name)) | {"display": name}


def _period(start: Any, end: Any) -> dict[str, str]:
    return {"start": instant(start), "end": instant(end)}


def _business_status(view: RequestView) -> dict[str, Any]:
    made = coded(STATE, view.state.value)
    if view.status is not None:
        made["coding"].append({"system": TRACKING, "code": view.status.value})
    return made


def _reason(view: RequestView) -> dict[str, Any] | None:
    """Why it stands so: which rule removed the last vendor, what it waits for, how it ended."""
    if view.state in UNMATCHED and view.unmatched is not None:
        found = view.unmatched
        removed = ", ".join(f"{each.rule} {each.vendors}" for each in found.removed)
        text = f"{found.vendors} vendors; removed by each rule: {removed or 'none'}"
        return coded(RULE, found.last_rule, text) if found.last_rule else {"text": text}
    if view.waits_for:
        needed = [{"system": REQUIREMENT, "code": each.requirement.value} for each in view.waits_for]
        return {"coding": needed, "text": f"waits for {view.waits_for[0].requirement}, from {view.owner}"}
    code = view.history[-1].code if view.history and view.state in TERMINAL else ""
    return coded(REASON, code) if code else None


def _execution(view: RequestView) -> dict[str, str] | None:
    """When the vendor set out, and when it ended: only of work that was begun."""
    states = [each.state for each in view.history]
    begun = [  # each report of a vendor under way is a step, too
        each.at
        for before, each in zip([None, *states], view.history, strict=False)
        if each.state is RequestState.IN_PROGRESS and before is not each.state
    ]
    over = [each.at for each in view.history if each.state in TERMINAL]
    if view.state is RequestState.COMPLETED and not begun:
        begun = over
    if not begun or view.state not in TERMINAL | {RequestState.IN_PROGRESS}:
        return None
    return _period(begun[-1], over[-1]) if over else {"start": instant(begun[-1])}


def _extensions(view: RequestView) -> list[dict[str, Any]]:
    made = charges(view)
    if view.match is not None:
        made.append({"url": url("agreed"), "valuePeriod": _period(view.match.start_at, view.match.end_at)})
    if view.at_risk:
        made.append({"url": url("at-risk"), "valueCode": view.at_risk})
    return made


def _attempts(view: RequestView, npis: Npis) -> dict[str, Any]:
    if not view.attempts:
        return {}
    names = [f"attempt-{each.id.rpartition('.')[2]}" for each in view.attempts]
    return {
        "contained": [_attempt(n, each, npis) for n, each in zip(names, view.attempts, strict=True)],
        "output": [
            {"type": coded(OUTPUT, "attempt"), "valueReference": {"reference": f"#{name}"}} for name in names
        ],
    }


def _attempt(name: str, each: Attempt, npis: Npis) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Task",
        "id": name,
        "status": OFFERS[each.state],
        "businessStatus": coded(OFFER_STATE, each.state.value),
        "intent": "order",
        "authoredOn" if each.state in LIVE_OFFERS else "lastModified": instant(each.at),
        "owner": owner(each.vendor_id, npis),
    }
    if each.code:
        made["statusReason"] = coded(REASON, each.code)
    if each.price_cents is not None:
        made["extension"] = [charge(each)]
    return made
