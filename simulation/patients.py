"""Patients who do not exist."""

from __future__ import annotations

import random

from contracts.patients import Patient


def nobody(tag: str, rng: random.Random) -> Patient:
    """Nobody: every field is unique to the request, so that a leak can be found by searching for it."""
    mark = f"{tag}-{rng.getrandbits(32):08x}"
    return Patient(
        name=f"Nobody Example-{mark}",
        phone=f"+1-555-0100-{mark}",
        pickup_address=f"{rng.randint(1, 999)} Imaginary Street {mark}",
        dropoff_address=f"{rng.randint(1, 999)} Pretend Avenue {mark}",
        record_number=f"MRN-{mark}",
        notes=f"made-up note {mark}",
    )
