"""What an audit finds."""

import dataclasses
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Fault:
    """One thing that is not as the ledger says. `row` is `model id`, `field` the path in it that differs.

    `expected` is what the ledger vouches for, `found` what the database says: confidential, shown only to who may see the document.
    """

    code: str
    row: str
    field: str = ""
    detail: str = ""
    event: UUID | None = None
    index: int | None = None
    expected: Any = dataclasses.field(default=None, repr=False)
    found: Any = dataclasses.field(default=None, repr=False)

    def __str__(self) -> str:
        place = f"{self.row} {self.field}".strip()
        return f"{self.code}: {place}" + (f" ({self.detail})" if self.detail else "")
