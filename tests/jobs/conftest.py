"""A whole service with a market of its own."""

from tests.service.conftest import world  # noqa: F401
