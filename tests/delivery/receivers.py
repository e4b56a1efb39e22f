"""Who is told: a mail server and a receiver of webhooks, both real, on free ports."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "dispatcher", "correct horse"


class Mailbox:
    """What a mail server took; `answer` is what it says to a recipient."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.recipients: list[str] = []
        self.answer = "250 OK"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Envelope, address: str, _: Any) -> str:
        """As told."""
        if self.answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.answer

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        """Kept."""
        self.mails.append(message_from_bytes(envelope.content or b""))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@asynccontextmanager
async def mail_server(mailbox: Mailbox, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Its port. With `tls`: nobody is served before STARTTLS, nor without signing in."""

    def signed_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            USER.encode(),
            PASSWORD.encode(),
        )
        return AuthResult(success=known, handled=False)

    guarded = {"tls_context": tls, "require_starttls": True, "auth_required": True} if tls else {}

    def made() -> SMTP:
        return SMTP(mailbox, hostname="localhost", authenticator=signed_in, **guarded)

    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


class Receiver:
    """What a webhook got; `answer` is how it answers, by the number of the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[int], web.Response] = lambda number: web.Response(status=204)
        self.elsewhere = 0

    async def took(self, request: web.Request) -> web.Response:
        """Kept, and answered."""
        self.calls.append((dict(request.headers), await request.read()))
        return self.answer(len(self.calls))

    async def other(self, request: web.Request) -> web.Response:
        """Where nobody should come."""
        self.elsewhere += 1
        return web.Response(status=204)


@asynccontextmanager
async def webhook(receiver: Receiver) -> AsyncIterator[str]:
    """Its URL."""
    app = web.Application()
    app.router.add_post("/told", receiver.took)
    app.router.add_route("*", "/elsewhere", receiver.other)
    async with TestServer(app) as server:
        yield str(server.make_url("/told"))


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """For a server at localhost, and for who trusts it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2100, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "server.pem"
    path.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
