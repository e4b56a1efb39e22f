"""Why a command is refused; each refusal is one problem type on the wire (RFC 9457).

Refusal
├── Invalid           422  understood, but it cannot be meant: a window in the past, a value out of bounds
├── NotAllowed        403  it is there and you may read it, but this is for another role
├── NotFound          404  unknown, or not yours: the answer is the same
├── WrongState        409  the work has moved on (expired, taken back, ended)
├── Stale             412  another version is current
├── Reused            422  the id or key was used before with another body
├── DoesNotFit        409  the vendor that was chosen may not serve the request: by which rules
├── OverBooked        409  capacity is gone, or would fall below what is booked
├── PossibleDuplicate 409  the same patient has the same kind of service at the same time already
├── Crowded           429  so many of the kind wait already as may wait
├── Unreadable        500  what is stored under this id cannot be read: ours to mend, not the caller's fault
│   └── PatientKeyMissing  503  the patient key that it was sealed under is not in this process's key ring
├── Unavailable       503  the store cannot answer now; nothing is known to be stored
└── Unwritable        503  one key cannot be written until somebody mends it; nothing was stored
"""

from __future__ import annotations

from typing import Any, ClassVar

FORGOTTEN = (  # after their end
    "request ", "offer ", "dispatch ", "episode ", "standing order ", "task ", "authorization ",
    "notification ",
)  # fmt: skip


class Refusal(Exception):
    """A command that had no effect; `type` is stable, `detail` names value, limit and what may fix it."""

    type: ClassVar[str] = "refused"
    status: ClassVar[int] = 400

    def __init__(self, detail: str, **facts: Any) -> None:
        """Keep the detail and machine-readable facts (RFC 9457 extension members); never patient data."""
        super().__init__(detail)
        self.detail = detail
        self.facts = facts

    @property
    def reason(self) -> str:
        """What is wrong, for those who run the service: without what whoever asked may do about it."""
        return self.detail.partition("\n")[0]


class Invalid(Refusal):
    """Well-formed, but it cannot be meant: a window in the past, a tuning value out of bounds."""

    type, status = "invalid-request", 422


class NotAllowed(Refusal):
    """Known to the caller, but for another role to do; the detail says for which."""

    type, status = "forbidden", 403


class NotFound(Refusal):
    """Unknown, or another's."""

    type, status = "not-found", 404


class WrongState(Refusal):
    """The command does not fit the state the work is in."""

    type, status = "wrong-state", 409


class Stale(Refusal):
    """`If-Match` names a version that is not current."""

    type, status = "stale-version", 412


class Reused(Refusal):
    """An id or idempotency key came again with another body."""

    type, status = "id-reused", 422


class OverBooked(Refusal):
    """Capacity is taken, or a posting is lower than what is booked."""

    type, status = "over-booked", 409


class DoesNotFit(Refusal):
    """A vendor that was chosen by hand breaks rules; `rules` names them, `unmatched` what would fit."""

    type, status = "does-not-fit", 409


class PossibleDuplicate(Refusal):
    """The same patient has the like already; `duplicates` says of each request which others it may be."""

    type, status = "possible-duplicate", 409


class Crowded(Refusal):
    """So many of the kind wait already as may wait; ask again after `retry_after_s`."""

    type, status = "too-many", 429


class Unreadable(Refusal):
    """What is stored under this id cannot be read: it is damaged, or of a form that is not known."""

    type, status = "unreadable", 500


class PatientKeyMissing(Unreadable):
    """It was sealed under a patient key that this process has not: `key_id`. It is whole."""

    type, status = "patient-key-missing", 503


class Unavailable(Refusal):
    """The store did not answer or is full; ask again under the same id after `retry_after_s`."""

    type, status = "unavailable", 503


class Unwritable(Refusal):
    """A key that the command writes cannot be written; others can. `key` and `reason` say why."""

    type, status = "unavailable", 503


def no_such(named: str) -> NotFound:
    """Of `request r1`, `vendor v1` …: the same words, whether it is unknown, another's, or forgotten."""
    may_be = ", or it is forgotten: `retention_hours` after its end" if named.startswith(FORGOTTEN) else ""
    return NotFound(f"there is no {named}\nMaybe the id is misspelt{may_be}.")
