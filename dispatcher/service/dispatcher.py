"""The service, whole: one method for each command and each read."""

from __future__ import annotations

from dispatcher.service.intake import Intake
from dispatcher.service.machinery import Machinery
from dispatcher.service.reads import Reads
from dispatcher.service.vendors import Vendors
from dispatcher.service.work import Work


class Dispatcher(Intake, Work, Machinery, Reads, Vendors):
    """`Dispatcher(store, clock, markets, registry)`; see docs/design.md for its methods.

    HTTP, the replies consumer, the matcher and timers all go through one of these; none of them touches a
    record otherwise.
    """
