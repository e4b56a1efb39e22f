"""The ledger's resolution: what is posted and what is booked, in buckets of five minutes."""

from __future__ import annotations

LEDGER_BUCKET_MINUTES = 5  # posted buckets are multiples of it; the solver may look at coarser ones
LEDGER_BUCKETS = 24 * 60 // LEDGER_BUCKET_MINUTES
MAX_UNITS = 10_000
