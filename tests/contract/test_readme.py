"""What the README and the docs tell a reader to type exists, and what they point at is there."""

import importlib.util
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from django.core.management import get_commands, load_command_class

from backend.core.launch.options import read_options
from backend.ledger.__main__ import _parser as ledger_parser
from benchmarks import ledger as ledger_benchmark
from tests.contract.places import DOCS, ROOT

PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def _typed_lines() -> Iterator[tuple[Path, list[str]]]:
    """The command lines of every page's shell blocks, as words."""
    for page in PAGES:
        for block in FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                    words = words[1:]
                if words:
                    yield page, words


def _manage_lines() -> list[tuple[str, list[str]]]:
    found = []
    for _, words in _typed_lines():
        at = next((place for place, word in enumerate(words) if word.endswith("manage.py")), None)
        if at is not None:
            found.append((words[at + 1], words[at + 2 :]))
    return found


def test_the_two_commands_stand_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "python3 manage.py up" in text
    assert "python3 manage.py test" in text


def test_every_command_of_the_pages_is_understood() -> None:
    lines = _manage_lines()
    assert {"up", "test", "ledger"} <= {command for command, _ in lines}
    for command, arguments in lines:
        if command == "up":
            read_options(arguments)
        elif command == "test":
            named = [
                argument.partition("::")[0]
                for argument in arguments
                if "/" in argument and not argument.startswith("-")
            ]
            assert all((ROOT / path).exists() for path in named), arguments
        else:
            load_command_class(get_commands()[command], command).create_parser("manage.py", command).parse_args(
                arguments
            )


def test_every_module_and_script_of_the_pages_exists() -> None:
    scripts = json.loads((ROOT / "miniprogram" / "package.json").read_text(encoding="utf-8"))["scripts"]
    modules = set()
    for page, words in _typed_lines():
        if "-m" in words and "python" in words[words.index("-m") - 1]:
            module, *arguments = words[words.index("-m") + 1 :]
            modules.add(module)
            assert importlib.util.find_spec(module), f"{page}: {module}"
            if module == "backend.ledger":
                ledger_parser().parse_args(arguments)
        if "npm" in words and "run" in words:
            rest = [word for word in words[words.index("run") + 1 :] if not word.startswith("-")]
            assert rest[0] in scripts, f"{page}: npm run {rest[0]}"
    assert {"backend.ledger", "benchmarks", ledger_benchmark.__name__} <= modules


def test_the_web_server_of_the_pages_takes_no_headers_word_for_who_calls() -> None:
    lines = [words[1:] for _, words in _typed_lines() if words[0].endswith("uvicorn")]
    assert lines
    for arguments in lines:
        asked = uvicorn.main.make_context("uvicorn", arguments).params
        assert (asked["app"], asked["proxy_headers"]) == ("backend.asgi:application", False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if ":" in path or path.startswith("/"):
            continue
        file = (page.parent / path) if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )


@pytest.mark.parametrize("folder", ["users", "operators", "integrators", "."])
def test_every_page_can_be_reached_from_the_readme(folder: str) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in sorted((DOCS / folder).glob("*.md")):
        assert f"({page.relative_to(ROOT)})" in text, page
