"""Measure the service or the optimiser, beside its peers, in one run.

Each benchmark is a module `benchmarks/NAME.py` with `add_arguments(parser)` and `run(args) -> int`;
the first line of its docstring is what the list below says about it.
"""

import argparse
import ast
import importlib
from functools import cache
from pathlib import Path

from dispatcher.cli import MEASURE, Parser, suggest
from dispatcher.runtime.errors import UsageError, UserError
from dispatcher.runtime.own_command import as_typed, typed
from dispatcher.runtime.own_packages import HOME, lies_here
from dispatcher.runtime.signals import terminate_as_interrupt

NAME = "bench"
HELP = "measure it beside its peers: bench NAME [options]"
GROUP = MEASURE
EXAMPLE = "dispatcher bench assignment --requests 1000 --seconds 10 --json -"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The benchmark's name, then its own options (`dispatcher bench NAME --help` lists them)."""
    listing = "\n".join(f"  {name:<14} {text}" for name, text in sorted(benchmarks().items()))
    parser.epilog = f"benchmarks:\n{listing}\n\nexample:\n  {as_typed(EXAMPLE)}"
    parser.usage = typed("bench NAME [options]")
    parser.add_argument("benchmark", metavar="NAME", nargs="?", help="which benchmark")
    parser.add_argument("options", nargs=argparse.REMAINDER, help="its own options")


def run(args: argparse.Namespace) -> int:
    """Import the benchmark, parse its options, run it. Raises UserError where there is no checkout."""
    if not lies_here("benchmarks"):
        raise UserError(
            f"no benchmarks lie beside {HOME / 'dispatcher'}: they need a checkout.",
            "Maybe clone the repository and run ./run bench there.",
        )
    known = benchmarks()
    if args.benchmark is None:
        raise UsageError("a benchmark's name is missing.", f"Known: {', '.join(sorted(known))}")
    if args.benchmark not in known:
        raise UsageError(f"there is no benchmark '{args.benchmark}'.", suggest(args.benchmark, sorted(known)))
    module = importlib.import_module(f"benchmarks.{args.benchmark.replace('-', '_')}")
    parser = Parser(
        prog=typed(f"bench {args.benchmark}"),
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    options = parser.parse_args(args.options)
    terminate_as_interrupt()
    return int(module.run(options))


def benchmarks() -> dict[str, str]:
    """Name → one line of help, read from the source: nothing heavy is imported to list them."""
    found = sorted((HOME / "benchmarks").glob("[!_]*.py")) if lies_here("benchmarks") else []
    return {name: text for path in found for name, text in _described(path)}


@cache
def _described(path: Path) -> tuple[tuple[str, str], ...]:
    """The file's name and help, if it is a benchmark (a helper module has no `run`)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not any(isinstance(node, ast.FunctionDef) and node.name == "run" for node in tree.body):
        return ()
    return ((path.stem.replace("_", "-"), (ast.get_docstring(tree) or "").partition("\n")[0]),)
