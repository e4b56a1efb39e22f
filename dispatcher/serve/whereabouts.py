"""What a running service leaves in its folder for commands beside it: where it answers, by which clock."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

import msgspec

from dispatcher.runtime.clock import make_clock
from dispatcher.runtime.errors import UserError
from dispatcher.settings import Settings


class ClockSettings(msgspec.Struct, frozen=True):
    """The settings CLOCK_… of a service that runs; the file by its whole path."""

    start_ms: int
    anchor_s: float
    speed: float
    file: str | None


class Moment(NamedTuple):
    """Now by the clock of a service, and how many of its seconds pass in a second of ours (1 or more)."""

    now_ms: int
    speed: float

    def hours(self, ours: float) -> float:
        """So many hours of the person who waits, by that clock."""
        return ours * self.speed


def leave(settings: Settings, url: str) -> None:
    """Say that a service answers there: its clock first, so that who reads the address finds both.
    Raises OSError."""
    start_ms, anchor_s, speed, file = settings.clock
    clock = ClockSettings(start_ms, anchor_s, speed, None if file is None else str(file.absolute()))
    _write(settings.clock_settings_file, msgspec.json.encode(clock))
    _write(settings.address_file, url.encode())


def take_back(settings: Settings) -> None:
    """It answers no more."""
    for file in (settings.address_file, settings.clock_settings_file):
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def address(settings: Settings) -> str:
    """Where the service of this data folder answers. Raises UserError."""
    try:
        return settings.address_file.read_text().strip()
    except OSError:
        raise UserError(
            f"no service of {settings.data_dir} is running: it would have left its address there.",
            "Maybe start it with `serve`, or name its folder: DISPATCHER_DATA_DIR.",
        ) from None


def moment(settings: Settings) -> Moment:
    """By the clock that the settings name; else by that of the service that runs in their data folder; else
    by the machine's. Raises UserError: what was left there cannot be read."""
    clock = make_clock(*(settings.clock if settings.clock_speed else _left(settings)))
    now_ms = clock.now_ms()
    return Moment(now_ms, max(1.0, 1.0 / clock.real_s(1.0)))


def _left(settings: Settings) -> tuple[int, float, float, Path | None]:
    file = settings.clock_settings_file
    try:
        found = msgspec.json.decode(file.read_bytes(), type=ClockSettings)
    except FileNotFoundError:
        return settings.clock
    except (OSError, msgspec.MsgspecError) as error:
        raise UserError(
            f"{file} cannot be read: {type(error).__name__}.",
            "Maybe it was cut: the service of this folder writes it anew when it starts.",
        ) from error
    return found.start_ms, found.anchor_s, found.speed, Path(found.file) if found.file else None


def _write(file: Path, text: bytes) -> None:
    draft = file.with_suffix(".new")
    draft.write_bytes(text)
    draft.replace(file)
