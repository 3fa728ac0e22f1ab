"""manage.py where nothing is installed: one clear sentence for each thing that is in the way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from backend.core.launch.environment import ROOT
from tests.launch.conftest import clean_environment, run_manage

BASE_PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A clone as it is before the first start: no `.venv`."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("manage.py", "requirements.txt"):
        shutil.copy(ROOT / name, folder)
    return folder


def manage(folder: Path, *arguments: str, python: str = BASE_PYTHON, **options: object) -> subprocess.CompletedProcess:
    environ = {**clean_environment(), **options.pop("environ", {})}
    return subprocess.run(
        [python, "-P", "manage.py", *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )


def test_a_missing_venv_module_is_one_sentence_that_names_the_package(bare: Path, tmp_path: Path) -> None:
    """As on Debian without python3-venv, whose Python has no `ensurepip`."""
    (tmp_path / "debian").mkdir()
    (tmp_path / "debian" / "ensurepip.py").write_text("raise ImportError('No module named ensurepip')")

    refused = manage(bare, "up", environ={"PYTHONPATH": str(tmp_path / "debian")})

    assert refused.returncode == 1
    assert "sudo apt install python3-venv" in refused.stderr
    assert "缺少 venv 模块" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (bare / ".venv").exists()


def test_another_command_before_the_first_start_says_what_to_run(bare: Path) -> None:
    refused = manage(bare, "migrate")

    assert refused.returncode == 1
    assert "run python3 manage.py up first" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (bare / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_one_sentence(bare: Path, tmp_path: Path) -> None:
    python = BASE_PYTHON
    options: dict[str, object] = {}
    if os.geteuid() == 0:
        # The superuser may write anywhere: ask as somebody else, with a Python that they may run.
        python = "/usr/bin/python3"
        options = {"user": 65534, "group": 65534, "extra_groups": []}
        for folder in [tmp_path, *tmp_path.parents][:3]:
            folder.chmod(folder.stat().st_mode | 0o055)
        if subprocess.run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"], **options).returncode:
            pytest.skip("no Python 3.11 here that somebody other than root may run")
    bare.chmod(0o555)

    refused = manage(bare, "up", python=python, **options)

    assert refused.returncode == 1
    assert f"The folder {bare} cannot be written" in refused.stderr
    assert "不可写" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_package_that_is_not_what_it_was_is_refused(bare: Path) -> None:
    """A wheel of one's own in place of a pinned one: the hash differs, so it is not installed."""
    wheels = bare / "wheels"
    subprocess.run([sys.executable, "-c", MAKE_WHEEL, str(wheels)], check=True)
    (bare / "requirements.txt").write_text("pinned-thing==1.0 --hash=sha256:" + "0" * 64 + "\n")

    refused = manage(bare, "up", environ={"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)})

    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    assert "The installation failed" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_installation_is_made_once_and_again_when_the_file_changes(bare: Path) -> None:
    wheels = bare / "wheels"
    made = subprocess.run([sys.executable, "-c", MAKE_WHEEL, str(wheels)], check=True, capture_output=True, text=True)
    requirements = bare / "requirements.txt"
    requirements.write_text(f"pinned-thing==1.0 --hash=sha256:{made.stdout.strip()}\n")
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}

    first = manage(bare, "up", environ=offline)
    second = manage(bare, "up", environ=offline)
    requirements.write_text(requirements.read_text() + "# looked at again\n")
    third = manage(bare, "up", environ=offline)

    assert "Installing the packages that run it" in first.stderr
    assert (bare / ".venv" / "lib").is_dir()
    assert "Installing" not in second.stderr
    assert "Installing the packages that run it" in third.stderr
    # Django is not among the packages of this small file, and the sentence for that is the last word.
    assert first.stderr.rstrip().endswith("Nothing is installed yet: run python3 manage.py up first.")


# Writes a wheel with one empty module and prints its SHA-256.
MAKE_WHEEL = """
import hashlib, pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1]); folder.mkdir()
path = folder / "pinned_thing-1.0-py3-none-any.whl"
info = "pinned_thing-1.0.dist-info"
with zipfile.ZipFile(path, "w") as wheel:
    wheel.writestr("pinned_thing.py", "")
    wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: pinned-thing\\nVersion: 1.0\\n")
    wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    wheel.writestr(f"{info}/RECORD", f"pinned_thing.py,,\\n{info}/METADATA,,\\n{info}/WHEEL,,\\n{info}/RECORD,,\\n")
print(hashlib.sha256(path.read_bytes()).hexdigest())
"""


def test_the_test_command_runs_pytest_with_the_settings_of_the_tests() -> None:
    ran = run_manage("test", "--collect-only", "tests/ledger", DJANGO_SETTINGS_MODULE="backend.settings")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "settings: tests.settings (from ini)" in ran.stdout
