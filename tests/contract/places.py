"""Where the contracts look: the repository's folders and the files it tracks."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that a clone would hold, and those not yet added that no .gitignore keeps out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return tuple(ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file())


def text_of(path: Path) -> str:
    """The text of a tracked file; empty for what is no UTF-8 text, a picture for example."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
