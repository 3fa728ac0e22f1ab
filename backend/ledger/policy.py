"""The policy file: whose signatures make a checkpoint worth believing (C2SP tlog-policy, draft of 2026-06-22).

Lines of words, `#` begins a comment. `log <vkey>` names a log; `quorum none` asks for no witness. Witnesses and groups
are refused by name until this package can hold a checkpoint to them: a reader that passes over them would believe too
much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from backend.ledger.errors import KeyInvalid, PolicyInvalid
from backend.ledger.note import ED25519, Verifier, parse_verifier


@dataclass(frozen=True)
class Policy:
    """The logs that the file names, and the name of its quorum."""

    logs: tuple[Verifier, ...]
    quorum: str


def render(logs: Sequence[Verifier]) -> str:
    """The policy that trusts these logs on their own word."""
    return "".join(f"log {log.vkey}\n" for log in logs) + "quorum none\n"


def parse(text: str) -> Policy:
    """Read a policy file. Raises PolicyInvalid with the number of the line."""
    logs: list[Verifier] = []
    quorum: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        match line.partition("#")[0].replace("\t", " ").strip(" ").split():
            case []:
                continue
            case ["log", vkey] | ["log", vkey, _]:
                logs.append(_log(vkey, number))
            case ["quorum", "none"] if quorum is None:
                quorum = "none"
            case ["quorum", *_] if quorum is not None:
                raise PolicyInvalid(f"line {number}: a second quorum")
            case ["witness" | "group" as word, *_]:
                raise PolicyInvalid(f"line {number}: a {word} is not supported yet")
            case ["quorum", _]:
                raise PolicyInvalid(f"line {number}: a quorum other than none is not supported yet")
            case [word, *_]:
                raise PolicyInvalid(f"line {number}: {word[:40]} is not known or has the wrong number of words")
    if quorum is None:
        raise PolicyInvalid("no quorum")
    if len({log.public_key for log in logs}) != len(logs):
        raise PolicyInvalid("two logs share one public key")
    return Policy(tuple(logs), quorum)


def _log(vkey: str, number: int) -> Verifier:
    try:
        log = parse_verifier(vkey)
    except KeyInvalid as error:
        raise PolicyInvalid(f"line {number}: {error}") from error
    if log.kind != ED25519:
        raise PolicyInvalid(f"line {number}: a log's key is of type 0x01")
    return log
