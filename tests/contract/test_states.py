"""The pictures of the state machines are the tables that the services obey."""

from tests.contract import states


def test_the_committed_pictures_are_made_from_the_tables() -> None:
    assert states.PAGE.read_text(encoding="utf-8") == states.page(), "run: python -m tests.contract.states"


def test_every_arrow_of_every_table_is_drawn() -> None:
    drawn = states.page()
    for name, table in states.tables().items():
        picture = drawn.partition(f"## {states.title(name)}\n")[2].partition("\n## ")[0]
        for act, moves in table.items():
            for one, other in moves.items():
                arrow = [line for line in picture.splitlines() if line.strip().startswith(f"{one} --> {other}: ")]
                assert len(arrow) == 1, (name, act, one, other)
                assert act in arrow[0].partition(": ")[2].split(", ")


def test_a_changed_table_makes_another_picture() -> None:
    table = {"open": {"A": "B"}, "stay": {"B": "B"}}
    assert list(states.arrows(table)) == ["    [*] --> A", "    A --> B: open", "    B --> B: stay"]
    assert list(states.arrows({"open": {"A": "C"}}))[-1] == "    C --> [*]"
