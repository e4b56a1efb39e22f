"""What the signature of a reply says: the event once more, so that it is of use for this one reply only."""

from __future__ import annotations

from typing import Any

from contracts.events import CloudEvent

AUDIENCE = "dispatcher-replies"


def claims_of(event: CloudEvent) -> dict[str, Any]:
    """The claims of the JWT in `dispatchsignature`; an `exp` may stand beside them."""
    return {
        "aud": AUDIENCE,
        "jti": event.id,
        "source": event.source,
        "type": event.type,
        "data": event.data,
    }
