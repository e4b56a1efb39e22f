"""What the service requires proof of is valid on the day of service; if tuning says so, verified by ops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from contracts.codes import CredentialKind, ServiceClass
from contracts.tuning import Parameter
from contracts.vendors import Credential, Vendor
from solvers.arrays import Arrays, Flags, Ints
from solvers.rules.base import Candidate, CandidateRule, Candidates, View
from solvers.screening import CLASSES

ENFORCED = Parameter(
    name="credentials_enforced",
    default=1,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: a vendor needs every credential that the service requires. 0: credentials are not looked at.",
    scope="rules.credentials",
)
GRACE = Parameter(
    name="credentials_grace_days",
    default=0,
    minimum=0,
    maximum=30,
    unit="days",
    summary="A credential counts as valid this long after its last day, while its renewal is under way.",
    scope="rules.credentials",
)
VERIFIED_ONLY = Parameter(
    name="credentials_verified_only",
    default=0,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: a credential counts once ops has verified it. 0: as soon as its vendor claims it.",
    scope="rules.credentials",
)
PARAMETERS = (ENFORCED, GRACE, VERIFIED_ONLY)

_K = CredentialKind
_DRIVING: Final = (_K.AUTO_INSURANCE, _K.BACKGROUND_CHECK, _K.DRUG_SCREEN, _K.VEHICLE_INSPECTION)
_RIDE: Final = (*_DRIVING, _K.CPR_FIRST_AID)
_AMBULANCE: Final = (*_DRIVING, _K.AMBULANCE_LICENCE)
#: What brokers usually require; every one expires.
REQUIRED: Final[Mapping[ServiceClass, tuple[CredentialKind, ...]]] = {
    ServiceClass.AMBULATORY: _RIDE,
    ServiceClass.WHEELCHAIR: _RIDE,
    ServiceClass.BARIATRIC_WHEELCHAIR: _RIDE,
    ServiceClass.STRETCHER: _RIDE,
    ServiceClass.BLS: _AMBULANCE,
    ServiceClass.ALS: _AMBULANCE,
    ServiceClass.CCT: _AMBULANCE,
    ServiceClass.EQUIPMENT: (_K.AUTO_INSURANCE, _K.BACKGROUND_CHECK, _K.DME_ACCREDITATION),
}


class Credentials(CandidateRule):
    """Hard; may be switched off, and relaxed by days of grace."""

    code = "credentials"
    order = 55
    relaxable = True
    unit = "days"
    parameters = PARAMETERS

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """`last_day`: 2 x classes x V, ordinal of the last day on which all that the class requires is valid.

        First by what is claimed, then by what is verified: which one counts, tuning says later.
        """
        claimed = _last_day([_last_days(each.credentials) for each in vendors])
        seen = [[proof for proof in each.credentials if proof.verified] for each in vendors]
        return {"last_day": np.stack([claimed, _last_day([_last_days(each) for each in seen])])}

    def mask(self, view: View, candidates: Candidates) -> Flags:
        """(n)."""
        if not ENFORCED.whole(view.values):
            return np.ones(len(candidates), np.bool_)
        last_day, over = _over(view, candidates)
        return np.asarray((last_day > 0) & (over <= 0))

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """Days by which what was held would have to be renewed; 0 where it was never held."""
        last_day, over = _over(view, candidates)
        return np.where((last_day > 0) & ENFORCED.whole(view.values), np.maximum(over, 0), 0)

    def permits(self, one: Candidate) -> bool:
        """Whether each required credential is held and not over on the day of service."""
        if not ENFORCED.whole(one.values):
            return True
        service_day = one.horizon.days[one.horizon.day_at(one.start_ms)]
        first_day = service_day - timedelta(days=GRACE.whole(one.values))
        claims_count = not VERIFIED_ONLY.whole(one.values)
        valid = {
            proof.kind
            for proof in one.vendor.credentials
            if proof.expires_on >= first_day and (claims_count or proof.verified is not None)
        }
        return set(REQUIRED[one.asked.request.service_class]) <= valid


def _over(view: View, candidates: Candidates) -> tuple[Ints, Ints]:
    """Last valid day (0: never held), and days from it, with grace, to the day of service (n each)."""
    horizon, classes = view.screening.horizon, view.facts.service_class
    day = horizon.ordinal[horizon.day_of(candidates.start_ms)]
    which = VERIFIED_ONLY.whole(view.values)
    last_day = view.vendor["last_day"][which, classes[candidates.request], candidates.vendor]
    return last_day, day - last_day - GRACE.whole(view.values)


def _last_day(proofs: Sequence[Mapping[CredentialKind, int]]) -> Ints:
    """Classes x V: the first of the last days of what the class requires; 0: something is missing."""
    rows = [[min(proof.get(kind, 0) for kind in REQUIRED[each]) for proof in proofs] for each in CLASSES]
    return np.array(rows, np.int64).reshape(len(CLASSES), -1)


def _last_days(proofs: Iterable[Credential]) -> dict[CredentialKind, int]:
    """The latest expiry of each kind, as an ordinal."""
    found: dict[CredentialKind, int] = {}
    for proof in proofs:
        found[proof.kind] = max(found.get(proof.kind, 0), proof.expires_on.toordinal())
    return found


RULE = Credentials()
