"""Every error code has its page, in both languages, where `type` says; no page speaks of a code that is gone."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.test import Client
from rest_framework import exceptions
from rest_framework.request import Request

import backend
from backend.console import docs
from backend.core.errors import DomainError
from backend.core.problems import exception_handler
from backend.ledger import __main__ as ledger_tool
from backend.ledger import fsck
from backend.ledger.errors import LedgerError
from tests.contract.places import DOCS

PAGE = DOCS / "integrators" / "errors.md"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _descendants(root: type[Any]) -> Iterator[type[Any]]:
    yield root
    for child in root.__subclasses__():
        yield from _descendants(child)


def _load_every_module() -> None:
    for module in pkgutil.walk_packages(backend.__path__, "backend."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _own_codes() -> dict[str, int]:
    """Code and status of every error that this product declares."""
    _load_every_module()
    return {kind.code: kind.status for kind in _descendants(DomainError) if kind.__module__.startswith("backend.")}


def _framework_codes() -> dict[str, int]:
    """Code and status of every error that the framework raises, as this product renders it."""
    arguments: dict[type[Any], tuple[str, ...]] = {
        exceptions.MethodNotAllowed: ("GET",),
        exceptions.UnsupportedMediaType: ("text/plain",),
    }
    found = {}
    for kind in _descendants(exceptions.APIException):
        if kind.__module__ == exceptions.__name__:
            response = exception_handler(kind(*arguments.get(kind, ())), {"request": Request(HttpRequest())})
            assert response is not None
            found[response.data["code"]] = response.status_code
    return found


def _sections() -> dict[str, str]:
    """The page's sections by heading."""
    parts = re.split(r"^### (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_walk_finds_errors_of_every_room() -> None:
    assert {
        "receipt-exists",
        "locked-out",
        "digest-mismatch",
        "alert-acknowledged",
        "not-found",
        "idempotency-mismatch",
    } <= set(_own_codes())
    assert {"invalid", "method-not-allowed", "unsupported-media-type"} <= set(_framework_codes())


def test_every_code_has_its_section_and_every_section_its_code() -> None:
    assert set(_sections()) == set(_own_codes()) | set(_framework_codes())


def test_every_section_says_what_happened_and_what_to_do_in_both_languages() -> None:
    for code, text in _sections().items():
        chinese, english = [line for line in text.partition("\n## ")[0].splitlines() if line]
        assert CHINESE.search(chinese), code
        assert english.isascii() or not CHINESE.search(english), code
        for sentences in (chinese.replace("。", ". "), english):
            assert len(re.findall(r"[.;:](?: |$)", sentences)) >= 2, f"{code}: what to do?"


def test_every_section_names_the_status_that_is_answered() -> None:
    statuses = _framework_codes() | _own_codes()
    for code, text in _sections().items():
        assert text.strip().startswith(f"{statuses[code]}。"), code


def test_no_two_errors_share_a_code() -> None:
    _load_every_module()
    seen: dict[str, type[Any]] = {}
    for kind in _descendants(DomainError):
        if kind.__module__.startswith("backend."):
            assert seen.setdefault(kind.code, kind) is kind, (
                f"{kind.__name__} and {seen[kind.code].__name__} are both {kind.code}"
            )


def test_the_type_of_a_refusal_leads_to_its_section(db: None) -> None:
    refusal = Client().get("/api/v1/tasks/").json()
    assert refusal["type"] == "/docs/errors#not-authenticated"
    page = Client().get("/docs/errors")
    assert page.status_code == 200
    for code in _sections():
        assert f'<h3 id="{code}">' in page.content.decode()


def test_the_page_runs_no_markup_of_its_source(tmp_path: Any) -> None:
    page = tmp_path / "page.md"
    page.write_text("### some-code\n\n<script>alert(1)</script>\n", encoding="utf-8")
    assert docs.render_page(page) == '<h3 id="some-code">some-code</h3>\n<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n'


def test_every_error_of_the_ledgers_tools_is_explained_and_no_other() -> None:
    _load_every_module()
    text = (DOCS / "integrators" / "ledger.md").read_text(encoding="utf-8").partition("## What the tools refuse")[2]
    families = {"LedgerError", "Fatal", "Retryable", "Fault"}
    codes = {kind.code for kind in _descendants(LedgerError) if kind.__name__ not in families}
    codes |= set(re.findall(r'Fault\(\s*"([a-z-]+)"', inspect.getsource(fsck) + inspect.getsource(ledger_tool)))
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    assert {code for row in rows for code in re.findall(r"`([a-z-]+)`", row)} == codes
