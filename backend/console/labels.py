"""What codes are called on screen, and in which tone: one table each."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

Tone = str  # "", "good", "wait" or "bad"

ORDER_STATES = {
    "ISSUED": (_("Awaiting the buyer's signature"), "wait"),
    "BUYER_SIGNED": (_("Awaiting the seller's confirmation"), "wait"),
    "CONFIRMED": (_("Confirmed"), "good"),
    "PART_DELIVERED": (_("Partly delivered"), "good"),
    "DELIVERED": (_("Delivered"), "good"),
    "AMENDING": (_("A change awaits an answer"), "wait"),
    "REJECTED": (_("Rejected"), "bad"),
    "CANCELLED": (_("Cancelled"), ""),
}
DESPATCH_STATES = {
    "DESPATCHED": (_("Despatched"), "wait"),
    "IN_TRANSIT": (_("On the way"), "wait"),
    "ARRIVED": (_("Arrived"), "wait"),
    "RECEIVED": (_("Received"), "good"),
    "PART_RECEIVED": (_("Partly received"), "good"),
    "RETURNED": (_("Returned"), "bad"),
}
RECEIPT_STATES = {
    "SIGNED": (_("Signed in full"), "good"),
    "SIGNED_WITH_EXCEPTION": (_("Signed with exceptions"), "wait"),
    "REJECTED": (_("Refused"), "bad"),
}
PRODUCTION_STATES = {
    "PLANNED": (_("Planned"), "wait"),
    "STARTED": (_("In production"), "wait"),
    "PRODUCED": (_("Produced, to be inspected"), "wait"),
    "QC_PASSED": (_("Passed inspection"), "good"),
    "QC_FAILED": (_("Failed inspection"), "bad"),
    "CLOSED": (_("Closed"), ""),
    "CANCELLED": (_("Cancelled"), ""),
}
AMENDMENT_STATES = {
    "PROPOSED": (_("Awaiting an answer"), "wait"),
    "AGREED": (_("Agreed"), "good"),
    "REFUSED": (_("Refused"), "bad"),
    "WITHDRAWN": (_("Taken back"), ""),
}
ALERT_STATES = {
    "NEW": (_("New"), "bad"),
    "ACKED": (_("Acknowledged"), "good"),
    "CLOSED": (_("Closed"), ""),
}
ORGANISATION_STATES = {
    "CLAIMED": (_("Claimed"), "wait"),
    "VERIFIED": (_("Verified"), "good"),
}
INVITATION_STATES = {
    "open": (_("Open"), "wait"),
    "accepted": (_("Accepted"), "good"),
    "withdrawn": (_("Withdrawn"), ""),
    "guessed": (_("Closed: too many wrong codes"), "bad"),
    "expired": (_("Expired"), ""),
}
DELEGATION_STATES = {
    "holds": (_("Holds"), "good"),
    "later": (_("Not yet"), "wait"),
    "over": (_("Over"), ""),
    "revoked": (_("Revoked"), "bad"),
}
STATES = {
    "order": ORDER_STATES,
    "amendment": AMENDMENT_STATES,
    "production": PRODUCTION_STATES,
    "despatch": DESPATCH_STATES,
    "receipt": RECEIPT_STATES,
    "alert": ALERT_STATES,
    "organisation": ORGANISATION_STATES,
    "invitation": INVITATION_STATES,
    "delegation": DELEGATION_STATES,
}

ROLES = {
    "maker": _("Maker"),
    "checker": _("Checker"),
    "signer": _("Signer"),
    "viewer": _("Viewer"),
    "driver": _("Driver"),
    "risk_officer": _("Risk officer"),
    "admin": _("Administrator"),
}
KINDS = {
    "BUYER": _("Buyer"),
    "SELLER": _("Seller"),
    "FACTORY": _("Factory"),
    "CARRIER": _("Carrier"),
    "FUNDER": _("Funder"),
    "OPERATOR": _("Operator"),
    "AUDITOR": _("Auditor"),
}
METHODS = {
    "business_licence": _("Business licence and authorisation letter"),
    "bank_transfer": _("Small sum from the company's bank account"),
    "company_seal": _("Company seal certificate (CA)"),
    "demonstration": _("Demonstration"),
}
DELEGATED = {
    "order": _("Orders"),
    "amendment": _("Amendments of orders"),
    "receipt": _("Receipts"),
    "invoice": _("Invoices"),
    "credit_note": _("Credit notes"),
    "dispute": _("Disputes"),
}

# UN/ECE Recommendation 20, the units a seller of goods meets most.
UNITS = {
    "H87": pgettext_lazy("unit", "pieces"),
    "EA": pgettext_lazy("unit", "pieces"),
    "C62": pgettext_lazy("unit", "pieces"),
    "PCE": pgettext_lazy("unit", "pieces"),
    "CT": pgettext_lazy("unit", "cartons"),
    "BX": pgettext_lazy("unit", "boxes"),
    "SET": pgettext_lazy("unit", "sets"),
    "PR": pgettext_lazy("unit", "pairs"),
    "KGM": pgettext_lazy("unit", "kg"),
    "TNE": pgettext_lazy("unit", "tonnes"),
    "MTR": pgettext_lazy("unit", "metres"),
    "MTK": pgettext_lazy("unit", "square metres"),
    "MTQ": pgettext_lazy("unit", "cubic metres"),
    "LTR": pgettext_lazy("unit", "litres"),
}
# Those that the order form offers: one for each word.
OFFERED_UNITS = ("H87", "SET", "PR", "CT", "BX", "KGM", "TNE", "MTR", "MTK", "MTQ", "LTR")
REJECT_REASONS = {
    "DAMAGED": _("damaged"),
    "WRONG_ITEM": _("wrong item"),
    "QUALITY": _("quality"),
    "EXPIRED": _("expired"),
    "OTHER": _("other reason"),
}
VOUCHER_KINDS = {
    "contract": _("Contract"),
    "stamped_delivery_note": _("Stamped delivery note"),
    "weighbridge_ticket": _("Weighbridge ticket"),
    "quality_report": _("Quality report"),
    "invoice": _("Invoice"),
    "photo": _("Photo"),
    "signature": _("Drawn signature"),
    "delivery_document": _("Delivery document"),
    "other": _("Other document"),
}
VOUCHER_SOURCES = {"camera": _("camera"), "album": _("album"), "file": _("file")}
DISCLOSURE = {
    "allowed": _("Funders may see this order"),
    "ask_buyer": _("Funders ask the buyer first"),
    "forbidden": _("No funder may see this order"),
}
PAYMENT_FROM = {"receipt": _("after receipt"), "invoice": _("after the invoice")}
ASSURANCE = {
    "L0": _("L0: no proof of who"),
    "L1": _("L1: a password alone, or no place"),
    "L2": _("L2: key in the phone's storage"),
    "L3": _("L3: key in the phone's secure hardware"),
    "L4": _("L4: certificate of a licensed authority"),
}
SEVERITIES = {
    "P1": _("Block and act at once (within 15 minutes)"),
    "P2": _("Hold for review (within 4 hours)"),
    "P3": _("Review (within a day)"),
    "P4": _("For the record"),
}
PRECISION = {"precise": _("precise"), "fuzzy": _("coarse"), "chosen": _("chosen on a map")}

# What the services say no with, in words for a person; a code that is not here speaks with its own detail.
REFUSALS = {
    "number-taken": _("This buyer has an order of that number already."),
    "rule-broken": _("A rule of the trade forbids this."),
    "not-found": _("That firm is not known here."),
    "wrong-state": _("Somebody was faster: this is no longer open."),
    "uscc-invalid": _("Not a valid unified social credit code: 18 characters, the last a check digit."),
    "uscc-verified": _("Another organisation is verified under this code."),
    "verified-before": _("This organisation is verified already."),
    "not-verified": _("This organisation is not verified."),
    "last-administrator": _("An organisation keeps at least one administrator. Make somebody else one first."),
    "first-administrator": _("This organisation has an administrator: they invite their own people."),
    "invitation-invalid": _("This code is wrong, or no longer valid. Check it, or ask for a new one."),
    "invitation-ended": _("This invitation was accepted or withdrawn before."),
    "username-taken": _("Somebody else has this user name."),
    "password-weak": _("Too easy to guess: 12 characters or more, and not a common password."),
}

# The values that rules compare.
FACTS = {
    "distance_m": _("Distance to the address"),
    "radius_m": _("Agreed radius"),
    "parties": _("Parties on one handset"),
    "buyer": _("Acted for the buyer"),
    "seller": _("Acted for the seller"),
    "failures": _("Refused sign-ins in ten minutes"),
}
SUBJECTS = {
    "receipt": _("Receipt"),
    "device": _("Handset"),
    "person": _("Person"),
    "source": _("Network source"),
}

# Events of a trace.
EVENTS = {
    "order.issued": _("Order issued"),
    "order.signed": _("Order signed by the buyer"),
    "order.confirmed": _("Order confirmed by the seller"),
    "order.rejected": _("Order rejected"),
    "order.withdrawn": _("Order taken back by who issued it"),
    "order.amended": _("Order changed, signed by both"),
    "order.cancelled": _("Order cancelled, signed by both"),
    "amendment.proposed": _("Change of the order proposed"),
    "amendment.refused": _("Change refused"),
    "amendment.withdrawn": _("Change taken back"),
    "production.planned": _("Production planned"),
    "production.started": _("Production started"),
    "production.produced": _("Lot produced"),
    "production.tested": _("Lot inspected"),
    "production.closed": _("Production closed"),
    "production.cancelled": _("Production cancelled"),
    "despatch.despatched": _("Goods despatched"),
    "despatch.milestone": _("Reported by the driver"),
    "receipt.signed": _("Delivery signed for"),
    "voucher.attached": _("Vouchers attached"),
}

MILESTONES = {
    "PICKED_UP": _("Picked up, the driver reports"),
    "ARRIVED": _("Arrived, the driver reports"),
}

# Who follows the events.
READERS = {"risk": _("Risk rules")}

# What the audit finds.
FAULTS = {
    "row-changed": _("changed after it was recorded"),
    "row-missing": _("was removed from the database"),
    "row-unknown": _("no event of the ledger speaks of it"),
    "event-changed": _("the record of the event was changed"),
    "leaf-changed": _("the record of the event is not what the ledger holds"),
    "index-changed": _("the event no longer stands where the ledger has it"),
    "section-changed": _("the sealed content was changed"),
    "section-missing": _("the sealed content was removed"),
    "section-unknown": _("sealed content was added that the ledger does not know"),
    "section-erased": _("the sealed content was erased and can no longer be compared"),
    "events-missing": _("the ledger holds events that the database has lost"),
    "event-missing": _("an event that the ledger holds is gone from the database"),
    "ledger-unreadable": _("the ledger cannot be read"),
    "key-changed": _("the ledger's key is another"),
}
# Why a chain of the ledger signs nothing.
LEDGER_REFUSALS = {
    "not-initialised": _("it was never begun in this database"),
    "origin-changed": _("settings, database and key name different ledgers"),
    "key-missing": _("its signing key is gone"),
    "key-invalid": _("its signing key is damaged"),
    "disk-failed": _("one of its files cannot be read or written"),
    "published-larger": _("more was published than the database holds, which is therefore an old copy"),
    "published-forked": _("what was published and the database disagree"),
    "published-unreadable": _("its published checkpoint is damaged, or bears another key's signature"),
    "checkpoint-wrong": _("the newest checkpoint in the database is damaged"),
    "right-edge-missing": _("files of the published ledger are missing"),
    "right-edge-wrong": _("files of the published ledger are damaged"),
    "rewritten": _("something was about to replace entries that are settled"),
    "journal-wrong": _("events were removed from the database, or cannot be entries"),
}
CHAINS = {"supply": _("Supply chain"), "asset": _("Asset chain")}
ROWS = {
    "trade.PurchaseOrder": _("Order"),
    "trade.Despatch": _("Despatch"),
    "trade.Receipt": _("Receipt"),
    "trade.Signature": _("Signature"),
    "trade.Milestone": _("Driver's report"),
    "trade.OrderAmendment": _("Change of an order"),
    "trade.ProductionOrder": _("Production order"),
    "trade.DocumentVersion": _("Version of a document"),
    "evidence.Voucher": _("Voucher"),
    "core.Event": _("Event"),
    "ledger": _("Ledger"),
    "chain": _("Ledger"),
}
FIELDS = {
    "lines": _("line"),
    "document": _("document"),
    "version": _("version"),
    "state": _("State"),
    "reason": _("reason"),
    "rejection_reason": _("reason of rejection"),
    "refusal_reason": _("reason of refusal"),
    "cancellation_reason": _("reason of cancellation"),
    "order_no": _("Order number"),
    "quantity": _("Quantity"),
    "unit": _("Unit"),
    "unit_price": _("unit price"),
    "tax_rate": _("tax rate"),
    "tolerance_pct": _("tolerance"),
    "production_no": _("Production number"),
    "lot": _("lot"),
    "gtin": _("trade item number"),
    "planned_quantity": _("planned quantity"),
    "produced_quantity": _("produced quantity"),
    "passed_quantity": _("quantity that passed"),
    "started_at": _("start"),
    "finished_at": _("end"),
    "tested_at": _("time of inspection"),
    "item_name": _("item"),
    "item_code": _("item code"),
    "amount": _("Amount"),
    "total": _("total"),
    "ship_to": _("address of delivery"),
    "name": _("name"),
    "address": _("Address"),
    "latitude": _("latitude"),
    "longitude": _("longitude"),
    "radius_m": _("radius"),
    "payment_terms": _("payment terms"),
    "buyer": _("Buyer"),
    "seller": _("Seller"),
    "carrier": _("Carrier"),
    "accepted_quantity": _("accepted quantity"),
    "received_quantity": _("received quantity"),
    "short_quantity": _("short quantity"),
    "rejected_quantity": _("rejected quantity"),
    "oversupply_quantity": _("oversupply"),
    "reject_reason": _("reason of rejection"),
    "place": _("place"),
    "distance_m": _("distance"),
    "signed_at": _("time of signing"),
    "captured_at": _("time on the phone"),
    "assurance": _("assurance"),
    "device": _("Handset"),
    "member": _("signer"),
    "signer_member": _("signer"),
    "time": _("time"),
    "leaf": _("ledger entry"),
    "index": _("number in the ledger"),
    "sha256": _("digest of the file"),
    "filename": _("file name"),
}
