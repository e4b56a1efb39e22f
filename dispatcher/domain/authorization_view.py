"""An authorization as people read it."""

from __future__ import annotations

from datetime import date

from contracts.authorizations import AuthorizationView
from dispatcher.domain.authorizations import AuthorizationRecord


def view(record: AuthorizationRecord) -> AuthorizationView:
    """As it is read, without its patient."""
    return AuthorizationView(
        id=record.name,
        version=record.version,
        state=record.state,
        number=record.number,
        payer=record.payer,
        services=record.services,
        counted=record.counted,
        granted=record.granted,
        used=record.used,
        left=max(0, record.left),
        first_day=date.fromisoformat(record.first_day),
        last_day=date.fromisoformat(record.last_day),
        has_patient=bool(record.patient),
        requests=record.requests,
    )
