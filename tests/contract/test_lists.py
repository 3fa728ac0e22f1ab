"""Lists take what their own links said, and refuse the rest."""

import base64

import pytest

from tests.contract.conftest import Story

LISTS = ["orders", "productions", "despatches", "receipts", "alerts", "logins"]


@pytest.mark.parametrize("position", ["p=1", "p=%00", "r=1&p=2026-11-23", "o=x", "", "p=" + "9" * 200])
def test_a_cursor_that_no_list_gave_is_refused_as_the_callers_mistake(position: str, story: Story) -> None:
    cursor = base64.b64encode(position.encode()).decode()
    for name in LISTS:
        status, answer = story.sales.get(f"/api/v1/{name}/?cursor={cursor}")
        assert status in {200, 400, 404}, (name, answer)
        assert status == 200 or answer["code"] in {"malformed", "not-found"}, (name, answer)


def test_a_list_is_read_to_its_end_by_its_own_links(story: Story) -> None:
    path, seen = "/api/v1/despatches/?limit=1", []
    for _ in range(20):
        status, page = story.clerk.get(path)
        assert status == 200, page
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        path = page["next"].partition("testserver")[2]
    assert sorted(seen) == sorted({story.despatch, story.underway})
