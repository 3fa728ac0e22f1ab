"""Event types are said in many places and must be the same words: where they are emitted, where they are heard, where they are explained."""

import ast
import importlib
import re
from collections.abc import Iterator

from backend.core import events
from tests.contract.places import DOCS, ROOT


def _emitted() -> set[str]:
    """Every type that some call of emit() in the product can carry, read from the code."""
    found: set[str] = set()
    for path in sorted((ROOT / "backend").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in _calls(tree):
            if _name(call.func) == "emit":
                value = next(keyword.value for keyword in call.keywords if keyword.arg == "type")
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                found |= set(_values(value, tree, module))
    return found


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _values(node: ast.expr, tree: ast.AST, module: str) -> Iterator[str]:
    """The texts that an expression can be: a text, a constant of some module, one of two, or what callers pass under its name."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from _values(node.body, tree, module)
        yield from _values(node.orelse, tree, module)
    else:
        try:
            yield eval(ast.unparse(node), vars(importlib.import_module(module)))
        except NameError:
            passed = [keyword.value for call in _calls(tree) for keyword in call.keywords if keyword.arg == _name(node)]
            assert passed, f"{module}: cannot tell what {ast.unparse(node)} is"
            for value in passed:
                yield from _values(value, tree, module)


def test_the_reading_of_the_code_finds_the_events_of_every_room() -> None:
    assert {
        "session.opened",
        "consent.withdrawn",
        "order.signed",
        "order.confirmed",
        "receipt.signed",
        "alert.raised",
    } <= _emitted()


def test_whoever_listens_listens_to_something_that_is_said() -> None:
    assert events.subscribers()
    for name in events.subscribers():
        types, _ = events._subscribers[name]
        assert types <= _emitted(), f"{name} waits for {sorted(types - _emitted())}"


def test_every_event_type_is_explained_to_integrators_and_no_other() -> None:
    text = (DOCS / "integrators" / "api.md").read_text(encoding="utf-8")
    section = text.partition("## Events")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z]+\.[a-z_]+)` ", section, re.MULTILINE)) == _emitted()
