"""Records in an object store: S3 as moto's server plays it."""

from functools import partial

import pytest

from dispatcher.blobs.folder import Memory
from dispatcher.blobs.objects import Objects
from dispatcher.blobs.places import decisions_of
from dispatcher.blobs.port import Blob
from dispatcher.decisions.packer import Packer
from dispatcher.decisions.record import IMMINENT, Header
from dispatcher.decisions.replay import SAME, replay
from dispatcher.decisions.store import SURE_S, DecisionStore
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.settings import Settings
from solvers.planning import plan
from tests.bucket import bucket, object_store  # noqa: F401  (fixtures)
from tests.solvers.town import asked, screening, trip, vendor


def test_a_decision_is_kept_in_a_bucket_replays_and_is_forgotten(bucket: str) -> None:  # noqa: F811
    day = screening([asked(trip("r1"))], [vendor("v1")])
    found, vault = plan(day), Vault(PatientKeyFile("dev", {"dev": bytes(32)}))
    figures = {"cost": found.cost, "bound": found.bound, "matched": 1, "waiting": 1, "software": "1"}
    ids = {"digest": found.digest, "requests": ("r1",), "vendors": ("v1",), "solver": found.solver}
    header = Header(market="metro", kind=IMMINENT, at_ms=day.now_ms, day="2026-11-23", **ids, **figures)  # type: ignore[arg-type]
    store = DecisionStore(Objects(bucket), vault)
    store.put(*Packer().pack(header, day, found, partial(vault.seal, "metro")))
    assert (store.days("metro"), store.names("metro", "2026-11-23")) == (["2026-11-23"], [found.digest])
    raw = store.get("metro", found.digest, ["2026-11-24", "2026-11-23"])
    assert raw is not None
    assert replay(store.opened(raw)).how == SAME
    assert store.forget("metro", "2026-11-24", 10**9) == 3
    assert store.days("metro") == []
    store.put(*Packer().pack(header, day, found, partial(vault.seal, "metro")))
    assert len(store.blobs.under("metro")) == 3


def test_whether_what_records_share_lies_there_still_is_asked_now_and_then_not_for_each() -> None:
    """An object store takes as long to answer as to take a record."""
    asked_for, now_s = list[str](), 0.0

    class Slow(Memory):
        def has(self, name: str) -> bool:
            asked_for.append(name)
            return super().has(name)

    store = DecisionStore(Slow(), Vault(PatientKeyFile("dev", {"dev": bytes(32)})), wall=lambda: now_s)
    for _ in range(3):
        store._put_part("metro/2026-11-23/part-a", b"shared")
    assert (asked_for, store.blobs.under("metro")) == ([], [Blob("metro/2026-11-23/part-a", 6)])
    now_s = SURE_S
    for _ in range(3):
        store._put_part("metro/2026-11-23/part-a", b"shared")
    assert len(asked_for) == 1


def test_an_odd_url_is_refused_by_name(bucket: str) -> None:  # noqa: F811
    with pytest.raises(UserError, match="DISPATCHER_DECISIONS is 'ftp://host/x'") as error:
        decisions_of(Settings(decisions="ftp://user:secret@host/x"))
    assert "secret" not in str(error.value)
