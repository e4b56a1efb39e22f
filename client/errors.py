"""What a call can end with.

ClientError
├── Problem           the service answered with a problem (RFC 9457): it had no effect
│   └── PossibleDuplicate  the same patient has the like already: `duplicates`
├── UnexpectedAnswer  something answered, and not as documented; after a POST or PUT the effect is unknown
└── Unreachable       no answer within the timeout: the outcome is unknown; ask again under the same key
"""

from __future__ import annotations

from typing import Any

import msgspec

from contracts.duplicates import Duplicate

OWN = frozenset({"type", "title", "status", "detail", "call_id"})


class ClientError(Exception):
    """A call that did not give what was asked for."""


class Problem(ClientError):
    """The service refused. `type` is stable, `detail` is for people, `facts` are extension members.

    `call_id` finds the call in the service's log.
    """

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        """Keep the status and the members of the problem document."""
        self.status = status
        self.type = str(body.get("type", "about:blank"))
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.call_id = str(body.get("call_id", ""))
        self.facts = {name: value for name, value in body.items() if name not in OWN}
        self.reason = self.detail.partition("\n")[0] or self.title  # without what may fix it
        super().__init__(f"{status} {self.type}: {self.detail or self.title}")


class PossibleDuplicate(Problem):
    """Nothing was stored: of each request in `duplicates` the like was asked for before.

    Look at them; what is meant all the same names them in `not_duplicate_of`, and is sent again.
    """

    TYPE = "/problems/possible-duplicate"

    @property
    def duplicates(self) -> tuple[Duplicate, ...]:
        """Which requests of the call, and what each may be again."""
        try:
            return msgspec.convert(self.facts.get("duplicates", ()), tuple[Duplicate, ...])
        except msgspec.ValidationError:  # of a later version
            return ()


class UnexpectedAnswer(ClientError):
    """What answered is not the service as documented: a login page, a proxy, a redirect, another version.

    Never taken for success. The text says status and kind, never what was sent or answered.
    """

    def __init__(self, call: str, status: int, wrong: str) -> None:
        """`call`: method and path; `wrong`: in which way it is not the documented answer."""
        self.status = status
        super().__init__(
            f"{call}: answer {status} is not as documented: {wrong}\n"
            "Maybe a proxy or a login page stands between, or the address is not the service's."
        )


class Unreachable(ClientError):
    """No answer came; nothing is known about the effect."""
