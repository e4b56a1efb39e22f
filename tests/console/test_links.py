"""What is printed at the start lets in whoever runs the service, and nobody who reads a real one's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher import cli
from dispatcher.cli.serve import announcement
from dispatcher.console import links
from dispatcher.security.key_files import ensure_token_keys, read_token_keys
from dispatcher.security.tokens import Authenticator
from dispatcher.settings import Settings

URL = "http://127.0.0.1:9"


def test_a_service_with_development_keys_prints_a_link_and_one_with_its_own_does_not(tmp_path: Path) -> None:
    told = announcement(Settings(data_dir=tmp_path), URL)
    assert f"{URL}/console/enter#" in told
    own = tmp_path / "own.json"
    ensure_token_keys(own)
    told = announcement(Settings(data_dir=tmp_path, token_keys=own), URL)
    assert "enter#" not in told
    assert f"{URL}/console" in told


def test_a_link_is_printed_for_a_service_that_runs_and_for_the_role_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    assert cli.main(["console"]) == 1
    assert "no service of" in capsys.readouterr().err
    (tmp_path / "address").write_text(URL)
    assert cli.main(["console", "--role", "coordinator", "--market", "metro", "--subject", "ana"]) == 0
    link = capsys.readouterr().out.strip()
    authenticator = Authenticator(read_token_keys(tmp_path / "token-keys.json"))
    said = authenticator.signed(link.removeprefix(f"{URL}/console/enter#"))
    assert said["aud"] == links.AUDIENCE
    assert said["session"]["role"] == "coordinator"
    assert (said["session"]["markets"], said["session"]["sub"]) == (["metro"], "ana")


def test_a_market_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["console", "--market", "atlantis"]) in (1, 2)
    assert "there is no market 'atlantis'" in capsys.readouterr().err
