"""A store and a market, as the store's own tests have them."""

from tests.store.conftest import keys, market, raw, server, store, streams  # noqa: F401
