"""The card that a start ends with, on terminals of every width."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from backend.core.launch import card
from backend.core.launch.environment import DataFolder
from backend.core.launch.options import Options


@pytest.mark.parametrize("width", [80, 92, 200])
def test_every_link_stands_on_the_card_whole(width: int, tmp_path: Path) -> None:
    out = io.StringIO()
    options = Options(port=8000)
    card.show(Console(file=out, width=width), options, DataFolder(tmp_path))
    names = [name for name, _chinese, _english in card.HANDSETS]
    links = [f"/m/?handset={name}" for name in names] + ["/demo/console?as=wen-ning", "/demo/console?as=he-chuan"]
    for link in links:
        assert f"http://127.0.0.1:8000{link} " in out.getvalue()
    assert card.ONE_AT_A_TIME in out.getvalue()
