"""Builds the wheel's C kernels, so that no installation ever compiles at its first solve."""

import importlib.util
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

KERNELS = "solvers/kernels"
OLDEST_GLIBC = (2, 17)  # manylinux2014: what installers of today know on every kind of machine


class KernelsHook(BuildHookInterface):
    """Compiles with the C compiler at hand, else with zig, and puts the library into the wheel."""

    def dependencies(self) -> list[str]:
        """zig's wheel, where there is no C compiler."""
        return [] if self._build().compiler() else ["ziglang>=0.15"]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Any Python may load the library, but only this kind of machine."""
        library = self._build().build()
        build_data["force_include"][str(library)] = f"{KERNELS}/{library.name}"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform(library, list(platform_tags()))}"

    def _build(self) -> Any:
        """`solvers.kernels.build` without its package: numpy is not there when a wheel is built."""
        path = Path(self.root) / KERNELS / "build.py"
        spec = importlib.util.spec_from_file_location("kernels_build", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module


def _platform(library: Path, here: list[str]) -> str:
    """The platform that may load the library: by the libc that it needs, not by that of the machine at hand.

    A bare `linux_x86_64` (the first of `here`) would be taken by machines of any libc, and fail there.
    """
    libc = next((each for each in here if each.startswith(("manylinux_", "musllinux_"))), "")
    if not libc.startswith("manylinux_"):
        return libc or here[0]
    machine = libc.split("_", 3)[3]
    major, minor = max(OLDEST_GLIBC, *_glibc_versions(library.read_bytes()))
    return f"manylinux_{major}_{minor}_{machine}"


def _glibc_versions(content: bytes) -> list[tuple[int, int]]:
    """The versions of glibc's symbols that an ELF file names, each a string of its own."""
    named = re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?:\.\d+)?(?=\0)", content)
    return [(int(major), int(minor)) for major, minor in named]
