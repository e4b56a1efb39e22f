"""`dispatcher demo` refuses what it cannot play before anything is started."""

import pytest

from dispatcher.cli import main


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["--speed", "0"], 2, "--speed: '0' is no number above 0"),
        (["--speed", "fast"], 2, "--speed: 'fast' is no number above 0"),
        (["--date", "14.3.2027"], 2, "--date: '14.3.2027' is no date such as 2027-03-14"),
        (["--day", "nowhere"], 1, "nowhere holds no trips.csv"),
        (["--data-dir", "."], 1, "is not empty"),
    ],
)
def test_what_cannot_be_played_is_said_without_a_traceback(
    words, status, told, tmp_path, monkeypatch, capsys
):
    (tmp_path / "something").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["demo", *words]) == status
    said = capsys.readouterr().err
    assert told in said
    assert "Traceback" not in said


def test_serve_help_lists_every_setting(capsys):
    assert main(["serve", "--help"]) == 0
    said = capsys.readouterr().out
    assert "DISPATCHER_REDIS_URL" in said
    assert "DISPATCHER_PATIENT_KEYS" in said
