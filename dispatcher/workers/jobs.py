"""A solve as it goes to a worker, and the places that come back: plain numbers and arrays."""

from __future__ import annotations

import os
from typing import Any, Final

import numpy as np

from dispatcher.matching.job import Job
from solvers.found import Found
from solvers.saved import NotSaved, large, pack_screening, small, unpack_screening

_PLACES: Final = ("request", "vendor", "resource", "start_ms")


def job_bytes(job: Job) -> bytes:
    """Raises NotSaved: something of it is of a kind from outside."""
    told = {
        "screening": pack_screening(job.screening),
        "time_limit_s": job.time_limit_s,
        "work_limit": job.work_limit,
        "seed": job.seed,
    }
    return small(told)


def job_of(packed: bytes, workers: int | None = None) -> Job:
    """The job, for this machine. Raises NotSaved."""
    told = _named(large(packed))
    work: int | None = told["work_limit"]
    return Job(
        unpack_screening(told["screening"]),
        float(told["time_limit_s"]),
        work,
        int(told["seed"]),
        1 if work else workers or os.cpu_count() or 1,
    )


def found_bytes(found: Found) -> bytes:
    """What a worker found."""
    told: dict[str, Any] = {name: getattr(found, name) for name in _PLACES}
    figures = {
        "digest": found.digest,
        "bound": int(found.bound),
        "seconds": float(found.seconds),
        "solver": found.solver,
    }
    return small(told | figures)


def found_of(packed: bytes) -> Found:
    """Raises NotSaved."""
    told = _named(large(packed))
    try:
        places = {name: told[name] for name in _PLACES}
        if not all(isinstance(each, np.ndarray) for each in places.values()):
            raise NotSaved("places that are no arrays")
        return Found(
            **places,
            digest=str(told["digest"]),
            bound=int(told["bound"]),
            seconds=float(told["seconds"]),
            solver=str(told["solver"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise NotSaved(f"what was found lacks something: {error}") from error


def _named(told: Any) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise NotSaved("it is no table of names")
    return told
