"""Blobs in an object store: S3 as moto's server plays it."""

from __future__ import annotations

import pytest

from dispatcher.blobs.objects import Objects
from dispatcher.blobs.port import Blob
from tests.bucket import bucket, object_store  # noqa: F401  (fixtures)


def test_an_object_store_keeps_lists_and_forgets(bucket: str) -> None:  # noqa: F811
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


def test_a_bucket_that_is_not_there_is_an_os_error_without_secrets(bucket: str) -> None:  # noqa: F811
    with pytest.raises(OSError, match="s3://nowhere") as error:
        Objects("s3://nowhere").put("a/b/c", b"x")
    assert "test" not in str(error.value)
