"""This room's events. `voucher.attached` has the sections `document` and `capture`; payload: voucher, order, and the document by its kind."""

VOUCHER_ATTACHED = "voucher.attached"
