"""What the pages are made of: no foreign host, no script in a page, and two complete languages."""

import re

import polib
import pytest
from django.contrib.staticfiles import finders

from tests.console.catalogue import CONSOLE, PO, key, said

TEMPLATES = sorted(CONSOLE.rglob("*.html"))
OWN_FILES = sorted((CONSOLE / "static" / "console").glob("*.*"))
# A name that XML gives to its vocabulary; nothing is fetched from it.
XML_NAMESPACE = "http://www.w3.org/2000/svg"


@pytest.mark.parametrize("path", [*TEMPLATES, *OWN_FILES], ids=lambda path: path.name)
def test_no_file_names_a_foreign_host(path):
    text = path.read_text(encoding="utf-8").replace(XML_NAMESPACE, "")
    assert not re.findall(r"(?:https?:)?//[\w-]+\.[\w.-]+", text)
    assert "@import" not in text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_carries_a_script_or_a_handler(path):
    text = path.read_text(encoding="utf-8")
    for script in re.findall(r"<script\b[^>]*>", text):
        assert "src=" in script
    assert not re.search(r"\son\w+\s*=|javascript:|hx-on|hx-vals='js:", text)


def test_htmx_and_the_chart_are_served_from_here():
    assert finders.find("django_htmx/htmx-2.min.js")
    assert finders.find("console/vendor/echarts-6.1.0.common.min.js")


def test_every_message_is_in_the_catalogue_and_every_entry_is_still_said():
    catalogue = {key(entry) for entry in polib.pofile(str(PO))}
    assert set(said()) - catalogue == set(), "run python -m tests.console.catalogue, then translate"
    assert catalogue - set(said()) == set(), "run python -m tests.console.catalogue"


def test_every_message_is_translated_with_the_same_places_for_values():
    for entry in polib.pofile(str(PO)):
        translations = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
        for text in translations:
            assert text, entry.msgid
            assert set(re.findall(r"%\(\w+\)s", text)) == set(re.findall(r"%\(\w+\)s", entry.msgid)), entry.msgid
        assert not entry.fuzzy


def test_the_compiled_catalogue_is_the_readable_one():
    def content(entries):
        return {(key(entry), entry.msgstr, tuple(entry.msgstr_plural.values())) for entry in entries}

    assert content(polib.mofile(str(PO.with_suffix(".mo")))) == content(polib.pofile(str(PO)))
