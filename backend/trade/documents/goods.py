"""Documents in the form that is hashed, signed and shown: built from the rows, the same each time, keys and decimals as the wire has them."""

import hashlib
import unicodedata
from collections.abc import Iterable
from typing import Any

from backend.core import clock
from backend.core.errors import RuleBroken
from backend.core.ids import typed
from backend.core.money import coordinate_text, money_text, quantity_text
from backend.ledger import canonical
from backend.parties.models import Organisation
from backend.trade.models import Despatch, OrderLine, PurchaseOrder, Receipt, ReceiptLine

Document = dict[str, Any]
INVISIBLE = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")


def number_key(number: str) -> str:
    """Numbers of documents are compared as NFKC, upper case, trimmed; nothing else is stripped."""
    return unicodedata.normalize("NFKC", number).upper().strip()


def document_number(number: str, *, field: str, limit: int) -> tuple[str, str]:
    """A document's number as it is shown, and its key. Raises RuleBroken when either is too long, or holds what nobody sees."""
    shown, key = number.strip(), number_key(number)
    if not key or max(len(shown), len(key)) > limit:
        raise RuleBroken(f"A number has 1 to {limit} characters.", field=field)
    if any(unicodedata.category(character) in INVISIBLE for character in number):
        raise RuleBroken("A number holds characters that cannot be seen.", field=field)
    return shown, key


def digest(document: Document) -> str:
    """SHA-256 of the document's canonical JSON (RFC 8785), lower-case hexadecimal."""
    return hashlib.sha256(canonical.dumps(document)).hexdigest()


def whole_metres(distance_m: float | None) -> int | None:
    """A distance as documents carry it."""
    return None if distance_m is None else round(distance_m)


def party(organisation: Organisation) -> dict[str, str]:
    """A firm as documents name it."""
    return {"uscc": organisation.uscc, "name": organisation.name}


def _ship_to(order: PurchaseOrder) -> Document:
    return {
        "name": order.ship_to_name,
        "address": order.ship_to_address,
        "latitude": coordinate_text(order.latitude),
        "longitude": coordinate_text(order.longitude),
        "radius_m": order.radius_m,
    }


def order_key(order: PurchaseOrder, version: int | None = None) -> Document:
    """By what the world knows an order: the buyer's code, the number, the version (the present one unless another is named)."""
    return {
        "buyer_uscc": order.buyer.uscc,
        "order_no": order.order_no,
        "version": order.version if version is None else version,
    }


def order_line_document(line: OrderLine) -> Document:
    """One line of a purchase order."""
    return {
        "line_id": line.line_id,
        "item_code": line.item_code,
        "item_name": line.item_name,
        "quantity": quantity_text(line.quantity),
        "unit": line.unit,
        "unit_price": line.unit_price,
        "tax_rate": line.tax_rate,
        "tolerance_pct": line.tolerance_pct,
        "amount": money_text(line.amount_fen),
    } | _bought_for(line)


def _bought_for(line: OrderLine) -> Document:
    """Back-to-back: which line of which order this one is bought for, where it is for one."""
    if line.fulfils is None:
        return {}
    return {"fulfils": {"order": typed("order", line.fulfils.order_id), "line_id": line.fulfils.line_id}}


def order_document(order: PurchaseOrder) -> Document:
    """The purchase order. Queries its lines and parties unless they were fetched."""
    return {
        "type": "order",
        "id": typed("order", order.id),
        "version": order.version,
        "order_no": order.order_no,
        "buyer": party(order.buyer),
        "seller": party(order.seller),
        "currency": order.currency,
        "issue_date": order.issue_date.isoformat(),
        "lines": [order_line_document(line) for line in order.lines.all()],
        "total": money_text(order.total_fen),
        "ship_to": _ship_to(order),
        "payment_terms": {"days": order.payment_days, "from": order.payment_from},
        "contract_no": order.contract_no,
        "funder_disclosure": order.funder_disclosure,
    }


def despatch_document(despatch: Despatch) -> Document:
    """The despatch advice, as its receiver signs for it; it carries no price, and nothing of an order below the receiver's."""
    order = despatch.receiving_order
    return {
        "type": "despatch",
        "id": typed("despatch", despatch.id),
        "version": despatch.version,
        "despatch_no": despatch.despatch_no,
        "order": order_key(order, despatch.receiving_version),
        "seller": party(order.seller),
        "despatch_party": party(despatch.seller),
        "carrier": party(despatch.carrier) if despatch.carrier else None,
        "plate_no": despatch.plate_no,
        "waybill_no": despatch.waybill_no,
        "packages": despatch.packages,
        "lines": [
            {
                "despatch_line": line.despatch_line,
                "order_line": line.receiving_line.line_id,
                "item_name": line.receiving_line.item_name,
                "quantity": quantity_text(line.quantity),
                "unit": line.receiving_line.unit,
                "lot": line.lot,
                "production_no": line.production.production_no if line.production else "",
            }
            for line in despatch.lines.all()
        ],
        "ship_to": _ship_to(order),
        "despatched_at": clock.rfc3339(despatch.despatched_at),
    }


def despatch_supply(despatch: Despatch) -> Document:
    """Under which order the goods were sent off, line by line: what the receiver does not see of goods that come directly from further down."""
    return {
        "order": order_key(despatch.order, despatch.order_version),
        "lines": [
            {"despatch_line": line.despatch_line, "order_line": line.order_line.line_id}
            for line in despatch.lines.all()
        ],
    }


def receipt_lines(lines: Iterable[ReceiptLine]) -> list[Document]:
    """The counts, line by line, with the keys that were signed."""
    return [
        {
            "despatch_line": line.despatch_line.despatch_line,
            "received_quantity": quantity_text(line.received_quantity),
            "accepted_quantity": quantity_text(line.accepted_quantity),
            "short_quantity": quantity_text(line.short_quantity),
            "rejected_quantity": quantity_text(line.rejected_quantity),
            "reject_reason": line.reject_reason,
            "oversupply_quantity": quantity_text(line.oversupply_quantity),
        }
        for line in lines
    ]


def receipt_document(receipt: Receipt, lines: Iterable[ReceiptLine] | None = None) -> Document:
    """The receipt advice: what was counted, by whom, for how much: what both parties may see."""
    return {
        "type": "receipt",
        "id": typed("receipt", receipt.id),
        "version": receipt.version,
        "receipt_no": receipt.receipt_no,
        "order": order_key(receipt.order, receipt.despatch.order_version),
        "despatch": {
            "id": typed("despatch", receipt.despatch.id),
            "version": receipt.despatch.version,
            "despatch_no": receipt.despatch.despatch_no,
        },
        "buyer": party(receipt.organisation),
        "signer_member": typed("member", receipt.signer_member_id),
        "assurance": receipt.assurance,
        "state": receipt.state,
        "lines": receipt_lines(receipt.lines.all() if lines is None else lines),
        "total": {"amount": money_text(receipt.total_fen), "currency": receipt.order.currency},
        "captured_at": clock.rfc3339(receipt.captured_at),
        "signed_at": clock.rfc3339(receipt.signed_at),
    }


def receipt_circumstances(receipt: Receipt) -> Document:
    """On which device and how far from the address a receipt was signed: the signer's own side may see it, the other side a band."""
    return {
        "device": typed("device", receipt.device_id),
        "location_given": receipt.location_given,
        "precision_class": receipt.precision_class,
        "datum": receipt.datum,
        "accuracy_m": receipt.accuracy_m,
        "age_s": receipt.age_s,
        "distance_m": whole_metres(receipt.distance_m),
        "within": receipt.within,
        "simulated": receipt.simulated,
    }
