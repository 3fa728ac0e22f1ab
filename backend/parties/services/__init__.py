"""Writes of this room: signing in and out, enrolment, consent, revocation."""

from backend.parties.services.consent import record_consent
from backend.parties.services.console import open_console_session, sign_in_console, sign_out_console
from backend.parties.services.enrolment import add_site, create_organisation, enrol_member, verify_organisation
from backend.parties.services.refusals import anchor_refusals
from backend.parties.services.revocation import end_session, revoke_device, revoke_member
from backend.parties.services.sign_in import DeviceClaim, SignedIn, sign_in

__all__ = [
    "DeviceClaim",
    "SignedIn",
    "add_site",
    "anchor_refusals",
    "create_organisation",
    "end_session",
    "enrol_member",
    "open_console_session",
    "record_consent",
    "revoke_device",
    "revoke_member",
    "sign_in",
    "sign_in_console",
    "sign_out_console",
    "verify_organisation",
]
