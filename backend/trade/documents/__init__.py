"""Documents in the form that is hashed, signed and shown: built from the rows, the same each time, keys and decimals as the wire has them."""

from backend.trade.documents.amendments import (
    amended_order_document,
    amendment_document,
    line_differences,
)
from backend.trade.documents.goods import (
    INVISIBLE,
    Document,
    despatch_document,
    despatch_supply,
    digest,
    document_number,
    number_key,
    order_document,
    order_key,
    party,
    receipt_circumstances,
    receipt_document,
    receipt_lines,
    whole_metres,
)
from backend.trade.documents.productions import (
    production_document,
)

__all__ = [
    "INVISIBLE",
    "Document",
    "amended_order_document",
    "amendment_document",
    "despatch_document",
    "despatch_supply",
    "digest",
    "document_number",
    "line_differences",
    "number_key",
    "order_document",
    "order_key",
    "party",
    "production_document",
    "receipt_circumstances",
    "receipt_document",
    "receipt_lines",
    "whole_metres",
]
