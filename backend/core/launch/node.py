"""Node for building the phone pages: the machine's own where it is new enough, else one brought into `.venv`.

`python -m backend.core.launch.node npm test` runs any command in `miniprogram/` with that Node.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from backend.core.launch.environment import ROOT
from backend.core.launch.refusal import StartRefused
from backend.core.launch.steps import Step

OLDEST_NODE = 20
MINIPROGRAM = ROOT / "miniprogram"
REQUIREMENTS = ROOT / "backend" / "node-requirements.txt"
SCRIPTS = Path(sys.prefix) / "bin"


def _is_new_enough(node: str | None) -> bool:
    if node is None:
        return False
    try:
        version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return False
    found = re.match(r"v(\d+)\.", version)
    return found is not None and int(found[1]) >= OLDEST_NODE


def _folder() -> Path | None:
    """The folder that holds a `node` and an `npm` that will do."""
    for path in (None, str(SCRIPTS)):
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm and _is_new_enough(node):
            return Path(node).parent
    return None


def ready_environment() -> dict[str, str] | None:
    """The environment in which `npm` and `node` run, or None where there is no Node that will do."""
    folder = _folder()
    if folder is None:
        return None
    return {
        **os.environ,
        "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_loglevel": "error",
        "npm_config_update_notifier": "false",
    }


def environment(step: Step) -> dict[str, str]:
    """The same, after bringing Node into `.venv` where it is missing. Raises StartRefused where that does not help."""
    environ = ready_environment()
    if environ is None:
        pip = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-input", "--disable-pip-version-check"]
        step.run([*pip, "-r", str(REQUIREMENTS)], cwd=ROOT)
        environ = ready_environment()
    if environ is None:
        raise StartRefused(
            "这台机器上没有可用的 Node 20 或更新版本，请安装 nodejs 和 npm 后重试。",
            "No Node 20 or newer works on this machine: install nodejs and npm, then run this again.",
        )
    return environ


def main(command: list[str]) -> int:
    """Run a command in `miniprogram/`, its packages installed, and return its exit code."""
    from backend.core.launch.phone import install_packages
    from backend.core.launch.steps import Steps

    log = MINIPROGRAM / "dist" / "setup.log"
    log.parent.mkdir(exist_ok=True)
    steps = Steps(Console(stderr=True), log)
    try:
        environ = install_packages(steps)
    except StartRefused as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 1
    return subprocess.run(command, cwd=MINIPROGRAM, env=environ).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
