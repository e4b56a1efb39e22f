"""Compile the kernels: `python -m solvers.kernels.build`, or the wheel's build hook.

`cc` where there is one, else the `ziglang` wheel. No flag names a processor: it runs on any of its kind.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
SUFFIX: Final = {"win32": ".dll", "darwin": ".dylib"}.get(sys.platform, ".so")
FLAGS: Final = ("-O3", "-std=c11", "-shared", "-fPIC", "-fno-math-errno", "-Wall", "-Wextra")


class NoCompiler(RuntimeError):
    """Neither `cc` nor the `ziglang` wheel is there."""


def library_path(folder: Path = HERE) -> Path:
    """Where the library made from the sources as they are belongs: their hash is in its name."""
    sources = sorted([*folder.glob("*.c"), *folder.glob("*.h")])
    digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources))
    digest.update(" ".join(FLAGS).encode())
    return folder / f"_kernels-{digest.hexdigest()[:12]}{SUFFIX}"


def compiler() -> list[str] | None:
    """The command that compiles C: `$CC`, `cc`, `gcc`, `clang`, else the ziglang wheel; None without any."""
    for name in (os.environ.get("CC"), "cc", "gcc", "clang"):
        if name and shutil.which(name):
            return [name]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc"]
    return None


def build(folder: Path = HERE) -> Path:
    """Compile unless it is done; remove what older sources left. Safe when two processes do it at once."""
    target = library_path(folder)
    if target.exists():
        return target
    command = compiler()
    if command is None:
        raise NoCompiler(
            f"no C compiler for {target.name}: looked for $CC, cc, gcc, clang and the ziglang wheel\n"
            "Maybe `pip install ziglang`, or install a wheel of this project, which holds the library."
        )
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / target.name
        sources = [str(source) for source in sorted(folder.glob("*.c"))]
        done = subprocess.run(
            [*command, *FLAGS, "-o", str(made), *sources, "-lm"], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{command[-1]} failed on the kernels ({done.returncode}):\n{done.stderr}")
        made.replace(target)
    for old in folder.glob(f"_kernels-*{SUFFIX}"):
        if old != target:
            old.unlink(missing_ok=True)
    return target


if __name__ == "__main__":
    sys.stdout.write(f"{build()}\n")
