"""A folder of each test's own, in a bucket of an S3 server that is ours alone: moto's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def object_store() -> Iterator[str]:
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
        yield "s3://kept"
    server.stop()


@pytest.fixture
def bucket(object_store: str, tmp_path: Path) -> str:
    """A folder of it that holds nothing yet."""
    return f"{object_store}/{tmp_path.name}/of/ours"
