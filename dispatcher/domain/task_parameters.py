"""When a task is due, when it goes to its next owner, and how long it keeps its request."""

from __future__ import annotations

from contracts.tuning import Parameter
from dispatcher.domain.pressing import shares

DUE = Parameter(
    name="task_due_minutes",
    default=30,
    minimum=1,
    maximum=1_440,
    unit="minutes",
    summary="A task is due this long after it was opened.",
    scope="domain.tasks",
)
ESCALATION = Parameter(
    name="task_escalation_minutes",
    default=30,
    minimum=1,
    maximum=1_440,
    unit="minutes",
    summary="A task that is past due goes to the next owner; each time after twice as long, at most a day.",
    scope="domain.tasks",
)
LAPSE = Parameter(
    name="task_retention_hours",
    default=720,
    minimum=24,
    maximum=8_760,
    unit="hours",
    summary="A task that nobody ends keeps its request from being forgotten for so long; then both go.",
    scope="domain.tasks",
)
HOLD_LEAD = Parameter(
    name="task_hold_lead_hours",
    default=24,
    minimum=0,
    maximum=720,
    unit="hours",
    summary="A task about what a request on hold waits for is due this long before its deadline, or as any "
    "other, if that is later.",
    scope="domain.tasks",
)
PROOF_DUE = Parameter(
    name="task_proof_hours",
    default=24,
    minimum=0,
    maximum=720,
    unit="hours",
    summary="A task about missing proof is due so long after the work was done, or as any other, if that is "
    "later.",
    scope="domain.tasks",
)
PRESSED = shares("task", "domain.tasks", "A task is due, and goes to its next owner, of a request")
PARAMETERS = (DUE, ESCALATION, LAPSE, HOLD_LEAD, PROOF_DUE, *PRESSED.values())
