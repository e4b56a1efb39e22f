"""A role or a worker makes no key file: without one that can be used it ends at its start, and says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher import cli
from dispatcher.security import key_files

AWAY = "redis://127.0.0.1:1"
ROLES = {
    role: ["serve", "--role", role, "--port", "0", "--redis-url", AWAY]
    for role in ("web", "matcher", "replies", "jobs")
}
WORKERS = {"worker": ["worker"], "worker of one kind": ["worker", "--work", "solves"]}
STARTS = ROLES | WORKERS
WANTED = {"web": ("token", "patient"), "replies": ("token", "patient")}


@pytest.mark.parametrize("content", [None, "{}"], ids=["missing", "malformed"])
@pytest.mark.parametrize(
    ("start", "kind"), [(each, kind) for each in STARTS for kind in WANTED.get(each, ("patient",))]
)
def test_it_ends_at_once_and_says_which_setting_names_the_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    start: str,
    kind: str,
    content: str | None,
) -> None:
    monkeypatch.setattr("dispatcher.runtime.logs.configure", lambda *_, **__: None)  # it is the process's
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DISPATCHER_BROKER_URL", AWAY)
    key_files.ensure_token_keys(tmp_path / "token-keys.json")
    key_files.ensure_patient_keys(tmp_path / "patient-keys.json")
    file = tmp_path / f"{kind}-keys.json"
    file.unlink() if content is None else file.write_text(content)
    assert cli.main(STARTS[start]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert str(file) in told[0]
    assert content is not None or f"DISPATCHER_{kind.upper()}_KEYS" in told[1]
