"""The phone pages are built when what they are made of has changed, and only then."""

from pathlib import Path

import pytest

from backend.core.launch.environment import ROOT
from backend.core.launch.phone import inputs_digest
from backend.core.launch.testing import needs_phone_pages


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    for name in (
        "src/pages/sign.vue",
        "package-lock.json",
        "tests/sign.test.ts",
        "node_modules/vue/index.js",
        "dist/x",
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path


@pytest.mark.parametrize("changed", ["src/pages/sign.vue", "package-lock.json"])
def test_a_changed_source_is_another_build(sources: Path, changed: str) -> None:
    before = inputs_digest(sources)
    (sources / changed).write_text("changed")
    assert inputs_digest(sources) != before


def test_a_renamed_source_is_another_build(sources: Path) -> None:
    before = inputs_digest(sources)
    (sources / "src/pages/sign.vue").rename(sources / "src/pages/signed.vue")
    assert inputs_digest(sources) != before


@pytest.mark.parametrize("changed", ["tests/sign.test.ts", "node_modules/vue/index.js", "dist/x"])
def test_what_a_build_makes_or_leaves_aside_is_not_another_build(sources: Path, changed: str) -> None:
    before = inputs_digest(sources)
    (sources / changed).write_text("changed")
    assert inputs_digest(sources) == before


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        ([], True),
        (["-x", "-q"], True),
        ([str(ROOT / "tests")], True),
        ([str(ROOT / "tests" / "launch" / "test_start_and_stop.py") + "::test_one"], True),
        ([str(ROOT / "tests" / "ledger")], False),
        (["-k", "no-such-place", str(ROOT / "tests" / "ledger")], False),
    ],
)
def test_a_test_run_builds_them_only_if_its_tests_open_them(arguments: list[str], needed: bool) -> None:
    assert needs_phone_pages(arguments) is needed
