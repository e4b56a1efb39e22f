"""What vendors answer over Redis, taken up: a process of its own, or in the web process."""

from __future__ import annotations

from functools import partial

import uvloop

from dispatcher.app.jobs import Work
from dispatcher.app.opened import Opened, opened, telling
from dispatcher.app.saving import savers_of, saving
from dispatcher.app.until_told import until_told
from dispatcher.delivery.replies import Replies
from dispatcher.delivery.reply_effects import Verify
from dispatcher.matching.quotes import Quoter
from dispatcher.runtime.own_name import own_name
from dispatcher.security import key_files
from dispatcher.security.tokens import Authenticator
from dispatcher.service.loops import REPLIES, keep_running
from dispatcher.settings import Settings
from dispatcher.store.reply_streams import MadeAnew


def run_replies(settings: Settings, name: str | None = None) -> int:
    """The replies alone, until SIGTERM; as many processes as one likes share each market's.

    `name`: who this is in consumer groups; one that outlives a crash takes up at once what was left.
    """
    verify = Authenticator(key_files.read_token_keys(settings.token_keys_file)).verify
    uvloop.run(_replies(settings, name or own_name(), verify))
    return 0


async def _replies(settings: Settings, name: str, verify: Verify) -> None:
    async with opened(settings, "replies") as open_:
        savers = savers_of(open_)
        quoter = Quoter(open_.store, open_.clock, settings.markets, open_.travel_of, savers)
        async with saving(open_.store, savers):
            await until_told(
                *replies_of(open_, name, verify, quoter),
                *telling(open_.service),
                *([] if open_.engine is None else [open_.engine.run()]),
            )


def replies_of(
    open_: Opened, name: str, verify: Verify, quoter: Quoter, made_anew: MadeAnew = lambda market: None
) -> list[Work]:
    """Of each market what its vendors reply."""
    replies = Replies(open_.service, verify, name, countered=quoter.countered, made_anew=made_anew)
    markets = open_.settings.markets
    return [keep_running(open_.store, each, REPLIES, partial(replies.run, each)) for each in markets]
