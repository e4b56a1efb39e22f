"""Records in an object store: S3 as moto's server plays it."""

from functools import partial

import pytest

from dispatcher.blobs.objects import Objects
from dispatcher.blobs.places import decisions_of
from dispatcher.decisions.packer import Packer
from dispatcher.decisions.record import IMMINENT, Header
from dispatcher.decisions.replay import SAME, replay
from dispatcher.decisions.store import DecisionStore
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


def test_an_odd_url_is_refused_by_name(bucket: str) -> None:  # noqa: F811
    with pytest.raises(UserError, match="DISPATCHER_DECISIONS is 'ftp://host/x'") as error:
        decisions_of(Settings(decisions="ftp://user:secret@host/x"))
    assert "secret" not in str(error.value)
