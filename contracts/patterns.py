"""Patterns: as Python reads them, and as they are published.

Python's `$` also matches before a final newline, its `\\Z` does not, and no other language knows that one.
Everywhere else (ECMA 262, which JSON Schema means, and RE2, which Go and gateways use) `$` is the very end.
"""

from __future__ import annotations

from typing import Any


def whole(pattern: str) -> str:
    """For `Meta(pattern=…)`: all of a text must match, its last newline included; each of several choices."""
    return f"^({pattern})\\Z" if "|" in pattern else f"^{pattern}\\Z"


def published(schema: Any) -> Any:
    """A document with each pattern as others read it: what `whole` made ends in `$`."""
    if isinstance(schema, dict):
        return {
            name: _dollar(value) if name == "pattern" and isinstance(value, str) else published(value)
            for name, value in schema.items()
        }
    if isinstance(schema, list | tuple):
        return [published(each) for each in schema]
    return schema


def _dollar(pattern: str) -> str:
    return pattern.removesuffix("\\Z") + "$" if pattern.endswith("\\Z") else pattern
