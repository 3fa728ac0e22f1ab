"""`manage.py test`: the tests, run by pytest, with the phone pages built where browser tests are among them."""

import os
import sys
from pathlib import Path

from rich.console import Console

from backend.core.launch import phone
from backend.core.launch.environment import ROOT
from backend.core.launch.refusal import StartRefused
from backend.core.launch.steps import Steps

# Folders of tests that open the phone pages.
OPEN_PHONE_PAGES = (ROOT / "tests" / "browser", ROOT / "tests" / "launch")


def needs_phone_pages(arguments: list[str]) -> bool:
    """Whether a run with these pytest arguments opens the phone pages: it names no place, or one that holds such tests."""
    named = [Path(argument.partition("::")[0]).resolve() for argument in arguments if not argument.startswith("-")]
    places = [place for place in named if place.exists()] or [ROOT / "tests"]
    return any(
        place.is_relative_to(folder) or folder.is_relative_to(place) for place in places for folder in OPEN_PHONE_PAGES
    )


def run(arguments: list[str]) -> None:
    """Become pytest, with these arguments. Ends with 1 where the phone pages are needed and cannot be built."""
    os.chdir(ROOT)
    if needs_phone_pages(arguments):
        log = phone.DIST / "setup.log"
        try:
            log.parent.mkdir(exist_ok=True)
            phone.build_pages(Steps(Console(stderr=True), log))
        except (StartRefused, OSError) as refusal:
            sys.exit(str(refusal))
    # The tests' own settings are named in .pytest.ini; a variable of the shell would win over them.
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *arguments])
