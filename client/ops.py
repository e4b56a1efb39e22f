"""What ops does: pause vendors, verify their papers, list them; and what care does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from client.answers import about
from client.care import CareClient
from client.http import segment
from client.pages import pages
from client.papers import PaperSender
from client.prices import Settling
from client.proofs import ProofGiver
from client.scorecards import ScoreAnswerer
from client.statements import StatementSettler
from client.vendor_limits import WhyNoOffers
from contracts.base import Wire
from contracts.fairness import Fairness
from contracts.onboarding import OnboardingState, SetOnboarding
from contracts.patient_reads import PatientRead, PatientReadPage
from contracts.vendor_sign_ins import (
    CODE_MINUTES,
    SESSION_H,
    NewSignInLink,
    PhoneSessions,
    SessionsEnded,
    SignInLink,
)
from contracts.vendors import Credential, Paper, PauseVendor, SeenPaper, Vendor, VerifyCredentials

VENDORS = "/vendors"


class OpsClient(CareClient, Settling, ProofGiver, PaperSender, ScoreAnswerer, StatementSettler, WhyNoOffers):
    """Calls with an `ops` token; requests and tasks are there as well, but for submitting and quotes."""

    async def pause_vendor(self, vendor_id: str, reason: str) -> Vendor:
        """Send it no new work. Raises Problem 409 when it is paused for another reason."""
        return await self._vendor(vendor_id, "pause", PauseVendor(reason=reason))

    async def resume_vendor(self, vendor_id: str) -> Vendor:
        """End the pause of ops; one of the vendor's own stands."""
        return await self._vendor(vendor_id, "resume")

    async def onboard(self, vendor_id: str, state: OnboardingState, reason: str | None = None) -> Vendor:
        """Take it to another state: only who is active is offered work. Raises Problem 409 for no step."""
        return await self._vendor(vendor_id, "onboarding", SetOnboarding(state=state, reason=reason))

    async def verify(self, vendor_id: str, papers: Sequence[Paper], *, holds: bool = True) -> Vendor:
        """Verify these papers, or take it back. Raises Problem 409 for one that is not claimed (any more).

        A Credential that was read is verified with its document as it was then: another is a 409, too.
        """
        named = tuple(
            SeenPaper(kind=each.kind, expires_on=each.expires_on, sha256=_seen(each) if holds else None)
            for each in papers
        )
        return await self._vendor(vendor_id, "verify", VerifyCredentials(credentials=named, verified=holds))

    async def sign_in_link(
        self, vendor_id: str, subject: str = "", *, hours: int = SESSION_H, minutes: int = CODE_MINUTES
    ) -> SignInLink:
        """A one-time link to the vendor's page, and a code to be typed there; each call another."""
        path = f"{VENDORS}/{segment(vendor_id)}/sign-in-links"
        asked = NewSignInLink(subject=subject, hours=hours, minutes=minutes)
        made = await self.call("POST", path, SignInLink, body=asked)
        return about(made, made.vendor_id, vendor_id, f"POST {path}")

    async def sessions(self, vendor_id: str) -> PhoneSessions:
        """Sessions of the vendor's page that are open, the newest first."""
        path = f"{VENDORS}/{segment(vendor_id)}/sessions"
        found = await self.call("GET", path, PhoneSessions)
        return about(found, found.vendor_id, vendor_id, f"GET {path}")

    async def end_sessions(self, vendor_id: str, subject: str = "") -> SessionsEnded:
        """End every session of the vendor's page, or that person's, and every link that was not used yet."""
        path = f"{VENDORS}/{segment(vendor_id)}/sessions"
        params = {"subject": subject} if subject else None
        ended = await self.call("DELETE", path, SessionsEnded, params=params)
        return about(ended, ended.vendor_id, vendor_id, f"DELETE {path}")

    async def patient_reads(self, request_id: str = "") -> AsyncIterator[PatientRead]:
        """Who read patient blocks (of one request), the earliest first."""
        asked = {"request_id": request_id} if request_id else {}
        async for page in pages(self, "/patient-reads", PatientReadPage, asked):
            for read in page.reads:
                yield read

    async def fairness(self, limit: int = 100) -> Fairness:
        """How requests fare by level of service and area, those that lie farthest behind first."""
        return await self.call("GET", "/fairness", Fairness, params={"limit": str(limit)})

    async def _vendor(self, vendor_id: str, step: str, body: Wire | None = None) -> Vendor:
        path = f"{VENDORS}/{segment(vendor_id)}/{step}"
        vendor = await self.call("POST", path, Vendor, body=body)
        return about(vendor, vendor.id, vendor_id, f"POST {path}")


def _seen(paper: Paper) -> str | None:
    if isinstance(paper, SeenPaper):
        return paper.sha256
    return paper.file.sha256 if isinstance(paper, Credential) and paper.file is not None else None
