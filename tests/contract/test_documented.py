"""What an operator can set or run is written down, and nothing that is written down is gone."""

import argparse
import re
from collections.abc import Callable, Iterator

import pytest
from django.core.management import get_commands, load_command_class

from backend.core.launch.options import read_options
from backend.ledger.__main__ import _parser as ledger_parser
from tests.contract.places import DOCS, ROOT

SETTINGS = DOCS / "operators" / "settings.md"
COMMANDS = DOCS / "operators" / "commands.md"
OPTION = re.compile(r"--[a-z][a-z-]+")
# What every Django command takes, and what argparse adds.
COMMON = {
    "--help",
    "--version",
    "--verbosity",
    "--settings",
    "--pythonpath",
    "--traceback",
    "--no-color",
    "--force-color",
    "--skip-checks",
}


def _sections(text: str, level: str) -> dict[str, str]:
    parts = re.split(rf"^{level} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _read_variables() -> set[str]:
    text = (ROOT / "backend" / "settings.py").read_text(encoding="utf-8")
    return set(re.findall(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"", text))


def test_every_setting_is_documented_and_every_documented_setting_is_read() -> None:
    assert {"DATABASE_URL", "DATA_DIR", "WECHAT_SECRET"} <= _read_variables()
    assert set(_sections(SETTINGS.read_text(encoding="utf-8"), "###")) == _read_variables()


def test_every_setting_says_its_default() -> None:
    for name, text in _sections(SETTINGS.read_text(encoding="utf-8"), "###").items():
        assert "Default:" in text, name


def _own_commands() -> set[str]:
    return {name for name, app in get_commands().items() if str(app).startswith("backend.")}


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    documented = _sections(COMMANDS.read_text(encoding="utf-8"), "##")
    assert {"seed", "ledger"} <= _own_commands()
    assert set(documented) - {"python -m backend.ledger"} == _own_commands() | {"up", "test"}


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """The options and the subcommands of a parser, all the way down."""
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield name
                yield from _options(below)


def _options_of(command: str, capsys: pytest.CaptureFixture[str]) -> set[str]:
    if command == "up":
        with pytest.raises(SystemExit):
            read_options(["--help"])
        return set(OPTION.findall(capsys.readouterr().out)) - COMMON
    makers: dict[str, Callable[[], argparse.ArgumentParser]] = {"python -m backend.ledger": ledger_parser}
    if command not in makers:
        makers[command] = lambda: load_command_class(get_commands()[command], command).create_parser(
            "manage.py", command
        )
    return set(_options(makers[command]())) - COMMON


def test_every_option_is_documented_and_every_documented_option_exists(capsys: pytest.CaptureFixture[str]) -> None:
    for command, text in _sections(COMMANDS.read_text(encoding="utf-8"), "##").items():
        if command != "test":  # pytest's own arguments
            documented = set(re.findall(r"^\| `(\S+?)[ `]", text, re.MULTILINE)) - {"Option", "Action"}
            assert documented == _options_of(command, capsys), command
