"""What vouchers can be attached to. The rooms above register their documents in `ready()`; who may see one is theirs to say."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from backend.core.errors import NotFound
from backend.core.events import Actor
from backend.core.ids import PREFIXES, from_typeid, typed


@dataclass(frozen=True)
class Subject:
    """A document as its room shows it to an actor: its order, and who may be told about it.

    `told`: what a party is told of instead of the document's order, by organisation, where not all may open that one.
    `may_attach`: whether the actor may add to it. `unseen`: kinds of vouchers that are not shown to the actor.
    """

    id: UUID
    order_id: UUID | None
    audience: tuple[UUID, ...]
    may_attach: bool = True
    type: str = field(default="", compare=False)
    unseen: tuple[str, ...] = ()
    told: Mapping[UUID, Mapping[str, UUID | None]] = field(default_factory=dict, compare=False)


Resolve = Callable[[Actor, UUID], Subject]
_kinds: dict[str, tuple[str, Resolve]] = {}


def register(kind: str, *, prefix: str, resolve: Resolve) -> None:
    """Registers a kind of document: `resolve(actor, id)` gives its Subject, or raises NotFound to whom it is not shown."""
    _kinds[kind] = (prefix, resolve)


def find(by: Actor, text: str) -> Subject:
    """The document that a TypeID names. Raises NotFound: no such kind, not there, or not the actor's to see."""
    prefix = text.partition("_")[0]
    for kind, (own_prefix, _) in _kinds.items():
        if own_prefix == prefix:
            return resolve(by, kind, from_typeid(prefix, text))
    raise NotFound()


def resolve(by: Actor, kind: str, subject_id: UUID) -> Subject:
    """As `find`, by kind and id."""
    if kind not in _kinds:
        raise NotFound()
    found = _kinds[kind][1](by, subject_id)
    return replace(found, type=kind)


def typed_subject(kind: str, subject_id: UUID) -> str:
    """The document's TypeID; its plain UUID for a kind that has none."""
    return typed(kind, subject_id) if kind in PREFIXES else str(subject_id)
