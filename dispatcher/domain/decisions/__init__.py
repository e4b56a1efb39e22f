"""One decision a file: (record, command, now_ms, values) → Decision, None (it had its effect), or Refusal."""

from dispatcher.domain.decisions.accept import accept
from dispatcher.domain.decisions.cancel import cancel
from dispatcher.domain.decisions.decline import decline
from dispatcher.domain.decisions.due import due
from dispatcher.domain.decisions.explain import explain
from dispatcher.domain.decisions.hold import hold, resume
from dispatcher.domain.decisions.offer import exhausted, offer
from dispatcher.domain.decisions.receive import receive
from dispatcher.domain.decisions.report import report

__all__ = [
    "accept",
    "cancel",
    "decline",
    "due",
    "exhausted",
    "explain",
    "hold",
    "offer",
    "receive",
    "report",
    "resume",
]
