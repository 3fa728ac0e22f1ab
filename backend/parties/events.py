"""What this room tells the others. All but SESSION_REFUSED are anchored on the supply chain.

payload (ids as text):
    SESSION_OPENED    session (its id; for a console sign-in the login record's), person, member, organisation, device (phone only),
                      login, channel `phone` or `console`, new_device
    SESSION_REFUSED   login, source (keyed hash), code, channel, and person, member, organisation, device where they are known
    SESSION_REFUSALS  window, source, started_at, count
    DEVICE_*          device, person, member, organisation
    ORGANISATION_*    organisation, and verification where one is given or taken back
    INVITATION_*      invitation, organisation
    MEMBER_ENROLLED   member, person, organisation, enrolled_by (a member; none: the server's own command), invitation where there was one
    MEMBER_*          member, person, organisation
    DELEGATION_*      delegation, organisation, from_member, to_member
    CONSENT_*         consent, person, member, organisation, purpose
"""

SESSION_OPENED = "session.opened"
SESSION_REFUSED = "session.refused"
SESSION_REFUSALS = "session.refusals"
DEVICE_REGISTERED = "device.registered"
DEVICE_REVOKED = "device.revoked"
ORGANISATION_CREATED = "organisation.created"
ORGANISATION_VERIFIED = "organisation.verified"
ORGANISATION_UNVERIFIED = "organisation.unverified"
INVITATION_ISSUED = "invitation.issued"
INVITATION_WITHDRAWN = "invitation.withdrawn"
MEMBER_ENROLLED = "member.enrolled"
MEMBER_ROLES_CHANGED = "member.roles_changed"
MEMBER_REVOKED = "member.revoked"
DELEGATION_GRANTED = "delegation.granted"
DELEGATION_REVOKED = "delegation.revoked"
CONSENT_GIVEN = "consent.given"
CONSENT_WITHDRAWN = "consent.withdrawn"
