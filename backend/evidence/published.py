"""What the world can see of a chain, read from its folder and believed only as far as the chain's key vouches for it."""

from bisect import bisect_right
from functools import cached_property, lru_cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from backend.core.models import Chain
from backend.ledger import durable
from backend.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from backend.ledger.commitment import event_id_of
from backend.ledger.errors import Invalid, NotInitialised, ProofInvalid
from backend.ledger.merkle import inclusion_ranges, leaf_hash, range_hash, root_of, verify_inclusion
from backend.ledger.note import Signer, Verifier, parse_signer, parse_verifier
from backend.ledger.proof import build_proof
from backend.ledger.tiles import WIDTH, FolderTiles, TileTree, read_bundle

CHAINS = (Chain.SUPPLY.value, Chain.ASSET.value)
# Of full bundles, whose ids never change: some 12 MB for 131,072 events.
BUNDLES_REMEMBERED = 512


def chain_folder(chain: str) -> Path:
    """The folder that is published for a chain."""
    return Path(settings.LEDGER_DIR) / chain


def chain_tiles(chain: str) -> FolderTiles:
    """The tiles of a chain."""
    return FolderTiles(chain_folder(chain))


def key_path(chain: str) -> Path:
    """Where a chain's signer key lies (mode 0600), outside every published folder."""
    return Path(settings.DATA_DIR) / "keys" / f"ledger-{chain}"


class KeyMissing(NotInitialised):
    """The chain has no signer key: it was never begun here, or the key was lost."""

    code = "key-missing"


def read_signer(chain: str) -> Signer:
    """The chain's signer. Raises KeyMissing without a key file, KeyInvalid for a damaged one."""
    try:
        return parse_signer(durable.read(key_path(chain)).decode(errors="replace").strip())
    except FileNotFoundError:
        raise KeyMissing(f"there is no {key_path(chain)}") from None


def published_size(chain: str) -> int:
    """The size of the published tree, 0 before the first publication and while what is published cannot be read.

    Its signature is not checked: this is for showing where things stand. What is wrong with it is for the log's own check to say.
    """
    note = chain_tiles(chain).published()
    try:
        return 0 if note is None else parse_checkpoint(note).size
    except Invalid:
        return 0


class PublishedChain:
    """A chain as published at one moment, under a checkpoint whose signature was verified with the key beside the database.

    Nothing of it comes out of the database. Raises NotInitialised, NoteInvalid, CheckpointInvalid at its making.
    """

    def __init__(self, chain: str, verifier: Verifier | None = None) -> None:
        self.chain = chain
        self.tiles = chain_tiles(chain)
        self.verifier = verifier or read_signer(chain).verifier
        self._bundle = lru_cache(maxsize=64)(self._read_bundle)
        self._proven_bundle = lru_cache(maxsize=64)(self._prove_bundle)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """The published checkpoint, its signature verified."""
        note = self.tiles.published()
        if note is None:
            raise NotInitialised(f"the chain {self.chain} has published nothing")
        return open_checkpoint(note, self.verifier)

    @property
    def size(self) -> int:
        return self.checkpoint.size

    @property
    def bundles(self) -> int:
        """How many entry bundles the published tree has."""
        return -(-self.size // WIDTH)

    def entry(self, index: int) -> bytes:
        """The entry at an index below the size, without a proof of its own."""
        n, at = divmod(index, WIDTH)
        return self._bundle(n)[at]

    def proven_entry(self, index: int) -> bytes:
        """The entry at an index below the size, proven to lie under the signed root. Raises ProofInvalid, TileMissing, TileInvalid."""
        n, at = divmod(index, WIDTH)
        return self._proven_bundle(n)[at]

    def ids(self, n: int) -> tuple[str, ...]:
        """Which events stand in bundle `n`, in order: their ids in 32 hexadecimal digits, proven to lie under the signed root.

        Those of a full bundle never change: they are read and proven once in the life of this process. Raises as proven_entry.
        """
        if (n + 1) * WIDTH <= self.size:
            return _ids_of_full_bundle(self.chain, str(chain_folder(self.chain)), self.verifier.vkey, n)
        return self.read_ids(n)

    def read_ids(self, n: int) -> tuple[str, ...]:
        """As ids, from the folder."""
        return tuple(event_id_of(entry).replace("-", "") for entry in self._proven_bundle(n))

    def bundle_of_moment(self, event_id: UUID) -> int:
        """The bundle that was being filled when an event of this id was recorded: ids rise with time, up to what two writers differ by."""
        return max(0, bisect_right(range(self.bundles), event_id.hex, key=lambda n: self.ids(n)[0]) - 1)

    def proof(self, index: int) -> bytes:
        """The `.tlog-proof` of the entry at an index below the size. Raises as proven_entry."""
        return build_proof(self.tiles, index, self.checkpoint)

    def _read_bundle(self, n: int) -> list[bytes]:
        return read_bundle(self.tiles, n, min(WIDTH, self.size - n * WIDTH))

    def _prove_bundle(self, n: int) -> list[bytes]:
        """A bundle, all entries proven at once: the path of its first leaf, where what lies in the bundle is hashed from the entries."""
        entries = self._bundle(n)
        hashes = [leaf_hash(entry) for entry in entries]
        start, end = n * WIDTH, n * WIDTH + len(entries)
        tree = TileTree(self.tiles, self.size)
        path = [
            root_of(hashes[left - start : right - start]) if start <= left < end else range_hash(tree.node, left, right)
            for left, right in inclusion_ranges(start, self.size)
        ]
        if not verify_inclusion(hashes[0], start, self.size, path, self.checkpoint.root):
            raise ProofInvalid(f"the entries from {start} on do not lead to the signed root of size {self.size}")
        return entries


@lru_cache(maxsize=BUNDLES_REMEMBERED)
def _ids_of_full_bundle(chain: str, folder: str, vkey: str, n: int) -> tuple[str, ...]:
    """The ids of a full bundle in this folder, under this key."""
    return PublishedChain(chain, parse_verifier(vkey)).read_ids(n)


class Ledger:
    """The published chains, each read once and kept for one audit. `proven`: check every entry's way to the root, not the folder as a whole."""

    def __init__(self, *, proven: bool = True) -> None:
        self._proven = proven
        self._chains: dict[str, PublishedChain] = {}

    def chain(self, name: str) -> PublishedChain:
        if name not in self._chains:
            self._chains[name] = PublishedChain(name)
        return self._chains[name]

    def entry(self, chain: str, index: int) -> bytes | None:
        """The entry at an index, None where the published tree has none. Raises LedgerError when the folder does not support it."""
        published = self.chain(chain)
        if not 0 <= index < published.size:
            return None
        return published.proven_entry(index) if self._proven else published.entry(index)
