"""What cannot run is said aloud: a small suite on this suite's own conftest is run, and its last words are read."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NO_SERVER = {"XRM_TEST_PG": "postgresql://nobody@127.0.0.1:1/nothing"}
ALONE = pytest.mark.parametrize("workers", ["0", "2"], ids=["alone", "xdist"])


def run_suite(folder: Path, source: str, *, workers: str = "0", **environment: str) -> tuple[int, str]:
    """The exit status and the output of pytest on one file, with nothing of this run's own settings."""
    (folder / "conftest.py").write_text("from tests.conftest import *\n")
    (folder / "test_small.py").write_text(source)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("XRM_", "PYTEST_")) and name != "CI"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "xdist",
            "-n",
            workers,
            "-c",
            ROOT / "pyproject.toml",
            "--rootdir",
            folder,
            "-p",
            "no:cacheprovider",
            folder,
        ],
        cwd=folder,
        env={**inherited, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.returncode, done.stdout


@ALONE
def test_without_postgresql_its_tests_are_counted(tmp_path: Path, workers: str) -> None:
    """SQLite's half runs, PostgreSQL's is counted as not run, and outside CI that does not fail."""
    source = "def test_one(database_url): pass\ndef test_two(database_url): pass\n"
    status, said = run_suite(tmp_path, source, workers=workers, **NO_SERVER)
    assert "2 not run: PostgreSQL: XRM_TEST_PG does not answer" in said
    assert "2 tests NOT RUN" in said
    assert "2 passed, 2 skipped" in said
    assert status == 0


@ALONE
def test_in_ci_what_is_missing_fails(tmp_path: Path, workers: str) -> None:
    """With CI=true the same run exits with 1."""
    status, said = run_suite(tmp_path, "def test_one(database_url): pass\n", workers=workers, CI="true", **NO_SERVER)
    assert "1 not run: PostgreSQL" in said
    assert "CI=true: what cannot run fails the run." in said
    assert status == 1


def test_in_ci_a_complete_run_passes(tmp_path: Path) -> None:
    """CI=true fails nothing by itself."""
    assert run_suite(tmp_path, "def test_one(sqlite_url): pass\n", CI="true")[0] == 0


def test_a_failure_keeps_its_status(tmp_path: Path) -> None:
    """A suite that was stopped for another reason says that reason."""
    status, _ = run_suite(tmp_path, "import nothing_of_this_name\n", CI="true")
    assert status == pytest.ExitCode.INTERRUPTED


def test_without_chromium_its_tests_are_counted(tmp_path: Path) -> None:
    """No Chromium on the PATH is named, with the command that installs it."""
    status, said = run_suite(tmp_path, "def test_one(page): pass\n", PATH="")
    assert "1 not run: browser: no Chromium. To run them: install Chromium (apt-get install chromium-headless-shell, or chromium)" in said
    assert status == 0


@pytest.mark.parametrize(("announced", "status"), [(True, 1), (False, 0)])
def test_missing_data_fails_ci_only_where_data_was_announced(tmp_path: Path, announced: bool, status: int) -> None:
    """A machine without the shared data passes CI aloud; one that says it has the data, and has not, fails."""
    (tmp_path / "suite").mkdir()
    source = "import tests.support.shared as shared\nfrom pathlib import Path\n"
    source += "shared.BESIDE = Path('/nowhere/beside')\n\ndef test_one(shared_data): shared_data('la311')\n"
    environment = {"XRM_SHARED_DATA": str(tmp_path)} if announced else {}
    found, said = run_suite(tmp_path / "suite", source, CI="true", **environment)
    assert "1 not run: shared data 'la311'. To run them: set XRM_SHARED_DATA to its folder" in said
    assert found == status


def test_shared_data_is_found(tmp_path: Path) -> None:
    """A folder of the shared data is given as a path."""
    (tmp_path / "data" / "la311").mkdir(parents=True)
    source = "def test_one(shared_data): assert shared_data('la311').is_dir()\n"
    assert run_suite(tmp_path, source, CI="true", XRM_SHARED_DATA=str(tmp_path / "data"))[0] == 0


def test_soak_and_bench_run_on_request(tmp_path: Path) -> None:
    """What takes long is counted as deselected unless asked for."""
    source = "import pytest\n@pytest.mark.soak\ndef test_long(): pass\n@pytest.mark.bench\ndef test_fast(): pass\ndef test_plain(): pass\n"
    assert "1 passed, 2 deselected" in run_suite(tmp_path, source)[1]
    assert "2 passed, 1 deselected" in run_suite(tmp_path, source, XRM_SOAK="1")[1]
