"""Commands about a store: of the one that their options name, else of the service's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher import cli
from dispatcher.cli._named_store import settings_of

OURS, OTHER = "redis://ours:6379/0", "redis://other:6379/0"
COMMANDS = {
    "audit": ["audit"],
    "backup": ["backup", "b.tar"],
    "keys": ["keys", "status"],
    "restore": ["restore", "b.tar"],
    "vendor-access": ["vendor-access", "--market", "metro", "--vendor", "v1"],
}


@pytest.mark.parametrize(
    ("named", "url", "folder"),
    [
        ([], OURS, "own"),
        (["--data-dir", "copy"], "", "copy"),
        (["--url", OTHER], OTHER, "own"),
        (["--url", OTHER, "--data-dir", "copy"], OTHER, "copy"),
    ],
    ids=["the service's", "a folder", "an address", "an address, and files elsewhere"],
)
@pytest.mark.parametrize("command", COMMANDS)
def test_the_store_is_the_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, command: str, named: list[str], url: str, folder: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", OURS)
    monkeypatch.setenv("DISPATCHER_DATA_DIR", "own")
    args = cli._parser(cli.load(command)).parse_args([*COMMANDS[command][1:], *named])
    found = settings_of(args)
    assert (str(found.redis_url), found.data_dir) == (url, Path(folder))


@pytest.mark.parametrize(
    ("environment", "folder", "beside"),
    [
        ({"DISPATCHER_REDIS_URL": OURS}, "copy", ""),
        ({"DISPATCHER_DATA_DIR": "own"}, "copy", ""),
        ({"DISPATCHER_DATA_DIR": "own"}, "./own", "ours"),
        ({}, "copy", "ours"),
    ],
    ids=["a server's", "another folder's", "the same folder's", "nobody's"],
)
def test_a_folder_that_is_another_stores_has_its_pictures_and_decisions_in_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], folder: str, beside: str
) -> None:
    """A backup that is tried would put pictures of the forgotten back where the service's lie."""
    for name, value in (environment | {"DISPATCHER_PROOFS": "ours", "DISPATCHER_DECISIONS": "ours"}).items():
        monkeypatch.setenv(name, value)
    args = cli._parser(cli.load("restore")).parse_args(["b.tar", "--data-dir", folder])
    found = settings_of(args)
    assert (found.proofs, found.decisions, found.redis_url) == (beside, beside, "")
