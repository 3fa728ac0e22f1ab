"""Which rows the ledger vouches for: each room declares, in `ready()`, how a row's section is built again from the row.

sealed(PurchaseOrder, order_document, subject_type="order")
    the row equals the section `document` of the newest event of the subject that has one
sealed(Signature, signature_section, section="act", event_field="event_id", types={"order.signed"})
    one row stands for each event of these types, and equals that event's section
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from django.db import models


@dataclass(frozen=True)
class SealedModel:
    """What one call of `sealed` declared. `derived` names the fields that no section holds; a test compares it with the model.

    `related` and `lists` are what `build_section` reads beside the row: fetched together for many rows.
    """

    model: type[models.Model]
    build_section: Callable[[Any], dict[str, Any]]
    section: str = "document"
    subject_type: str | None = None
    event_field: str | None = None
    types: frozenset[str] = field(default_factory=frozenset)
    derived: frozenset[str] = field(default_factory=frozenset)
    related: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()

    def rows(self) -> models.QuerySet[Any]:
        """All rows, with what their sections are built from."""
        rows = self.model._default_manager.prefetch_related(*self.lists)
        return (
            rows.select_related(*self.related) if self.related else rows
        )  # without a name it would fetch all relations

    @property
    def name(self) -> str:
        return str(self.model._meta.label)


_declared: list[SealedModel] = []


def sealed(
    model: type[models.Model],
    build_section: Callable[[Any], dict[str, Any]],
    *,
    subject_type: str | None = None,
    section: str = "document",
    event_field: str | None = None,
    types: Collection[str] = (),
    derived: Collection[str] = (),
    related: tuple[str, ...] = (),
    lists: tuple[str, ...] = (),
) -> None:
    """Declares that rows of `model` are sealed: `build_section(row)` must equal a section that the ledger commits to.

    Either `subject_type` (the row is the subject, its primary key the subject's id) or `event_field` with `types` (the row belongs to one
    event). Raises ValueError for neither or both.
    """
    if (subject_type is None) == (event_field is None) or (event_field is not None and not types):
        raise ValueError("say either subject_type, or event_field and types")
    declared = SealedModel(
        model, build_section, section, subject_type, event_field, frozenset(types), frozenset(derived), related, lists
    )
    if declared not in _declared:
        _declared.append(declared)


def declared() -> tuple[SealedModel, ...]:
    """All declarations."""
    return tuple(_declared)
