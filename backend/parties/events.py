"""What this room tells the others. All but SESSION_REFUSED are anchored on the supply chain.

payload (ids as text):
    SESSION_OPENED    session (its id; for a console sign-in the login record's), person, member, organisation, device (phone only),
                      login, channel `phone` or `console`, new_device
    SESSION_REFUSED   login, source (keyed hash), code, channel, and person, member, organisation, device where they are known
    SESSION_REFUSALS  window, source, started_at, count
    DEVICE_*          device, person, member, organisation
    MEMBER_REVOKED    member, person, organisation
    CONSENT_*         consent, person, member, organisation, purpose
"""

SESSION_OPENED = "session.opened"
SESSION_REFUSED = "session.refused"
SESSION_REFUSALS = "session.refusals"
DEVICE_REGISTERED = "device.registered"
DEVICE_REVOKED = "device.revoked"
MEMBER_REVOKED = "member.revoked"
CONSENT_GIVEN = "consent.given"
CONSENT_WITHDRAWN = "consent.withdrawn"
