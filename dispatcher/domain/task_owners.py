"""Whose a task is at first, by its kind; and to whom it goes when it is late."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.tasks import OwnerRole, TaskKind

OWNERS: Mapping[TaskKind, OwnerRole] = {
    TaskKind.UNMATCHED: OwnerRole.CARE_COORDINATOR,
    TaskKind.NO_SHOW: OwnerRole.CARE_COORDINATOR,
    TaskKind.FAILED: OwnerRole.CARE_COORDINATOR,
    TaskKind.OVERDUE: OwnerRole.OPS,
    TaskKind.UNREADABLE: OwnerRole.OPS,
    TaskKind.SEQUENCE_AT_RISK: OwnerRole.CARE_COORDINATOR,
    TaskKind.PREDECESSOR_MISSING: OwnerRole.CARE_COORDINATOR,
    TaskKind.POSSIBLE_DUPLICATE: OwnerRole.CARE_COORDINATOR,
    TaskKind.AMENDMENT_REFUSED: OwnerRole.CARE_COORDINATOR,
    TaskKind.NOTIFICATION: OwnerRole.OPS,
    TaskKind.BUNDLE_FAILED: OwnerRole.CARE_COORDINATOR,  # or its episode's owner
    TaskKind.WILL_CALL: OwnerRole.CARE_COORDINATOR,
    TaskKind.AUTHORIZATION_MISSING: OwnerRole.CASE_MANAGER,
    TaskKind.AUTHORIZATION_RUNNING_OUT: OwnerRole.CASE_MANAGER,
    TaskKind.OCCURRENCE_MISSING: OwnerRole.CARE_COORDINATOR,
    TaskKind.COUNTER_OFFER: OwnerRole.CARE_COORDINATOR,
    TaskKind.WINDOW_ASKED: OwnerRole.PLATFORM,
    TaskKind.CANARY_ROLLED_BACK: OwnerRole.OPS,
    TaskKind.PRICE_DISPUTE: OwnerRole.OPS,
    TaskKind.PROOF_MISSING: OwnerRole.OPS,
    TaskKind.WEBHOOK_FAILING: OwnerRole.OPS,
    TaskKind.CREDENTIAL_EXPIRING: OwnerRole.OPS,
    TaskKind.DISPATCH_BEYOND_CREDENTIAL: OwnerRole.OPS,
    TaskKind.SCORE_DISPUTE: OwnerRole.OPS,
    TaskKind.STATEMENT_DISPUTE: OwnerRole.OPS,
    TaskKind.VENDOR_SUSPENDED: OwnerRole.OPS,
    TaskKind.UNREAD_MESSAGE: OwnerRole.CARE_COORDINATOR,
}
ESCALATES_TO: Mapping[OwnerRole, OwnerRole] = {  # ops sees the day: there it stays, and is told again
    OwnerRole.CASE_MANAGER: OwnerRole.OPS,
    OwnerRole.CARE_COORDINATOR: OwnerRole.OPS,
    OwnerRole.OPS: OwnerRole.OPS,
    OwnerRole.PLATFORM: OwnerRole.OPS,
}
