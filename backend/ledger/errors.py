"""Everything that can be wrong, by name.

Four families. Fatal: what is stored contradicts itself, a person must look and nothing is signed until then. Retryable:
nothing is lost, the same call works later. Invalid: bytes from outside are not what they claim to be. Fault: the first
thing that a verification of a whole folder found. `code` is the stable name that a program or a person can look up.
"""

from __future__ import annotations

from typing import ClassVar


class LedgerError(Exception):
    """The root of all errors of the ledger. `code` names the kind, the text names the thing."""

    code: ClassVar[str] = "ledger-error"

    def __str__(self) -> str:
        detail = super().__str__()
        return f"{self.code}: {detail}" if detail else self.code


class Fatal(LedgerError):
    """What is stored does not fit together. Sign nothing; a person must look."""


class NotInitialised(Fatal):
    """There is no committed checkpoint at all: never initialised, or the database is another one."""

    code = "not-initialised"


class AlreadyInitialised(Fatal):
    """A checkpoint, a tile or a published file is there already; a second beginning would be a fork."""

    code = "already-initialised"


class PublishedLarger(Fatal):
    """The world has seen a larger tree than the table holds: the table is an old copy."""

    code = "published-larger"


class PublishedForked(Fatal):
    """The published checkpoint and the committed tree disagree about a root."""

    code = "published-forked"


class PublishedUnreadable(Fatal):
    """The published file is damaged, or is not signed by this log's key."""

    code = "published-unreadable"


class CheckpointWrong(Fatal):
    """The newest checkpoint in the table is damaged, or belongs to another origin or key."""

    code = "checkpoint-wrong"


class RightEdgeMissing(Fatal):
    """A file on the right edge of the committed tree is not there."""

    code = "right-edge-missing"


class RightEdgeWrong(Fatal):
    """The right edge of the tree does not give the committed root."""

    code = "right-edge-wrong"


class Rewritten(Fatal):
    """Other bytes were about to replace a file that lies wholly below the committed size."""

    code = "rewritten"


class JournalWrong(Fatal):
    """The journal handed out too many entries, or one that no bundle can hold."""

    code = "journal-wrong"


class Retryable(LedgerError):
    """Nothing is lost; call again later."""


class Stale(Retryable):
    """Somebody else committed first: the checkpoint to build on is no longer the newest."""

    code = "stale"


class OutcomeUnknown(Retryable):
    """The commit failed, and reading the table again did not show the new checkpoint."""

    code = "outcome-unknown"


class TileMissing(LedgerError):
    """No such file."""

    code = "tile-missing"


class Invalid(LedgerError, ValueError):
    """Bytes from outside are not what they claim to be."""

    code = "invalid"


class KeyInvalid(Invalid):
    """Not a usable signer or verifier key."""

    code = "key-invalid"


class NoteInvalid(Invalid):
    """Malformed, not signed by a known key, or a known key's signature is bad."""

    code = "note-invalid"


class CheckpointInvalid(Invalid):
    """The text of the note is not a checkpoint of the expected origin."""

    code = "checkpoint-invalid"


class TileInvalid(Invalid):
    """A tile or an entry bundle does not have the shape that its path promises."""

    code = "tile-invalid"


class ProofInvalid(Invalid):
    """The proof is malformed, or does not lead from the entry to the signed root."""

    code = "proof-invalid"


class NotCanonical(Invalid):
    """A value that has no canonical form here, or bytes that are not in canonical form."""

    code = "not-canonical"


class LeafInvalid(Invalid):
    """The entry is not an event of this ledger, or cannot become one."""

    code = "leaf-invalid"


class SectionMismatch(Invalid):
    """The disclosed section and salt do not give the commitment that the leaf holds."""

    code = "section-mismatch"


class PolicyInvalid(Invalid):
    """The policy file is malformed, or asks for what this version does not know."""

    code = "policy-invalid"


class Fault(LedgerError):
    """The first thing that a verification of the whole folder found wrong."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.name = code

    def __str__(self) -> str:
        return f"{self.name}: {self.args[0]}"
