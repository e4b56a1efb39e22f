"""Makes the environments that ./run uses: `.venv` for the service, thin layers for tests and benchmarks.

A layer is an environment of its own that also sees `.venv`: test tools and benchmark peers never enter the
service's environment, and ortools is on the disk once. Only the standard library is used; every package is
installed from a lock file, by hash. An environment is ready when its stamp equals the locks it was made from;
one that is not ready is made anew, so an interrupted install leaves nothing half-done behind.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    ".venv": ("requirements.txt",),
    ".venv-test": ("requirements.txt", "requirements-roads.txt", "requirements-dev.txt"),
    ".venv-bench": ("requirements.txt", "requirements-bench.txt"),
}
BASE = ".venv"
ROADS, ROADS_PYTHON = "requirements-roads.txt", "3.12"  # programs and a map; no wheel is for an older Python
TELL_EVERY_S = 20.0
PIP_WITH_PYTHON_OPTION = 23  # 22.3, to be exact
SETUP = ROOT / ".venv-setup"
KERNELS = ROOT / "solvers" / "kernels"
COMPILERS = ("cc", "gcc", "clang")
ADVICE = """Maybe the package index cannot be reached, or this Python is too new or without ensurepip:
DISPATCHER_PYTHON=python3.12 ./run … chooses another, as CC=clang ./run … does for the compiler."""


class SetupError(Exception):
    """The environment cannot be made; the message says why, and what may help."""


def main(names: list[str]) -> int:
    """Make each named environment, the base first."""
    try:
        with one_at_a_time(), discarded(SETUP):
            for name in dict.fromkeys((BASE, *names)):
                ensure(name)
            ensure_kernels()
    except SetupError as error:
        print(f"./run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the checkout's lock; a second ./run waits, then finds everything made.

    Children inherit the lock: an installer that outlives a killed ./run still keeps the next one waiting.
    """
    descriptor = os.open(ROOT, os.O_RDONLY)
    os.set_inheritable(descriptor, True)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("./run: waiting for another ./run that is setting up", file=sys.stderr)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def discarded(folder: Path) -> Iterator[Path]:
    """A folder for the time being; what a killed run left there goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def ensure(name: str) -> None:
    """Make environment `name` unless its stamp says that it is what the locks describe."""
    folder, wanted = ROOT / name, stamp(name)
    if written(folder / "stamp") == wanted and (folder / "bin" / "python").exists():
        return
    for old in LOCKS if name == BASE else (name,):  # a layer is of no use without the base it was made on
        shutil.rmtree(ROOT / old, ignore_errors=True)
    with progress(f"setting up {name}") as report:
        venv.create(folder, symlinks=True)
        _link(folder)
        pip(folder, LOCKS[name][-1], report)
        if ROADS in LOCKS[name]:
            unpack_roads(folder, report)
    (folder / "stamp").write_text(wanted, encoding="utf-8")


def unpack_roads(folder: Path, report: "Progress") -> None:
    """The routing servers that tests ask, beside the environment's packages; not every platform has them."""
    options = ("--target", str(folder / "roads"), "--python-version", ROADS_PYTHON)
    try:
        pip(folder, ROADS, report, *options)
    except SetupError:
        print("\n./run: no routing servers for this platform: their tests are left out", file=sys.stderr)


def stamp(name: str) -> str:
    """What the environment was made for: this place and these locks. ./run computes the same in bash."""
    texts = [(ROOT / lock).read_text(encoding="utf-8").rstrip("\n") for lock in LOCKS[name]]
    return "\n".join([str(ROOT), *texts])


def pip(folder: Path, lock: str, report: "Progress", *options: str) -> None:
    """Install the lock, by hash, without bytecode (first use writes what it needs)."""
    report.doing = "starting pip"
    command = [pip_python(report), "-I", "-m", "pip", "--disable-pip-version-check", "--no-input"]
    command += ["--python", python(folder.name), "install", "--requirement", str(ROOT / lock)]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--no-compile"]
    command += ["--progress-bar", "off"]
    call([*command, *options], report)


