"""What is wrong is named as it is typed, and what is to be typed as it works here."""

import pytest

from dispatcher import cli
from dispatcher.runtime import own_command
from dispatcher.settings import Settings, SettingsError


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["token", "--role", "vendor"], ("--role vendor needs --vendor", "--role vendor --vendor v1")),
        (
            ["token", "--role", "ops", "--vendor", "v1"],
            ("--vendor v1 goes with --role vendor", "leave --vendor out"),
        ),
        (["serve", "--port", "abc"], ("--port is 'abc'", "listen here")),
        (["serve", "--redis-url", "x"], ("--redis-url is 'x'", "redis://")),
        (["audit", "--url", "x"], ("--url is 'x'", "redis://")),
        (["vendor-access", "--market", "metro", "--vendor", "v", "--url", "x"], ("--url is 'x'", "redis://")),
    ],
)
def test_what_is_missing_or_wrong_is_named_as_it_is_typed(tmp_path, monkeypatch, capsys, words, told):
    monkeypatch.setenv("DISPATCHER_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("dispatcher.runtime.logs.configure", lambda *_, **__: None)  # it is the process's
    assert cli.main(words) in (1, 2)
    first, second = capsys.readouterr().err.splitlines()
    assert told[0] in first
    assert told[1] in second
    assert "DISPATCHER_" not in first


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("PORT", "x", "'x': it is no whole number."),
        ("PORT", "70000", "'70000': it is not <= 65535."),
        ("LOG_JSON", "yes", "'yes': it is neither 1 nor 0."),
        ("LOG_LEVEL", "trace", "'trace': known are debug, info, warning, error."),
        ("AOF_REWRITE_HOURS", "soon", "'soon': it is no number."),
        ("REDIS_URL", "reddis://:hunter2@h:1", "'reddis://…@h:1': it has another form."),
        ("REDIS_URL", "hunter2@h:1", "'…@h:1': it has another form."),
        ("TRAVEL_URL", "valhalla+https://hunter2@roads", "'valhalla+https://…@roads': a user or a password"),
        ("BROKER_URL", "re://:hun/ter2@h", "'re://…@h': it begins with none of redis://"),
    ],
)
def test_a_wrong_setting_is_told_in_words_and_its_password_is_not(name, text, told):
    with pytest.raises(SettingsError) as refused:
        Settings.read({f"DISPATCHER_{name}": text})
    assert str(refused.value).startswith(f"DISPATCHER_{name} is {told}")
    assert "ter2" not in str(refused.value)


def test_what_is_typed_is_what_works_here(tmp_path):
    assert own_command._program(tmp_path, tmp_path) == "dispatcher"
    for name in ("run", "pyproject.toml"):
        (tmp_path / name).touch()
    assert own_command._program(tmp_path, tmp_path) == "./run"
    assert own_command._program(tmp_path, tmp_path.parent) == str(tmp_path / "run")
