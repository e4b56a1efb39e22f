"""The papers of simulated vendors."""

from __future__ import annotations

import datetime as dt

from contracts.codes import CredentialKind
from contracts.vendors import Credential
from simulation.day import DATE


def valid_credentials(expired: CredentialKind | None = None, date: dt.date = DATE) -> tuple[Credential, ...]:
    """Every kind, valid for a year, but for the one that `expired` last month."""
    return tuple(
        Credential(kind=kind, expires_on=date + dt.timedelta(days=-30 if kind is expired else 365))
        for kind in CredentialKind
    )
