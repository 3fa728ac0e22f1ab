"""The console's message catalogue: what its templates and code say, against the committed .po, and the .mo made from it.

python -m tests.console.catalogue     adds new messages to the .po (untranslated), drops those no longer said, writes the .mo
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import polib

CONSOLE = Path(__file__).resolve().parents[2] / "backend" / "console"
PO = CONSOLE / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po"
# Where each function keeps its arguments: (singular, plural, context).
SPEAKING = {
    "gettext": (0, None, None),
    "_": (0, None, None),
    "ngettext": (0, 1, None),
    "pgettext": (1, None, 0),
    "pgettext_lazy": (1, None, 0),
    "npgettext": (1, 2, 0),
}
Message = tuple[str | None, str, str | None]


def _python_messages(source: str) -> Iterator[Message]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEAKING:
            places = SPEAKING[node.func.id]
            singular, plural, context = (None if at is None else ast.literal_eval(node.args[at]) for at in places)
            yield context, singular, plural


def _template_messages(path: Path) -> Iterator[Message]:
    """templatize turns a template into something like Python with the calls in it: the calls are taken out and read."""
    from django.utils.translation.template import templatize

    text = templatize(path.read_text(encoding="utf-8"))
    for found in re.finditer(r"\b(?:n?p?gettext|_)\(", text):
        call = _call(text, found.start())
        yield from _python_messages(call)


def _call(text: str, start: int) -> str:
    for end in range(start, len(text)):
        if text[end] == ")":
            try:
                ast.parse(text[start : end + 1].strip())
            except SyntaxError:
                continue
            return re.sub(r"\bu'", "'", text[start : end + 1]).strip()
    raise ValueError(text[start : start + 80])


def said() -> dict[Message, set[str]]:
    """Every message of the console with the files that say it. A plural is found under its singular."""
    found: dict[Message, set[str]] = {}
    for path in sorted(CONSOLE.rglob("*.html")):
        for message in _template_messages(path):
            found.setdefault(message, set()).add(str(path.relative_to(CONSOLE)))
    for path in sorted(CONSOLE.rglob("*.py")):
        for message in _python_messages(path.read_text(encoding="utf-8")):
            found.setdefault(message, set()).add(str(path.relative_to(CONSOLE)))
    return found


def key(entry: polib.POEntry) -> Message:
    return entry.msgctxt, entry.msgid, entry.msgid_plural or None


def update() -> list[str]:
    """Brings .po and .mo to what is said now; the messages that still lack a translation."""
    old = {key(entry): entry for entry in polib.pofile(str(PO))} if PO.exists() else {}
    catalogue = polib.POFile(wrapwidth=110)
    catalogue.metadata = {
        "Project-Id-Version": "Yirong Chain",
        "Language": "zh_Hans",
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": "nplurals=1; plural=0;",
    }
    for message, files in sorted(said().items(), key=lambda one: (sorted(one[1])[0], one[0][1])):
        context, singular, plural = message
        before = old.get(message)
        entry = polib.POEntry(msgctxt=context, msgid=singular, msgid_plural=plural or "")
        entry.occurrences = [(file, "") for file in sorted(files)]
        if plural:
            entry.msgstr_plural = before.msgstr_plural if before else {0: ""}
        else:
            entry.msgstr = before.msgstr if before else ""
        catalogue.append(entry)
    PO.parent.mkdir(parents=True, exist_ok=True)
    catalogue.save(str(PO))
    catalogue.save_as_mofile(str(PO.with_suffix(".mo")))
    return [entry.msgid for entry in catalogue if not entry.translated()]


if __name__ == "__main__":
    import django
    from django.conf import settings

    settings.configure(USE_I18N=True)
    django.setup()
    for text in update():
        print(text)
