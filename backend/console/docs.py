"""The documentation's page of error codes, which every problem+json answer names as its `type`: `/docs/errors#<code>`."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

ERRORS = Path(settings.BASE_DIR) / "docs" / "integrators" / "errors.md"
CODE = re.compile(r"[a-z]+(-[a-z]+)*")


@require_safe
def errors(request: HttpRequest) -> HttpResponse:
    """What each error code means and what to do, in Chinese and English; open to everybody, for a refusal may come before any sign-in."""
    return render(request, "console/docs_errors.html", {"page": render_page(ERRORS)})


@cache
def render_page(path: Path) -> SafeString:
    """The page as HTML; each heading that is a code can be linked to by it."""
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})
    tokens = markdown.parse(path.read_text(encoding="utf-8"))
    for heading, text in pairwise(tokens):
        if heading.type == "heading_open" and CODE.fullmatch(text.content):
            heading.attrSet("id", text.content)
    return mark_safe(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S308 - our own file, raw HTML is off
