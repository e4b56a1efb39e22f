"""The command line frame keeps its promises to a person at a terminal."""

import argparse
import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

from dispatcher import cli
from dispatcher.runtime.errors import UsageError, UserError
from dispatcher.runtime.own_command import typed

HEAVY = ("ortools", "numpy", "aiohttp", "redis", "uvloop", "cryptography", "matplotlib", "rich")


def fake_command(run: object) -> SimpleNamespace:
    return SimpleNamespace(NAME="serve", HELP="a test's command", add_arguments=lambda parser: None, run=run)


def with_command(monkeypatch: pytest.MonkeyPatch, run: object) -> None:
    monkeypatch.setattr(cli, "command_names", lambda: ["serve"])
    monkeypatch.setattr(cli, "load", lambda name: fake_command(run))


def test_help_lists_every_command_once_with_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in cli.command_names():
        command = cli.load(name)
        mine = [line for line in lines if line.startswith(f"  {name} ")]
        assert len(mine) == 1
        assert mine[0].endswith(command.HELP)


def test_no_command_at_all_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert f"usage: {typed('COMMAND')}" in capsys.readouterr().out


@pytest.mark.parametrize("name", cli.command_names())
def test_every_command_is_named_after_its_module_and_has_help(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = cli.load(name)
    assert name == command.NAME
    assert command.HELP
    assert "\n" not in command.HELP
    assert getattr(command, "GROUP", cli.OPERATE) in cli.GROUPS
    assert cli.main([name, "--help"]) == 0
    assert typed(name) in capsys.readouterr().out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dispatcher.cli import main; main(['--help']);"
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["benhc"]) == 2
    message = capsys.readouterr().err
    assert "'benhc'" in message
    assert "Maybe you meant: bench" in message


def test_an_expected_error_is_two_lines_on_stderr_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(args: argparse.Namespace) -> int:
        raise UserError("port 99999 is above 65535.", "Maybe choose another --port.")

    with_command(monkeypatch, run)
    assert cli.main(["serve"]) == 1
    seen = capsys.readouterr()
    assert seen.err == "dispatcher: port 99999 is above 65535.\nMaybe choose another --port.\n"
    assert seen.out == ""


def test_a_usage_error_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: argparse.Namespace) -> int:
        raise UsageError("no such day.")

    with_command(monkeypatch, run)
    assert cli.main(["serve"]) == 2
    assert cli.main(["serve", "--no-such-option"]) == 2


def test_an_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(args: argparse.Namespace) -> int:
        raise ZeroDivisionError

    with_command(monkeypatch, run)
    with pytest.raises(ZeroDivisionError):
        cli.main(["serve"])


def test_ctrl_c_is_quiet(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    with_command(monkeypatch, run)
    assert cli.main(["serve"]) == 130
    assert capsys.readouterr().err == ""


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"dispatcher {cli.__version__}\n"


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dispatcher", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("dispatcher ")
    assert importlib.util.find_spec("dispatcher.__main__") is not None


def test_the_words_that_are_missing_are_named_as_help_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keys"]) == 2
    assert "required: check|status|rotate." in capsys.readouterr().err
    assert cli.main(["keys", "--help"]) == 0
    assert "check|status|rotate" in capsys.readouterr().out


def test_a_token_for_a_market_that_is_none_says_which_setting_names_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DISPATCHER_MARKETS", "metro=UTC,coast=UTC")
    assert cli.main(["token", "--role", "ops", "--market", "nowhere"]) == 2
    assert "Known, by DISPATCHER_MARKETS: metro, coast" in capsys.readouterr().err
