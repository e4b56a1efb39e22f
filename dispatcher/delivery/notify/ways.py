"""Which way out the settings name, put together and looked at before anything is started."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path

from dispatcher.delivery.notify.mail import Mailer
from dispatcher.delivery.notify.notifier import Notifier
from dispatcher.delivery.notify.webhook import Webhook
from dispatcher.runtime.clock import Clock
from dispatcher.runtime.errors import UserError
from dispatcher.settings import Settings

SECRET_PREFIX, LEAST_BYTES, MOST_BYTES = "whsec_", 24, 64
_ADDRESS = re.compile(r"[^@\s<>,;]{1,64}@[A-Za-z0-9.-]{1,190}")


def notifier_of(settings: Settings, clock: Clock) -> Notifier | None:
    """The webhook, else the mail server, else None. Raises UserError for what cannot be used."""
    _refuse_address("NOTIFY_COORDINATOR_EMAIL", settings.notify_coordinator_email)
    if settings.notify_webhook_url is not None:
        secret = webhook_secret(settings.notify_webhook_secret_file)
        return Webhook(settings.notify_webhook_url, secret, clock)
    url = settings.smtp_url
    if url is None:
        return None
    if not settings.smtp_from:
        raise UserError("DISPATCHER_SMTP_URL is set, and DISPATCHER_SMTP_FROM is not.", "It is the sender.")
    _refuse_address("SMTP_FROM", settings.smtp_from)
    if url.user and settings.smtp_password_file is None:
        raise UserError(
            "DISPATCHER_SMTP_URL names a user, and there is no password.",
            "Maybe set DISPATCHER_SMTP_PASSWORD_FILE.",
        )
    password = _read("SMTP_PASSWORD_FILE", settings.smtp_password_file) if url.user else ""
    return Mailer(url, settings.smtp_from, clock, password=password)


def webhook_secret(path: Path | None) -> bytes:
    """The bytes to sign with. Raises UserError; the secret is not repeated."""
    if path is None:
        raise UserError(
            "DISPATCHER_NOTIFY_WEBHOOK_URL is set, and there is nothing to sign with.",
            "Maybe set DISPATCHER_NOTIFY_WEBHOOK_SECRET_FILE.",
        )
    text = _read("NOTIFY_WEBHOOK_SECRET_FILE", path)
    try:
        secret = base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not text.startswith(SECRET_PREFIX) or not LEAST_BYTES <= len(secret) <= MOST_BYTES:
        raise UserError(
            f"{path} holds no webhook secret: {SECRET_PREFIX} and the base64 of 24 to 64 bytes.",
            f"Maybe: echo {SECRET_PREFIX}$(openssl rand -base64 32) > {path}",
        )
    return secret


def _read(name: str, path: Path | None) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() if path else ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UserError(f"DISPATCHER_{name}: {path} cannot be read: {reason}.", "Maybe its rights.") from None


def _refuse_address(name: str, address: str) -> None:
    if address and not _ADDRESS.fullmatch(address):
        raise UserError(f"DISPATCHER_{name} is '{address}', no mail address.", "Maybe name@hospital.example.")
