"""Passwords of servers, in a file: in an address they would stand in every list of processes."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from dispatcher.runtime.errors import UserError


def with_password(url: str, file: Path, named: str) -> str:
    """The address with the password that the file holds; one that has a password keeps it.

    `named`: the setting that says where it is. Raises UserError: the file cannot be read, or is empty.
    """
    scheme, separator, rest = url.partition("://")
    user, _, hosts = rest.rpartition("@")
    if ":" in user or scheme == "unix":
        return url
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"{named} is {file}, and it cannot be read: {type(error).__name__}.",
            "Maybe its name, or its rights.",
        ) from None
    if not password:
        raise UserError(f"{named} is {file}, and it is empty.", "Write one there.")
    return f"{scheme}{separator}{user}:{quote(password, safe='')}@{hosts}"
