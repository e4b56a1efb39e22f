"""Signing a vendor's people in to their page: codes that ops issues, and the end of their sessions."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

import msgspec

from contracts.codes import Role
from contracts.instants import to_instant
from contracts.vendor_sign_ins import LONGEST_H, NewSignInLink, PhoneSession, PhoneSessions
from dispatcher.domain.refusals import NotFound
from dispatcher.runtime.clock import Clock
from dispatcher.security.principal import Principal
from dispatcher.service.acts import Acts
from dispatcher.service.markets import Markets
from dispatcher.service.vendors import Vendors
from dispatcher.store.sign_ins import SignIns

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: no letter that is taken for a figure
CHARS: Final = 12  # 60 bits: nobody guesses one while it holds
GROUP: Final = 4
MOST_LISTED: Final = 1_000
ALIKE: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})


class SignIn(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What a code is worth: whose session, until when the code holds, how long the session does."""

    market: str
    vendor_id: str
    subject: str
    expires_ms: int
    hours: int
    mark: str = ""

    @property
    def person(self) -> str:
        """Who it is, as the session's token says."""
        return self.subject or self.vendor_id


class Opened(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A session that is open."""

    subject: str
    opened_ms: int
    expires_ms: int
    mark: str


class VendorSignIns:
    """They raise NotFound (market, vendor, role) and Unavailable."""

    def __init__(
        self, markets: Markets, clock: Clock, vendors: Vendors, acts: Acts, sign_ins: SignIns
    ) -> None:
        self.markets, self.clock, self.vendors, self.acts = markets, clock, vendors, acts
        self.sign_ins = sign_ins

    async def issue(
        self, who: Principal, market: str, vendor_id: str, asked: NewSignInLink
    ) -> tuple[str, datetime]:
        """A new code, and until when it may be used; who issued it stands in the audit."""
        await self._refuse(who, market, vendor_id)
        detail = f"{asked.subject} {asked.hours} h".strip()
        await self._note(who, market, "issue_sign_in_link", vendor_id, detail)
        return await issued(self.sign_ins, market, vendor_id, asked, self.clock.now_ms())

    async def end(self, who: Principal, market: str, vendor_id: str, subject: str = "") -> datetime:
        """Every session of the vendor's page is over, and every code; or every one of that person's."""
        await self._refuse(who, market, vendor_id)
        await self._note(who, market, "end_vendor_sessions", vendor_id, subject)
        await self.sign_ins.end(market, vendor_id, subject)
        return to_instant(self.clock.now_ms())

    async def opened(self, said: SignIn, name: str) -> None:
        """A code has opened a session, which is listed by this name."""
        now_ms, hour_s = self.clock.now_ms(), 3_600
        over_ms = now_ms + said.hours * hour_s * 1_000
        entry = Opened(subject=said.person, opened_ms=now_ms, expires_ms=over_ms, mark=said.mark)
        content = msgspec.msgpack.encode(entry)
        await self.sign_ins.opened(said.market, said.vendor_id, name, content, LONGEST_H * hour_s)

    async def listed(self, who: Principal, market: str, vendor_id: str) -> PhoneSessions:
        """Sessions that are open, the newest first."""
        await self._refuse(who, market, vendor_id)
        known = {
            name: msgspec.msgpack.decode(said, type=Opened)
            for name, said in (await self.sign_ins.open(market, vendor_id)).items()
        }
        people = dict.fromkeys(each.subject for each in known.values())
        marks = {each: await self.sign_ins.mark(market, vendor_id, each) for each in people}
        now_ms = self.clock.now_ms()
        still = {
            name: each
            for name, each in known.items()
            if each.expires_ms > now_ms and each.mark == marks[each.subject]
        }
        await self.sign_ins.closed(market, vendor_id, [name for name in known if name not in still])
        newest = sorted(still.values(), key=lambda each: -each.opened_ms)[:MOST_LISTED]
        return PhoneSessions(vendor_id=vendor_id, sessions=tuple(map(_session, newest)))

    async def redeem(self, code: str) -> SignIn | None:
        """What a code is worth, once; None: it is none, was used, or is over."""
        found = await self.sign_ins.take(plain(code))
        if found is None:
            return None
        said = msgspec.msgpack.decode(found, type=SignIn)
        over = said.expires_ms <= self.clock.now_ms()
        mark = await self.sign_ins.mark(said.market, said.vendor_id, said.person)
        return None if over or said.mark != mark else said

    async def _refuse(self, who: Principal, market: str, vendor_id: str) -> None:
        if not who.may({Role.OPS}):
            raise NotFound(f"there is no vendor {vendor_id}\nMaybe it is for another role.")
        await self.vendors.get(who, market, vendor_id)

    async def _note(self, who: Principal, market: str, act: str, vendor_id: str, detail: str = "") -> None:
        entry = await self.acts.entry(who, market, act, "vendor", vendor_id, detail=detail)
        await self.markets.store(market).commit([entry])


async def issued(
    sign_ins: SignIns, market: str, vendor_id: str, asked: NewSignInLink, now_ms: int
) -> tuple[str, datetime]:
    """A code that is kept, as it is read out, and until when it may be used."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(CHARS))
    said = SignIn(
        market=market,
        vendor_id=vendor_id,
        subject=asked.subject,
        expires_ms=now_ms + asked.minutes * 60_000,
        hours=asked.hours,
        mark=await sign_ins.mark(market, vendor_id, asked.subject or vendor_id),
    )
    await sign_ins.keep(code, msgspec.msgpack.encode(said), asked.minutes * 60)
    groups = (code[start : start + GROUP] for start in range(0, CHARS, GROUP))
    return "-".join(groups), to_instant(said.expires_ms)


def _session(opened: Opened) -> PhoneSession:
    return PhoneSession(
        subject=opened.subject,
        opened_at=to_instant(opened.opened_ms),
        expires_at=to_instant(opened.expires_ms),
    )


def plain(code: str) -> str:
    """A code as it is kept, however it was typed."""
    return code.strip().upper().translate(ALIKE)
