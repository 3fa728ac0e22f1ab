"""How the two chains are begun, once in the life of an installation, and how a beginning that was broken off is gone on with.

1. both signer keys, each in `keys/ledger-<chain>.beginning`
2. of each chain: its origin and the checkpoint of its empty tree, in one transaction
3. that checkpoint, published
4. the key gets its name, `keys/ledger-<chain>`: from now on the chain can sign

Wherever this is cut, the key in the making tells that what is there is this beginning's own, for every other reader of keys knows the last
name alone: such a key has signed the empty tree and nothing else.
"""

import secrets
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from backend.core import data_keys
from backend.core.models import Event
from backend.evidence.anchoring import Checkpoints, Journal, OriginChanged, open_log
from backend.evidence.models import Checkpoint as CheckpointRow
from backend.evidence.models import DrainLease, LedgerOrigin
from backend.evidence.published import CHAINS, chain_folder, chain_tiles, key_path, read_signer
from backend.ledger import durable
from backend.ledger.checkpoint import sign_checkpoint
from backend.ledger.errors import AlreadyInitialised
from backend.ledger.log import Log
from backend.ledger.merkle import EMPTY_ROOT
from backend.ledger.note import Signer, generate_signer, parse_signer


def begun() -> bool:
    """Whether both chains were begun here, to the end. Raises as open_log when what was begun is not what is here now."""
    if not all(_is_begun(chain) for chain in CHAINS):
        return False
    for chain in CHAINS:
        open_log(chain)
    return True


def begin() -> dict[str, str]:
    """Begins both chains, or goes on where this was broken off: the verifier key of each. Also makes the first master key where there is none.

    Raises AlreadyInitialised naming what is there when a key, a row, a tile or a published file exists that no beginning left unfinished;
    OriginChanged when the one that was broken off had another name.
    """
    folder = key_path(CHAINS[0]).parent
    durable.private_folder(folder)
    with durable.locked(folder / ".ledger.lock"):
        unfinished = _unfinished()
        if not data_keys.has_master_key():
            data_keys.create_master_key()
        for chain, signer in _signers(unfinished).items():
            _begin(chain, signer)
    return {chain: read_signer(chain).vkey for chain in CHAINS}


def _unfinished() -> list[str]:
    """The chains that are still to be begun. Raises AlreadyInitialised when that is none, or what is there of one is not a beginning's."""
    unfinished = [chain for chain in CHAINS if not _is_begun(chain)]
    foreign = [trace for chain in unfinished or CHAINS for trace in _traces(chain, _key_in_the_making(chain))]
    if len(unfinished) < len(CHAINS):
        # The first chain's beginning ends after the last chain's key was made.
        foreign += [f"no key of {chain} in the making" for chain in unfinished if _key_in_the_making(chain) is None]
    if foreign:
        raise AlreadyInitialised(", ".join(foreign))
    return unfinished


def _is_begun(chain: str) -> bool:
    return (
        LedgerOrigin.objects.filter(chain=chain).exists()
        and CheckpointRow.objects.filter(chain=chain).exists()
        and not _making_path(chain).exists()
    )


def _traces(chain: str, beginner: Signer | None) -> list[str]:
    """What there is of a chain, in words, besides what a beginning with this key leaves when it is broken off."""
    empty = beginner and sign_checkpoint(0, EMPTY_ROOT, beginner).note
    tiles = chain_tiles(chain)
    origins = LedgerOrigin.objects.filter(chain=chain).exclude(vkey=beginner.vkey if beginner else "")
    notes = [bytes(note) for note in CheckpointRow.objects.filter(chain=chain).values_list("note", flat=True)[:2]]
    published = tiles.published()
    found = {
        f"the key {key_path(chain)}": key_path(chain).exists(),
        f"tiles in {chain_folder(chain)}": not tiles.empty(),
        # The row comes first: a file without one is another database's.
        f"a published checkpoint in {chain_folder(chain)}": published is not None and (published != empty or not notes),
        f"an origin of {chain} in the database": origins.exists(),
        f"checkpoints of {chain} in the database": any(note != empty for note in notes),
        f"events of {chain} in the database": Event.objects.filter(chain=chain).exists(),
    }
    return [name for name, exists in found.items() if exists]


def _making_path(chain: str) -> Path:
    return key_path(chain).with_name(f"{key_path(chain).name}.beginning")


def _key_in_the_making(chain: str) -> Signer | None:
    """The key that a beginning left, None where it left none, or was cut while it wrote one: that has signed nothing."""
    try:
        return parse_signer(durable.read(_making_path(chain)).decode().strip())
    except (FileNotFoundError, ValueError):
        return None


def _signers(chains: Iterable[str]) -> dict[str, Signer]:
    """A signer for each of these chains, all durable before the first signs: what was left, or a new one of the same name."""
    left = {chain: _key_in_the_making(chain) for chain in chains}
    names = [signer.name for signer in left.values() if signer]
    base = _base(names)
    return {chain: signer or _make_key(chain, f"{base}/{chain}") for chain, signer in left.items()}


def _base(names: Iterable[str]) -> str:
    """What both origins begin with: as a beginning called it that was broken off, else as the settings ask, else something made up."""
    asked = settings.LEDGER_ORIGIN
    for name in names:
        base, _, _ = name.rpartition("/")
        if asked and base != asked:
            raise OriginChanged(f"LEDGER_ORIGIN asks for {asked}, what was begun here is called {base}")
        return base
    return asked or f"demo-{secrets.token_hex(6)}.yirong.invalid"


def _make_key(chain: str, name: str) -> Signer:
    signer = generate_signer(name)
    _making_path(chain).unlink(missing_ok=True)
    durable.create_secret(_making_path(chain), signer.skey.encode() + b"\n")
    return signer


def _begin(chain: str, signer: Signer) -> None:
    """Steps 2 to 4 of a chain, each left out if it was done before."""
    checkpoints, tiles = Checkpoints(chain), chain_tiles(chain)
    log = Log(Journal(chain), checkpoints, tiles, signer)
    if checkpoints.latest() is None:
        try:
            with transaction.atomic():
                LedgerOrigin.objects.create(chain=chain, origin=signer.name, vkey=signer.vkey)
                DrainLease.objects.get_or_create(chain=chain)
                log.init()
        except IntegrityError as error:
            raise AlreadyInitialised(f"somebody else began {chain} in the same database") from error
    log.publish_latest()
    durable.rename(_making_path(chain), key_path(chain))
