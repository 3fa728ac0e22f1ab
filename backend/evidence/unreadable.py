"""Rows that were rewritten so that they cannot even be read: SQLite keeps a text where a number belongs, and says so only when it is read."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import models

# What reading or showing a value raises that is not of its kind.
UNREADABLE = (
    ValueError,
    TypeError,
    ArithmeticError,
    LookupError,
    AttributeError,
    ObjectDoesNotExist,
    ValidationError,
)


@dataclass(frozen=True)
class Unreadable:
    """Stands for a row that cannot be read, with the columns that are to blame: `unit_price`, `lines.quantity`."""

    pk: UUID
    columns: tuple[str, ...]


def read_each(rows: models.QuerySet[Any], lists: Collection[str] = ()) -> list[Any]:
    """The rows, with an Unreadable for each that cannot be read. `lists`: the relations that are fetched with them."""
    try:
        return list(rows)
    except UNREADABLE:
        pks = list(rows.prefetch_related(None).values_list("pk", flat=True))
        return [_read(rows, pk, lists) for pk in pks]


def _read(rows: models.QuerySet[Any], pk: UUID, lists: Collection[str]) -> Any:
    try:
        return rows.get(pk=pk)
    except UNREADABLE:
        return Unreadable(pk, tuple(_unreadable_columns(rows.model, pk, lists)))


def _unreadable_columns(model: type[models.Model], pk: UUID, lists: Collection[str]) -> Iterator[str]:
    yield from _failing(model._default_manager.filter(pk=pk))
    for path in lists:
        name = path.partition("__")[0]
        relation: Any = model._meta.get_field(name)
        for column in _failing(relation.related_model._default_manager.filter(**{relation.field.name: pk})):
            yield f"{name}.{column}"


def _failing(rows: models.QuerySet[Any]) -> Iterator[str]:
    for column in rows.model._meta.concrete_fields:
        try:
            list(rows.values_list(column.attname))
        except UNREADABLE:
            yield column.name


def blamed_columns(row: models.Model, lists: Collection[str] = ()) -> list[str]:
    """The columns of a row that was read whose values are not of their kind: nothing where something must be, a text for a number."""
    found = _ill_fitting(row)
    for path in lists:
        name = path.partition("__")[0]
        for at, line in enumerate(getattr(row, name).all()):
            found += [f"{name}.{at}.{column}" for column in _ill_fitting(line)]
    return found


def _ill_fitting(row: models.Model) -> list[str]:
    columns = [column for column in row._meta.concrete_fields if not column.is_relation]
    return [column.name for column in columns if not _fits(column, getattr(row, column.attname), row)]


def _fits(column: Any, value: Any, row: models.Model) -> bool:
    if isinstance(value, float) and not isfinite(value):
        return False
    if isinstance(column, models.BinaryField) and isinstance(value, str):
        return False
    try:
        column.clean(value, row)
    except UNREADABLE:
        return False
    return True
