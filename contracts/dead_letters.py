"""Dead letters: replies that could not be used, by name and reason; what they said is not repeated."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Instant, Wire
from contracts.paging import PageSize
from contracts.patterns import whole

LetterId = Annotated[
    str, Meta(pattern=whole("[0-9]{1,19}-[0-9]{1,19}"), description="as the list of dead letters names it")
]
After = Annotated[str, Meta(pattern=whole("([0-9]{1,19}-[0-9]{1,19})?"), description="of the page before")]


class DeadLetter(Wire, omit_defaults=False):
    """One entry that was put aside. `kept`: it still stands in its stream and can be sent again."""

    id: LetterId
    at: Instant  # by the store's clock
    stream: str
    entry_id: str
    reason: str  # a problem's type, or `internal`
    kept: bool


class DeadLetterQuery(Wire):
    """A page of the dead letters, the newest first."""

    cursor: After = ""
    limit: PageSize = 50


class DeadLetterPage(Wire, omit_defaults=False):
    """Dead letters, the newest first; `cursor` is empty on the last page."""

    letters: tuple[DeadLetter, ...] = ()
    cursor: str = ""
