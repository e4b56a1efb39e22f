"""Records in an object store: S3 as moto's server plays it."""

from collections.abc import Iterator
from functools import partial

import pytest

from dispatcher.blobs.objects import Objects
from dispatcher.blobs.places import decisions_of
from dispatcher.blobs.port import Blob
from dispatcher.decisions.packer import Packer
from dispatcher.decisions.record import IMMINENT, Header
from dispatcher.decisions.replay import SAME, replay
from dispatcher.decisions.store import DecisionStore
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.vault import Vault
from dispatcher.settings import Settings
from solvers.planning import plan
from tests.solvers.town import asked, screening, trip, vendor


@pytest.fixture(scope="session")
def bucket() -> Iterator[str]:
    """A bucket of a server that is ours alone."""
    boto3 = pytest.importorskip("boto3")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1",
        }.items():  # fmt: skip
            patch.setenv(name, value)
        for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):  # without certificates obstore makes no client at all
            patch.delenv(name, raising=False)
        boto3.client("s3", endpoint_url=url).create_bucket(Bucket="kept")
        yield "s3://kept/of/ours"
    server.stop()


def test_an_object_store_keeps_lists_and_forgets(bucket: str) -> None:
    store = Objects(bucket)
    store.put("metro/2026-03-01/a", b"one")
    store.put("metro/2026-03-02/b", b"three")
    store.put("metropolis/2026-03-02/b", b"another's")
    assert store.get("metro/2026-03-01/a") == b"one"
    assert store.get("metro/2026-03-01/none") is None
    assert store.under("metro") == [Blob("metro/2026-03-01/a", 3), Blob("metro/2026-03-02/b", 5)]
    store.remove(["metro/2026-03-01/a", "metro/2026-03-02/b"])
    assert store.under("metro") == []
    assert len(store.under("metropolis")) == 1


def test_a_decision_is_kept_in_a_bucket_replays_and_is_forgotten(bucket: str) -> None:
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


def test_a_bucket_that_is_not_there_is_an_os_error_without_secrets(bucket: str) -> None:
    with pytest.raises(OSError, match="s3://nowhere") as error:
        Objects("s3://nowhere").put("a/b/c", b"x")
    assert "test" not in str(error.value)


def test_an_odd_url_is_refused_by_name(bucket: str) -> None:
    with pytest.raises(UserError, match="DISPATCHER_DECISIONS is 'ftp://host/x'") as error:
        decisions_of(Settings(decisions="ftp://user:secret@host/x"))
    assert "secret" not in str(error.value)
