"""The console's JavaScript, as strictly as the Python: format, lint, types by JSDoc, tests. Needs no network.

python tools/javascript.py            what `./run test` runs
python tools/javascript.py --fix      writes the format
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CONSOLE, TESTS = ROOT / "dispatcher" / "console", ROOT / "tests" / "console"


def main(words: list[str]) -> int:
    """The first check that fails decides."""
    sources = sorted(map(str, (CONSOLE / "assets").rglob("*.js")))
    tests = sorted(map(str, TESTS.glob("*.test.js")))
    config = ("--config", str(CONSOLE / "deno.json"))
    fmt = ["fmt", *config, "--quiet", *([] if "--fix" in words else ["--check"]), *sources, *tests]
    lint, check = ["lint", *config, "--quiet"], ["check", *config, "--quiet", "--no-remote"]
    steps = [fmt, [*lint, *sources, *tests], [*check, *sources, *tests]]
    look = f"--allow-read={CONSOLE / 'assets'}"  # the style sheets: what colours are in them
    steps += [["test", *config, "--quiet", "--no-check", "--no-remote", look, *tests]] if tests else []
    with tempfile.TemporaryDirectory() as cache:
        return next((code for step in steps if (code := _deno(step, cache))), 0)


def _deno(words: list[str], cache: str) -> int:
    program = Path(sysconfig.get_path("scripts")) / "deno"
    told = {"DENO_NO_UPDATE_CHECK": "1", "DENO_DIR": cache, "NO_COLOR": "1"}
    return subprocess.run([program, *words], cwd=ROOT, env=os.environ | told, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
