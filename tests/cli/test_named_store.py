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
