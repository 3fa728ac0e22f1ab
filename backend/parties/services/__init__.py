"""Writes of this room: organisations and who they are, enrolment, delegation, signing in and out, consent, revocation."""

from backend.parties.services.consent import record_consent
from backend.parties.services.console import (
    join_at_console,
    open_console_session,
    sign_in_console,
    sign_out_console,
)
from backend.parties.services.delegations import grant_delegation, revoke_delegation
from backend.parties.services.enrolment import change_roles, enrol_member
from backend.parties.services.invitations import Invited, invite, withdraw_invitation
from backend.parties.services.organisations import (
    add_site,
    create_organisation,
    unverify_organisation,
    verify_organisation,
)
from backend.parties.services.refusals import anchor_refusals
from backend.parties.services.revocation import end_session, revoke_device, revoke_member
from backend.parties.services.sign_in import DeviceClaim, SignedIn, sign_in

__all__ = [
    "DeviceClaim",
    "Invited",
    "SignedIn",
    "add_site",
    "anchor_refusals",
    "change_roles",
    "create_organisation",
    "end_session",
    "enrol_member",
    "grant_delegation",
    "invite",
    "join_at_console",
    "open_console_session",
    "record_consent",
    "revoke_delegation",
    "revoke_device",
    "revoke_member",
    "sign_in",
    "sign_in_console",
    "sign_out_console",
    "unverify_organisation",
    "verify_organisation",
    "withdraw_invitation",
]
