"""What the world can see of a chain, read from its folder and believed only as far as the chain's key vouches for it."""

from functools import cached_property, lru_cache
from pathlib import Path

from django.conf import settings

from backend.core.models import Chain
from backend.ledger import durable
from backend.ledger.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from backend.ledger.errors import Invalid, NotInitialised, ProofInvalid
from backend.ledger.merkle import leaf_hash, verify_inclusion
from backend.ledger.note import Signer, Verifier, parse_signer
from backend.ledger.proof import build_proof, inclusion_proof
from backend.ledger.tiles import WIDTH, FolderTiles, read_bundle

CHAINS = (Chain.SUPPLY.value, Chain.ASSET.value)


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

    def entry(self, index: int) -> bytes:
        """The entry at an index below the size, without a proof of its own."""
        n, at = divmod(index, WIDTH)
        return self._bundle(n)[at]

    def proven_entry(self, index: int) -> bytes:
        """The entry at an index below the size, proven to lie under the signed root. Raises ProofInvalid, TileMissing, TileInvalid."""
        entry = self.entry(index)
        path = inclusion_proof(self.tiles, index, self.size)
        if not verify_inclusion(leaf_hash(entry), index, self.size, path, self.checkpoint.root):
            raise ProofInvalid(f"entry {index} does not lead to the signed root of size {self.size}")
        return entry

    def proof(self, index: int) -> bytes:
        """The `.tlog-proof` of the entry at an index below the size. Raises as proven_entry."""
        return build_proof(self.tiles, index, self.checkpoint)

    def _read_bundle(self, n: int) -> list[bytes]:
        return read_bundle(self.tiles, n, min(WIDTH, self.size - n * WIDTH))
