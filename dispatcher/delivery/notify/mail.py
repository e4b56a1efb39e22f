"""Mail by SMTP: plain text, one recipient, a Message-ID that follows from the notification's."""

from __future__ import annotations

import asyncio
import ssl
from email.message import EmailMessage
from email.utils import format_datetime

import aiosmtplib

from contracts.instants import to_instant
from dispatcher.delivery.notify.notifier import LIMIT_S, Note, Undelivered
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.urls import STARTTLS, TLS, MailUrl

TROUBLES = (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError)
FOR_GOOD = 500  # from here on the server will never take it


class Mailer:
    """See `Notifier`. A connection a mail: there are few, and none is left to go stale."""

    def __init__(
        self,
        url: MailUrl,
        sender: str,
        clock: Clock,
        *,
        password: str = "",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url, self._sender, self._clock, self._password = url, sender, clock, password
        self._tls = tls

    def reaches(self, note: Note) -> bool:
        """By mail alone."""
        return bool(note.email)

    async def send(self, note: Note) -> None:
        """Until the server has taken it. Raises Undelivered."""
        try:
            async with asyncio.timeout(LIMIT_S):
                await self._send(self._made(note))
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = [each.code for each in error.recipients]
            raise Undelivered("recipient", final=min(codes, default=0) >= FOR_GOOD) from None
        except aiosmtplib.SMTPAuthenticationError:
            raise Undelivered("authentication") from None  # ours to mend: it is tried again
        except aiosmtplib.SMTPResponseException as error:
            raise Undelivered(f"smtp_{error.code}", final=error.code >= FOR_GOOD) from None
        except TROUBLES as error:
            raise Undelivered(type(error).__name__) from None  # its text may hold the address

    async def aclose(self) -> None:
        """Nothing stays open."""

    async def _send(self, message: EmailMessage) -> None:
        url = self._url
        await aiosmtplib.send(
            message,
            hostname=url.host,
            port=url.port,
            local_hostname=self._sender.rpartition("@")[2],  # else it would be looked up, and waited for
            username=url.user or None,
            password=self._password if url.user else None,
            use_tls=url.scheme == TLS,
            start_tls=url.scheme == STARTTLS,
            tls_context=self._tls if url.scheme in (TLS, STARTTLS) else None,
            timeout=LIMIT_S,
        )

    def _made(self, note: Note) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, note.email, note.subject
        message["Date"] = format_datetime(to_instant(self._clock.now_ms()))
        message["Message-ID"] = f"<{note.id}@{self._sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = note.language
        message.set_content(note.text)
        return message
