"""What holds for the files themselves: pinned packages, no foreign host, sizes, words that are no part of the product."""

import json
import re
from pathlib import Path

import pytest

from tests.contract.places import ROOT, text_of, tracked

REQUIREMENTS = ["requirements.txt", "tests/requirements.txt", "backend/node-requirements.txt"]
LONGEST = 500
CODE = {".py", ".ts", ".vue", ".js", ".mjs", ".css", ".html"}
LONGER = {
    "backend/console/static/console/console.css": "one stylesheet for all pages, in sections named after them",
}


def test_the_top_level_holds_what_a_newcomer_expects() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    expected = {
        "manage.py",
        "backend",
        "miniprogram",
        "requirements.txt",
        "tests",
        "README.md",
        "LICENSE",
        "docs",
        "benchmarks",
    }
    assert {name for name in names if not name.startswith(".")} <= expected
    assert {"manage.py", "backend", "miniprogram", "requirements.txt", "tests", "README.md", "LICENSE", "docs"} <= names


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_required_package_is_pinned_with_hashes_and_names_no_host(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.findall(r"^(?!\s|#)(.+?)(?=^(?!\s|#)|\Z)", text, re.MULTILINE | re.DOTALL)
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?==[^ ]+ ", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in text
    assert not re.search(r"^\s*(-i|--index-url|--extra-index-url|--find-links|--trusted-host)", text, re.MULTILINE)


def test_the_phones_lock_file_names_no_host_and_checks_every_package() -> None:
    packages = json.loads((ROOT / "miniprogram" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 100
    for name, package in packages.items():
        assert "resolved" not in package, name
        assert "integrity" in package or name == "" or package.get("link") or package.get("inBundle"), name


def _too_long() -> dict[str, int]:
    found = {}
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        ours = name.startswith(("backend/", "tests/", "miniprogram/src/", "benchmarks/")) and path.suffix in CODE
        generated = "/migrations/" in name or "/vendor/" in name
        if ours and not generated and (lines := text_of(path).count("\n")) > LONGEST:
            found[name] = lines
    return found


def test_no_file_is_longer_than_a_reader_can_keep_in_mind() -> None:
    """Compiled and collected files (requirements, translations, migrations, vendored scripts) are no reading matter."""
    assert set(_too_long()) == set(LONGER), _too_long()


# Put together here, so that this file does not hold them.
FOREIGN = [
    re.escape(".." + "/shared"),
    r"\bshared/" + "design",
    r"(?<![\w/])design/" + r"(architecture|world|ledger|domain|risk|phone|partners)",
    r"/" + "work/",
    r"/tmp/" + "yirong",
    r"\bissue " + r"\d",
    r"\b(clau" + r"de|anthro" + r"pic|open" + r"ai|co" + r"pilot|chat" + r"gpt)\b",
    r"\bsub-?" + r"agents?\b",
]


def test_the_files_speak_of_the_product_alone() -> None:
    pattern = re.compile("|".join(FOREIGN), re.IGNORECASE)
    for path in tracked():
        if "/vendor/" not in path.as_posix() and path.name not in ("package-lock.json", "LICENSE"):
            found = pattern.search(text_of(path))
            assert not found, f"{path.relative_to(ROOT)}: {found and found[0]}"


# A package registry's host, in whatever file.
REGISTRY = re.compile(
    r"(registry\.np" + r"mjs|pypi\." + r"org|python" + r"hosted|npm" + r"mirror|tuna\.tsing" + r"hua)", re.IGNORECASE
)


def test_no_file_names_a_package_registrys_host() -> None:
    for path in tracked():
        assert not REGISTRY.search(text_of(path)), path.relative_to(ROOT)


def test_every_folder_of_tests_names_a_room_or_a_kind_of_test() -> None:
    rooms = {path.name for path in (ROOT / "backend").iterdir() if (path / "__init__.py").exists()}
    kinds = {"contract", "flows", "browser", "faults", "launch", "miniprogram", "vectors", "benchmarks"}
    folders = {
        Path(*path.relative_to(ROOT / "tests").parts[:1]).name
        for path in tracked()
        if path.is_relative_to(ROOT / "tests")
    }
    assert {name for name in folders if "." not in name} <= rooms | kinds
