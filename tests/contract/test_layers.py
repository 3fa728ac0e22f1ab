import subprocess
import sys

from tests.contract.places import ROOT


def test_imports_point_down_only_and_no_room_is_undeclared() -> None:
    """The contracts of .importlinter, as the checks of a commit run them."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command; lint_imports_command()",
        "--no-cache",
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "0 broken" in ran.stdout
