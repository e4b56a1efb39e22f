"""./run: set up once, for any folder you stand in, whatever happened to the run before."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
# not the test environment's own: that one has no pip, and a set-up with it takes seconds longer
BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
ECHO = '#!/bin/sh\necho "$@"\n'
CHECKS = ("ruff", "mypy", "lint-imports", "python")


def small_checkout(root: Path) -> Path:
    """A checkout with nothing to install and nothing to compile, whose command says what it was given."""
    (root / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "run", root / "run")
    shutil.copy(ROOT / "tools" / "environment.py", root / "tools" / "environment.py")
    for lock in (
        "requirements.txt",
        "requirements-dev.txt",
        "requirements-bench.txt",
        "requirements-roads.txt",
    ):
        (root / lock).write_text("# nothing\n\n")
    (root / "dispatcher").mkdir()
    (root / "dispatcher" / "__init__.py").touch()
    (root / "dispatcher" / "__main__.py").write_text("import sys; print(sys.prefix, sys.argv[1:])\n")
    return root


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return small_checkout(tmp_path / "check out")


@dataclass(frozen=True)
class Life:
    """A checkout where one ./run was killed while it set up, and two more were started at once."""

    root: Path
    ended: list[int]
    printed: list[str]
    told: list[str]


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    root = small_checkout(tmp_path_factory.mktemp("life") / "check out")
    command = [str(root / "run"), "demo", "--speed", "9"]
    variables = {**os.environ, "DISPATCHER_PYTHON": str(BASE_PYTHON)}
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, env=variables, start_new_session=True) as first:
        while not (root / ".venv").exists():
            assert first.poll() is None
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGKILL)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(command, env=variables, cwd="/", **pipes) for _ in range(2)]
    said = [each.communicate() for each in both]
    return Life(root, [each.returncode for each in both], [out for out, _ in said], [err for _, err in said])


def environment_module(root: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", root / "tools" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_ready(root: Path, name: str = ".venv", programs: Sequence[str] = ("python",)) -> None:
    """An environment as a finished set-up leaves it, with programs that only say what they were given."""
    (root / name / "bin").mkdir(parents=True)
    for each in programs:
        write_program(root / name / "bin" / each, ECHO)
    (root / name / "stamp").write_text(environment_module(root).stamp(name))


def write_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def tools_without_python(folder: Path) -> dict[str, str]:
    """An environment whose PATH has what ./run itself needs, and no Python."""
    folder.mkdir()
    for tool in ("bash", "dirname", "readlink"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return {"PATH": str(folder)}


def run(command: Path, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
    given = {"env": {**os.environ, "DISPATCHER_PYTHON": str(BASE_PYTHON)}} | options
    return subprocess.run(
        [str(shutil.which("bash")), str(command), *words],
        capture_output=True,
        text=True,
        check=False,
        **given,
    )


def test_a_ready_environment_is_used_at_once_from_any_folder_and_through_symlinks(
    checkout: Path, tmp_path: Path
) -> None:
    make_ready(checkout)
    bare = tools_without_python(tmp_path / "bin")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "first").symlink_to("../second")
    (tmp_path / "second").symlink_to(checkout / "run")
    for command in (checkout / "run", tmp_path / "second", tmp_path / "elsewhere" / "first"):
        done = run(command, "solve", "my file.npz", cwd=tmp_path, env=bare)
        assert (done.returncode, done.stdout) == (0, "-P -m dispatcher solve my file.npz\n"), done.stderr
    listed = run(checkout / "run", "chaos", "--list", env=bare)  # no tools of tests are made for that
    assert listed.stdout == "-P -m dispatcher chaos --list\n", listed.stderr


@pytest.mark.parametrize("change", ["the lock", "the place", "an interrupted install"])
def test_an_environment_that_does_not_fit_is_not_used(checkout: Path, tmp_path: Path, change: str) -> None:
    make_ready(checkout)
    if change == "the lock":
        (checkout / "requirements.txt").write_text("# something else\n")
    elif change == "the place":
        checkout = checkout.rename(tmp_path / "moved")
    else:
        (checkout / ".venv" / "stamp").unlink()
    done = run(checkout / "run", "serve", env=tools_without_python(tmp_path / "bin"))
    assert done.returncode == 1
    assert "no Python 3.11 or newer" in done.stderr
    assert "DISPATCHER_PYTHON=" in done.stderr


def test_kernels_are_compiled_again_when_their_sources_change(checkout: Path, tmp_path: Path) -> None:
    make_ready(checkout)
    kernels = checkout / "solvers" / "kernels"
    kernels.mkdir(parents=True)
    (kernels / "b.c").write_text("int b;\n")
    (kernels / "A.h").write_text("int a;\n\n")
    (kernels / "build.py").touch()
    bare = tools_without_python(tmp_path / "bin")
    assert run(checkout / "run", "serve", env=bare).returncode == 1, "a compile is due"
    module = environment_module(checkout)
    module.call = lambda *words, **variables: None
    assert module.main([]) == 0
    assert run(checkout / "run", "serve", env=bare).stdout == "-P -m dispatcher serve\n"
    (kernels / "b.c").write_text("int c;\n")
    assert run(checkout / "run", "serve", env=bare).returncode == 1


def test_in_a_log_a_set_up_says_now_and_then_how_far_it_is(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    module, told = environment_module(checkout), ""
    module.TELL_EVERY_S = 0.001
    with module.progress("setting up .venv-test") as report:
        report.doing = "aiohttp==3.14.5"
        while not told.endswith("\n") or "aiohttp" not in told:
            told += capsys.readouterr().err
    assert told.splitlines()[0] == "./run: setting up .venv-test …"
    assert "./run: setting up .venv-test · 0 s · aiohttp==3.14.5" in told.splitlines()


def test_run_test_runs_every_check_and_then_pytest_with_the_arguments(checkout: Path, tmp_path: Path) -> None:
    make_ready(checkout)
    make_ready(checkout, ".venv-test", CHECKS)
    bare = tools_without_python(tmp_path / "bin")
    done = run(checkout / "run", "test", "-k", "one thing", env=bare)
    assert done.returncode == 0, done.stderr
    *checks, last = done.stdout.splitlines()
    assert len(checks) == 5, "lint, format, types, import contract, JavaScript"
    assert last.startswith("-m pytest")
    assert last.endswith("-k one thing")
    played = run(checkout / "run", "chaos", "--only", "night", env=bare)  # workers are an extra: it is there
    assert played.stdout == "-P -m dispatcher chaos --only night\n", played.stderr


def test_what_tests_import_is_compiled_once_whatever_this_shell_says(checkout: Path, tmp_path: Path) -> None:
    make_ready(checkout)
    make_ready(checkout, ".venv-test", CHECKS)
    write_program(checkout / ".venv-test/bin/python", '#!/bin/sh\necho "${PYTHONDONTWRITEBYTECODE-unset}"\n')
    bare = tools_without_python(tmp_path / "bin") | {"PYTHONDONTWRITEBYTECODE": "1"}
    assert run(checkout / "run", "test", env=bare).stdout.splitlines()[-1] == "unset"


@pytest.mark.parametrize("check", CHECKS)
def test_a_failed_check_fails_the_whole(checkout: Path, tmp_path: Path, check: str) -> None:
    make_ready(checkout)
    make_ready(checkout, ".venv-test", CHECKS)
    write_program(checkout / ".venv-test" / "bin" / check, "#!/bin/sh\nexit 3\n")
    assert run(checkout / "run", "test", env=tools_without_python(tmp_path / "bin")).returncode == 3


def test_two_runs_at_once_after_a_killed_one_set_up_once(life: Life) -> None:
    assert life.ended == [0, 0], life.told
    assert set(life.printed) == {f"{life.root / '.venv'} ['demo', '--speed', '9']\n"}
    assert sum("setting up .venv: done" in told for told in life.told) == 1
    assert sum("waiting for another" in told for told in life.told) == 1


def test_a_layer_sees_the_base_and_what_is_ready_is_not_made_again(life: Life) -> None:
    words = f"{life.root / '.venv-bench'} ['bench', 'intake']\n"
    first = run(life.root / "run", "bench", "intake")
    assert first.stdout == words, first.stderr
    assert "setting up .venv-bench: done" in first.stderr
    again = run(life.root / "run", "bench", "intake")
    assert (again.stdout, again.stderr) == (words, "")


def test_a_failed_install_says_what_pip_said_and_is_not_taken_for_done(life: Life) -> None:
    missing = "missing @ file:///nowhere/missing-1-py3-none-any.whl --hash=sha256:" + 64 * "0"
    (life.root / "requirements-dev.txt").write_text(missing)
    done = run(life.root / "run", "test")
    assert done.returncode == 1
    assert "/nowhere/missing-1" in done.stderr
    assert "Maybe" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (life.root / ".venv-test" / "stamp").exists()