def pip_python(report: "Progress") -> str:
    """A Python with a pip that can install into another environment: this one, or one made for the set-up.

    So pip does not stay in the service's environment, which has no use for it and is 25 MB lighter.
    """
    try:
        own = int(version("pip").partition(".")[0])
    except PackageNotFoundError:
        own = 0
    if own >= PIP_WITH_PYTHON_OPTION:
        return sys.executable
    if not SETUP.exists():
        venv.create(SETUP, symlinks=True)
        call([python(SETUP.name), "-I", "-m", "ensurepip"], report)
    return python(SETUP.name)


def call(command: list[str], report: "Progress", **variables: str) -> None:
    """Run a step, showing what it is at. Raises SetupError with the end of what it said."""
    lines = []
    with subprocess.Popen(
        command,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        close_fds=False,  # the lock is for the child too
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            report.doing = _short(line) or report.doing
    if process.returncode:
        raise SetupError("\n".join([f"{' '.join(command[1:6])} … failed:", *lines[-15:], ADVICE]))


def ensure_kernels() -> None:
    """Compile the solvers' C kernels now, so that no request ever waits for a compiler."""
    sources = "\n".join(path.read_text("utf-8").rstrip("\n") for path in sorted(KERNELS.glob("*.[ch]")))
    mark = ROOT / BASE / "kernels"
    if not sources or written(mark) == sources:
        return
    build = [python(BASE), "-P", "-m", "solvers.kernels.build"]
    with progress("compiling the solvers' kernels") as report:
        if any(shutil.which(name) for name in (os.environ.get("CC", ""), *COMPILERS)):
            call(build, report)
        else:
            with discarded(ROOT / f"{BASE}-compiler") as place:
                pip(ROOT / BASE, "requirements-build.txt", report, "--target", str(place))
                cache = str(place / "cache")
                zig = {"PYTHONPATH": str(place), "ZIG_GLOBAL_CACHE_DIR": cache, "ZIG_LOCAL_CACHE_DIR": cache}
                call(build, report, **zig)
    mark.write_text(sources, encoding="utf-8")


class Progress:
    """What is being done, shown on one line while it lasts."""

    def __init__(self, title: str) -> None:
        self.title, self.doing = title, ""
        self.started_s = time.monotonic()
        self.over = threading.Event()

    def show(self) -> None:
        """Rewrite the line five times a second, until `over`."""
        while not self.over.wait(0.2):
            line = self._line()[: shutil.get_terminal_size().columns - 1]
            print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)

    def tell(self) -> None:
        """A line now and then, until `over`: in a log none is written over."""
        while not self.over.wait(TELL_EVERY_S):
            print(self._line(), file=sys.stderr, flush=True)

    def _line(self) -> str:
        return f"./run: {self.title} · {time.monotonic() - self.started_s:.0f} s · {self.doing}"


@contextlib.contextmanager
def progress(title: str) -> Iterator[Progress]:
    """Tell the person at the terminal what happens; in a log a line before, one after, some between."""
    report, live = Progress(title), sys.stderr.isatty()
    thread = threading.Thread(target=report.show if live else report.tell, daemon=True)
    if not live:
        print(f"./run: {title} …", file=sys.stderr, flush=True)
    thread.start()
    try:
        yield report
    finally:
        report.over.set()
        thread.join()
        if live:
            print("\r\033[K", end="", file=sys.stderr)
    print(f"./run: {title}: done in {time.monotonic() - report.started_s:.1f} s", file=sys.stderr, flush=True)


def python(name: str) -> str:
    """The interpreter of environment `name`."""
    return str(ROOT / name / "bin" / "python")


def written(path: Path) -> str | None:
    """The file's text, or None if there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _link(folder: Path) -> None:
    """Let the environment see the checkout's packages, or, for a layer, the base and all that it sees."""
    base, own = _site_packages(ROOT / BASE), _site_packages(folder)
    seen = str(ROOT) if folder.name == BASE else f"import site; site.addsitedir({str(base)!r})"
    (own / "dispatcher-checkout.pth").write_text(f"{seen}\n", encoding="utf-8")


def _site_packages(folder: Path) -> Path:
    return folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _short(line: str) -> str:
    """`Collecting aiohttp==3.14.5 (from …)` → `aiohttp==3.14.5`."""
    words = line.split()
    if words[:1] == ["Collecting"]:
        return words[1]
    return "unpacking" if words[:2] == ["Installing", "collected"] else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
