"""What commands are about."""

from __future__ import annotations

from dispatcher.domain.commands.table import Command
from dispatcher.domain.requests import request_id_of


class OnRequest(Command, frozen=True, kw_only=True):
    """A command on a request."""

    request_id: str

    @property
    def subject(self) -> str:
        """The request."""
        return self.request_id

    @property
    def named(self) -> str:
        """The request."""
        return f"request {self.request_id}"


class OnOffer(Command, frozen=True, kw_only=True):
    """A command on an offer or dispatch: decided on the record of its request."""

    offer_id: str

    @property
    def subject(self) -> str:
        """The request of the offer."""
        return request_id_of(self.offer_id)

    @property
    def named(self) -> str:
        """The offer."""
        return f"offer {self.offer_id}"

    @property
    def is_before_work(self) -> bool:
        """Whether the work is most likely not under way yet: then its vendor's papers are looked at."""
        return True


class OnTask(Command, frozen=True, kw_only=True):
    """A command on a task."""

    task_id: str

    @property
    def subject(self) -> str:
        """The task."""
        return self.task_id

    @property
    def named(self) -> str:
        """The task."""
        return f"task {self.task_id}"
