"""The ledger on the command line, for anyone with a copy of the files: `python -m backend.ledger --help`.

Needs no framework, no settings and no database. Exit status 0 when all is well; 1 with the first fault, by name, on
standard error; 2 for a wrong command line.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from backend.ledger import durable, fsck
from backend.ledger.checkpoint import Checkpoint, parse_checkpoint, parse_size
from backend.ledger.errors import Fault, KeyInvalid, LedgerError, ProofInvalid
from backend.ledger.merkle import verify_consistency
from backend.ledger.note import encode_base64, generate_signer, parse_verifier
from backend.ledger.proof import build_proof, consistency_proof, verify_proof
from backend.ledger.tiles import FolderTiles, TileTree


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except (LedgerError, OSError, ValueError) as error:
        print(_sentence(error), file=sys.stderr)
        return 1
    return 0


def genkey(options: argparse.Namespace) -> None:
    """Write a new signer key to a file of mode 0600 and print its verifier key."""
    signer = generate_signer(options.name)
    file: Path = options.file
    for folder in file.absolute().parents:
        if (folder / "checkpoint").exists() or (folder / "tile").exists():
            raise KeyInvalid(f"{folder} is a published folder; a signer key does not belong there")
    durable.create_secret(file, signer.skey.encode() + b"\n")
    print(signer.vkey)


def prove(options: argparse.Namespace) -> None:
    """Print the receipt of one entry under the published checkpoint."""
    tiles, checkpoint = _published(options.folder)
    sys.stdout.buffer.write(build_proof(tiles, options.index, checkpoint))


def consistency(options: argparse.Namespace) -> None:
    """Print the consistency proof between two sizes, one hash a line."""
    tiles, checkpoint = _published(options.folder)
    old, new = options.old, options.new
    if new > checkpoint.size:
        raise ValueError(f"the published size is {checkpoint.size}, smaller than {new}")
    proof = consistency_proof(tiles, old, new, within=checkpoint.size)
    tree = TileTree(tiles, checkpoint.size)
    if tree.root_at(checkpoint.size) != checkpoint.root:
        raise ProofInvalid(f"the tiles do not give the root of size {checkpoint.size}")
    if not verify_consistency(old, new, proof, tree.root_at(old), tree.root_at(new)):
        raise ProofInvalid(f"the tiles of sizes {old} and {new} do not fit together")
    for digest in proof:
        print(encode_base64(digest))


def verify(options: argparse.Namespace) -> None:
    """Recompute everything from the entry bundles."""
    checkpoint = fsck.verify(FolderTiles(options.folder), parse_verifier(options.log))
    print(f"ok: {checkpoint.origin}, size {checkpoint.size}, root {encode_base64(checkpoint.root)}")


def check_receipt(options: argparse.Namespace) -> None:
    """Verify a receipt offline."""
    proof = verify_proof(durable.read(options.file), durable.read(options.entry), parse_verifier(options.log))
    print(f"ok: index {proof.index} of {proof.checkpoint.origin}, size {proof.checkpoint.size}")


def _published(folder: Path) -> tuple[FolderTiles, Checkpoint]:
    tiles = FolderTiles(folder)
    note = tiles.published()
    if note is None:
        raise Fault("checkpoint-missing", f"{folder} has no file `checkpoint`")
    return tiles, parse_checkpoint(note)


def _sentence(error: Exception) -> str:
    if isinstance(error, LedgerError):
        return str(error)
    if isinstance(error, OSError):
        return f"file: {error.filename}: {error.strerror}"
    return f"argument: {error}"


def _size(text: str) -> int:
    try:
        return parse_size(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m backend.ledger", description="Check and prove a transparency log.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("genkey", help="write a signer key, print its verifier key")
    command.add_argument("name", metavar="NAME", help="the key's name, which is the log's origin")
    command.add_argument("file", metavar="FILE", type=Path, help="a new file, readable by its owner only")
    command.set_defaults(run=genkey)

    command = commands.add_parser("prove", help="print the .tlog-proof of an entry")
    command.add_argument("folder", metavar="DIR", type=Path)
    command.add_argument("index", metavar="INDEX", type=_size)
    command.set_defaults(run=prove)

    command = commands.add_parser("consistency", help="print the hashes that lead from one size to a later one")
    command.add_argument("folder", metavar="DIR", type=Path)
    command.add_argument("old", metavar="FROM", type=_size)
    command.add_argument("new", metavar="TO", type=_size)
    command.set_defaults(run=consistency)

    command = commands.add_parser("verify", help="recompute everything from the entry bundles")
    command.add_argument("folder", metavar="DIR", type=Path)
    command.add_argument("--log", metavar="VKEY", required=True, help="the log's verifier key")
    command.set_defaults(run=verify)

    command = commands.add_parser("verify-proof", help="verify a .tlog-proof offline")
    command.add_argument("file", metavar="FILE", type=Path)
    command.add_argument("--entry", metavar="FILE", type=Path, required=True, help="the entry's bytes")
    command.add_argument("--log", metavar="VKEY", required=True, help="the log's verifier key")
    command.set_defaults(run=check_receipt)
    return parser


if __name__ == "__main__":
    sys.exit(main())
