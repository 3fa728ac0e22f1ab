from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.ledger import merkle
from backend.ledger.edge import EMPTY_EDGE, grow, read_edge
from backend.ledger.errors import TileInvalid, TileMissing
from backend.ledger.tiles import (
    ENTRY_LIMIT,
    FolderTiles,
    Place,
    TileTree,
    bundle_path,
    pack_entries,
    parse_path,
    read_bundle,
    read_tile,
    tile_path,
    unpack_entries,
)
from tests.ledger.homes import Home, entry


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (tile_path(0, 0), "tile/0/000"),
        (tile_path(0, 999), "tile/0/999"),
        (tile_path(1, 1000), "tile/1/x001/000"),
        (bundle_path(1234067), "tile/entries/x001/x234/067"),
        (tile_path(63, 5, 17), "tile/63/005.p/17"),
        (bundle_path(273, 112), "tile/entries/273.p/112"),
    ],
)
def test_paths_are_written_as_the_format_says(path: str, text: str) -> None:
    assert path == text


@given(st.integers(0, 63), st.integers(0, 2**48), st.integers(1, 256))
def test_a_path_is_read_back_as_what_it_was_made_from(level: int, n: int, width: int) -> None:
    assert parse_path(tile_path(level, n, width)) == Place(level, n, width)
    assert parse_path(bundle_path(n, width)) == Place(None, n, width)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile",
        "tile/0",
        "tile/0/0",
        "tile/0/1000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/\u0660\u0660\u0660",
        "tile/entries/../../checkpoint",
        "tile/0/../0/000",
        "../tile/0/000",
        "tile/entries/.0000",
        "tile/0/" + "x001/" * 7 + "000",
        "tile/0/" + "x001/" * 2_000 + "000",
    ],
)
def test_no_other_spelling_names_a_file(path: str, tmp_path: Path) -> None:
    with pytest.raises(TileMissing):
        parse_path(path)
    with pytest.raises(TileMissing):
        FolderTiles(tmp_path).read(path)


def test_a_bundle_begins_with_the_length_of_its_first_entry() -> None:
    first = b"entry-768 ".ljust(300, b".")
    assert pack_entries([first, b""])[:12].hex() == "012c" + b"entry-768 ".hex()
    assert unpack_entries(pack_entries([first, b"", b"x"])) == [first, b"", b"x"]


def test_an_entry_holds_at_most_65535_bytes() -> None:
    largest = b"x" * ENTRY_LIMIT
    assert unpack_entries(pack_entries([largest])) == [largest]
    with pytest.raises(TileInvalid):
        pack_entries([largest + b"x"])


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x01", b"\x00\x02a", b"\x00\x01ab", b"\x00\x01a\x00"])
def test_a_bundle_that_ends_inside_an_entry_is_refused(bundle: bytes) -> None:
    with pytest.raises(TileInvalid):
        unpack_entries(bundle)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_growing_in_any_steps_gives_the_same_tree_and_the_files_of_each_size(steps: list[int]) -> None:
    edge, size, stored = EMPTY_EDGE, 0, {}
    for step in steps:
        edge, files = grow(edge, [entry(index) for index in range(size, size + step)])
        stored.update(files)
        size += step
        hashes = [merkle.leaf_hash(entry(index)) for index in range(size)]
        assert edge.root == merkle.root_of(hashes)
        reader = DictTiles(stored)
        assert TileTree(reader, size).root_at(size) == edge.root
        assert read_edge(reader, size) == (edge, True)
        for n in range(size // 256):
            assert stored[tile_path(0, n)] == b"".join(hashes[n * 256 : n * 256 + 256])
            assert unpack_entries(stored[bundle_path(n)]) == [entry(i) for i in range(n * 256, n * 256 + 256)]


class DictTiles:
    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str) -> bytes:
        try:
            return self.files[path]
        except KeyError:
            raise TileMissing(path) from None


def test_the_files_of_256_and_of_70000_leaves_are_those_of_the_format() -> None:
    _edge, files = grow(EMPTY_EDGE, [entry(index) for index in range(256)])
    assert set(files) == {"tile/entries/000", "tile/0/000", "tile/1/000.p/1"}

    edge, files = grow(EMPTY_EDGE, [entry(index) for index in range(70_000)])
    assert sum(path.startswith("tile/0/") for path in files) == 274
    assert {path for path in files if not path.startswith(("tile/0/", "tile/entries/"))} == {
        "tile/1/000",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    }
    assert len(files["tile/0/273.p/112"]) == 112 * 32
    assert len(files["tile/1/000"]) == 8192
    assert edge.root.hex() == "a62a54be33294ffd5a5c4c637fd754630b71a892e8356e3a666a5c8a7ffd1518"


def test_partial_files_are_made_for_committed_sizes_alone(home: Home) -> None:
    home.grow_to(3)
    home.grow_to(5)
    home.grow_to(300)
    assert home.tiles.partial_widths("tile/0/000") == [3, 5]
    assert home.tiles.partial_widths("tile/entries/000") == [3, 5]
    assert home.tiles.partial_widths("tile/0/001") == [44]
    assert home.tiles.partial_widths("tile/1/000") == [1]


def test_where_a_partial_file_is_gone_the_full_one_is_cut(home: Home) -> None:
    home.grow_to(5)
    before = (read_tile(home.tiles, 0, 0, 5), read_bundle(home.tiles, 0, 5), TileTree(home.tiles, 5).root_at(5))
    home.grow_to(256)
    (home.folder / "tile/0/000.p/5").unlink()
    (home.folder / "tile/entries/000.p/5").unlink()
    assert (read_tile(home.tiles, 0, 0, 5), read_bundle(home.tiles, 0, 5), TileTree(home.tiles, 5).root_at(5)) == before


def test_a_tile_or_bundle_of_another_length_is_refused(home: Home) -> None:
    home.grow_to(5)
    tile, bundle = home.folder / "tile/0/000.p/5", home.folder / "tile/entries/000.p/5"
    tile.write_bytes(tile.read_bytes()[:-1])
    bundle.write_bytes(pack_entries([entry(0)] * 6))
    with pytest.raises(TileInvalid, match=r"tile/0/000\.p/5"):
        read_tile(home.tiles, 0, 0, 5)
    with pytest.raises(TileInvalid, match=r"tile/entries/000\.p/5"):
        read_bundle(home.tiles, 0, 5)
