"""Builds the wheel's C kernels, so that no installation ever compiles at its first solve."""

import importlib.util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

KERNELS = "solvers/kernels"


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
        build_data["tag"] = f"py3-none-{next(platform_tags())}"

    def _build(self) -> Any:
        """`solvers.kernels.build` without its package: numpy is not there when a wheel is built."""
        path = Path(self.root) / KERNELS / "build.py"
        spec = importlib.util.spec_from_file_location("kernels_build", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
