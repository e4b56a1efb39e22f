"""A JWT with HS256 (RFC 7515, 7519), as any JWT library makes it: a client alone needs none."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

import msgspec

HEADER = {"alg": "HS256", "typ": "JWT"}


def sign(key: str, claims: Mapping[str, Any]) -> str:
    """The claims, signed. The key is text, whose characters are the secret."""
    text = f"{_part(msgspec.json.encode(HEADER))}.{_part(msgspec.json.encode(claims))}"
    return f"{text}.{_part(hmac.digest(key.encode(), text.encode(), hashlib.sha256))}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
