"""The declared state machines as pictures: Mermaid text, which code hosts draw, kept in docs/users/states.md.

python -m tests.contract.states     writes the page from the tables
"""

from collections.abc import Iterator

from tests.contract.places import DOCS

PAGE = DOCS / "users" / "states.md"
HEAD = """# States of documents 单据状态

Made from the tables that the services move documents by (`python -m tests.contract.states`); a test holds both together. An arrow is an act, and no act is done but along an arrow. What each act is, and who does it: [documents](documents.md).
"""


def tables() -> dict[str, dict[str, dict[str, str]]]:
    """Every declared state machine by name, in the order of the alphabet."""
    from backend.trade import models

    return {name: getattr(models, name) for name in sorted(vars(models)) if name.endswith("_TRANSITIONS")}


def title(name: str) -> str:
    """`CREDIT_NOTE_TRANSITIONS` as `Credit note`."""
    return name.removesuffix("_TRANSITIONS").replace("_", " ").capitalize()


def arrows(table: dict[str, dict[str, str]]) -> Iterator[str]:
    """The moves of a table, those between the same two states on one arrow; what leaves a state as it is stands on it as a loop."""
    between: dict[tuple[str, str], list[str]] = {}
    for act, moves in table.items():
        for one, other in moves.items():
            between.setdefault((str(one), str(other)), []).append(act)
    sources, targets = {one for one, _ in between}, {other for one, other in between if one != other}
    yield from (f"    [*] --> {state}" for state in dict.fromkeys(one for one, _ in between) if state not in targets)
    for (one, other), acts in between.items():
        yield f"    {one} --> {other}: {', '.join(acts)}"
    last = dict.fromkeys(other for _, other in between if other not in sources)
    yield from (f"    {state} --> [*]" for state in last)


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for name, table in tables().items():
        parts.append("\n".join([f"## {title(name)}", "", "```mermaid", "stateDiagram-v2", *arrows(table), "```", ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.settings")
    django.setup()
    PAGE.write_text(page(), encoding="utf-8")
