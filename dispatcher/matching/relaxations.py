"""What would match a request after all: the solvers' explanation in the words of the messages."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from contracts.instants import MINUTE_MS, to_instant
from contracts.tuning import Parameter
from contracts.unmatched import Change, Relaxation, Unmatched
from solvers import explain
from solvers.explain.screened import Asked, question_of
from solvers.screening import Screening

SEARCHED = Parameter(
    name="relaxations_per_plan",
    default=25,
    minimum=0,
    maximum=10_000,
    unit="requests",
    summary="For so many unmatched requests of one plan the smallest relaxation is looked for (5 ms each).",
    scope="matching.relaxations",
)
PARAMETERS = (SEARCHED,)


def with_relaxations(why: Unmatched, vendors: Sequence[str], screening: Screening, row: int) -> Unmatched:
    """The reasons of request `row`, with the last rule checked and the smallest changes; verified, pure.

    `vendors`: their ids, in the order of the screening.
    """
    asked = question_of(screening, row)
    found = explain.explain(asked.question)
    same = found.last_rule is not None and found.last_rule.code == why.last_rule
    return replace(
        why,
        last_rule_alone=found.last_rule.matches if found.last_rule is not None and same else None,
        relaxations=tuple(_relaxation(each, asked, vendors) for each in found.relaxations if each.steps),
    )


def _relaxation(found: explain.Relaxation, asked: Asked, vendors: Sequence[str]) -> Relaxation:
    return Relaxation(
        vendor_id=vendors[found.vendor],
        start_at=to_instant(int(asked.candidates.start_ms[found.option])),
        changes=tuple(_change(step, asked) for step in found.steps),
    )


def _change(step: explain.Step, asked: Asked) -> Change:
    units = step.what is explain.What.UNITS
    return Change(
        kind=step.what.value,
        rule=step.code,
        amount=step.amount,
        unit=step.unit,
        start_at=to_instant(asked.bucket_start_ms(step.bucket)) if units else None,
        minutes=step.buckets * asked.bucket_ms // MINUTE_MS if units else 0,
    )
