"""Documents in the form that is hashed, signed and shown: built from the rows, the same each time, keys and decimals as the wire has them."""

from backend.trade.documents.goods import (
    INVISIBLE,
    Document,
    despatch_document,
    digest,
    document_number,
    number_key,
    order_document,
    order_key,
    receipt_circumstances,
    receipt_document,
    receipt_lines,
    whole_metres,
)

__all__ = [
    "INVISIBLE",
    "Document",
    "despatch_document",
    "digest",
    "document_number",
    "number_key",
    "order_document",
    "order_key",
    "receipt_circumstances",
    "receipt_document",
    "receipt_lines",
    "whole_metres",
]
