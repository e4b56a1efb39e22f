"""The command line: one module of this package is one command.

A command module has

    NAME: str      what is typed, the module's own name with dashes (`serve`, `what-if` for `what_if.py`)
    HELP: str      one line, shown by `dispatcher --help`
    GROUP: str     optional, one of GROUPS
    EXAMPLE: str   optional, a command line worth showing
    add_arguments(parser: argparse.ArgumentParser) -> None
    run(args: argparse.Namespace) -> int

and imports whatever is heavy inside `run`: `dispatcher --help` imports every command, and must stay fast.
A failure that the caller can act on is raised as `dispatcher.runtime.errors.UserError`.
"""

import argparse
import difflib
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from typing import NoReturn, Protocol, cast

from dispatcher import __version__
from dispatcher.runtime.errors import UsageError, UserError
from dispatcher.runtime.own_command import as_typed, typed
from dispatcher.runtime.own_packages import refuse_foreign

RUN, OPERATE, MEASURE = "Run the service", "Operate it", "Measure it"
GROUPS = (RUN, OPERATE, MEASURE)
INTERRUPTED = 128 + 2  # what a shell reports for SIGINT


class Command(Protocol):
    """What a module of this package offers."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...
    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return the process's exit code: 0 done, 1 failed, 2 misused, 130 interrupted."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        refuse_foreign()
        code = _run(words)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except UserError as error:
        print(f"dispatcher: {_printable(error)}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # the reader (`| head`) has gone: stop, and keep the flush at exit from complaining again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if sys.stdout is None or not _printing_failed():
            raise
        print(f"dispatcher: cannot write standard output: {error.strerror}.", file=sys.stderr)
        print("Maybe the disk that it goes to is full.", file=sys.stderr)
        return 1
    except SystemExit as leaving:  # argparse's way to end: 0 after --help, 2 after an error
        if isinstance(leaving.code, str):
            print(leaving.code, file=sys.stderr)
        return leaving.code if isinstance(leaving.code, int) else 1


def command_names() -> list[str]:
    """The names of all commands, sorted; nothing is imported to find them."""
    found = pkgutil.iter_modules(__path__)
    return sorted(each.name.replace("_", "-") for each in found if not each.name.startswith("_"))


def load(name: str) -> Command:
    """Import the command called `name`."""
    return cast(Command, importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))


def suggest(name: str, known: Sequence[str]) -> str:
    """The second line of an error about an unknown `name`: the nearest known one, or all of them."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Maybe you meant: {near[0]}" if near else f"Known: {', '.join(known)}"


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help", "help"):
        print(_help())
        return 0
    if words[0] in ("-V", "--version"):
        print(f"dispatcher {__version__}")
        return 0
    name, *rest = words
    if name not in command_names():
        raise UsageError(f"there is no command '{name}'.", suggest(name, command_names()))
    command = load(name)
    return command.run(_parser(command).parse_args(rest))


def _printing_failed() -> bool:
    """Whether standard output takes no more; then what is left for it is dropped: the exit is quiet."""
    try:
        sys.stdout.write("\n")  # the words that failed are gone: only a further one can tell
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return True
    return False


def _printable(error: UserError) -> str:
    """The error's lines; a value in it cannot start a line of its own or turn the text around."""
    lines = [error.message, *error.remedy.splitlines()] if error.remedy else error.message.splitlines()
    return "\n".join("".join(map(_shown, line)) for line in lines)


def _shown(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


class Parser(argparse.ArgumentParser):
    """Says what is wrong in two lines, like every other error here."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{message.rstrip('.')}.", f"Maybe look at `{self.prog} --help`.")


def _parser(command: Command) -> argparse.ArgumentParser:
    example = getattr(command, "EXAMPLE", "")
    parser = Parser(
        prog=typed(command.NAME),
        description=command.__doc__ or command.HELP,
        epilog=f"example:\n  {as_typed(example)}" if example else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    return parser


def _help() -> str:
    commands = [load(name) for name in command_names()]
    width = max(len(each.NAME) for each in commands)
    lines = [
        "dispatcher: match ride and equipment requests to vendors, offer them, follow them to their end.",
        "",
        f"usage: {typed('COMMAND [options]')}      {typed('COMMAND --help')}",
    ]
    for group in GROUPS:
        members = [each for each in commands if getattr(each, "GROUP", OPERATE) == group]
        if members:
            lines += ["", f"{group}:", *(f"  {each.NAME:<{width}}  {each.HELP}" for each in members)]
    examples = [each.EXAMPLE for each in commands if hasattr(each, "EXAMPLE")]
    if examples:
        lines += ["", "Examples:", *(f"  {as_typed(line)}" for line in examples)]
    lines += [
        "",
        "In a checkout ./run COMMAND makes the environment first; installed, it is dispatcher COMMAND.",
    ]
    return "\n".join(lines)
