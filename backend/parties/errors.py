from backend.core.errors import (
    Conflict,
    DomainError,
    Forbidden,
    NotAuthenticated,
    NotFound,
    RuleBroken,
    TooMany,
    Unavailable,
)


class CodeInvalid(NotAuthenticated):
    code, title = "code-invalid", "WeChat does not know this sign-in code"


class CodeUsed(NotAuthenticated):
    code, title = "code-used", "This sign-in code was used before"


class WeChatBusy(Unavailable):
    code, title = "wechat-busy", "WeChat does not answer; try again in a moment"


class WeChatRefusesServer(Unavailable):
    code, title = (
        "wechat-refuses-server",
        "WeChat does not accept this server's AppID or secret; its operator must mend that",
    )


class WeChatRateLimited(TooMany):
    code, title = "wechat-rate-limited", "WeChat asks for fewer attempts; wait a minute"


class WeChatBlocked(Forbidden):
    code, title = "wechat-blocked", "WeChat has blocked this account"


class LockedOut(TooMany):
    """Too many refused tries from one source. `retry_after`: seconds until the next one is looked at."""

    code, title = "locked-out", "Too many failed sign-ins; wait a little"


class PasswordWrong(NotAuthenticated):
    code, title = "password-wrong", "The username or password is wrong"


class DeviceKeyInvalid(RuleBroken):
    code, title = "device-key-invalid", "The device's public key cannot be used"


class DeviceProofInvalid(RuleBroken):
    code, title = "device-proof-invalid", "The device did not prove that it holds its key"


class DeviceRevoked(Forbidden):
    code, title = "device-revoked", "This device was revoked"


class NotEnrolled(Forbidden):
    code, title = "not-enrolled", "No organisation has enrolled you as an active member"


class MemberForeign(NotFound):
    code, title = "member-foreign", "That is not a membership of yours"


class UsccInvalid(RuleBroken):
    code, title = "uscc-invalid", "Not a valid unified social credit code"


class AlreadyVerified(Conflict):
    code, title = "uscc-verified", "Another organisation is verified under this code"


class AlreadyMember(Conflict):
    code, title = "already-member", "This person is a member of the organisation already"


class NotVerified(Conflict):
    code, title = "not-verified", "This organisation is not verified"


class VerifiedBefore(Conflict):
    code, title = "verified-before", "This organisation is verified already"


class RoleForeign(RuleBroken):
    code, title = "role-foreign", "This kind of organisation has no such role"


class LastAdministrator(Conflict):
    code, title = "last-administrator", "An organisation keeps at least one administrator"


class FirstAdministrator(Conflict):
    code, title = "first-administrator", "The operator enrols the first administrator; all others are invited by them"


class InvitationInvalid(NotAuthenticated):
    """Wrong, used, expired, withdrawn or guessed at too often: whoever holds no valid code learns nothing of which."""

    code, title = "invitation-invalid", "This invitation code is not valid, or no longer"


class InvitationEnded(Conflict):
    code, title = "invitation-ended", "This invitation was accepted or withdrawn before"


class UsernameTaken(Conflict):
    code, title = "username-taken", "Somebody else has this user name"


class PasswordWeak(RuleBroken):
    code, title = "password-weak", "This password is too easy to guess"


class AuthorityExceeded(Forbidden):
    """The member signs under a delegation, and this lies outside of it. The field says in what: document, amount or time."""

    code, title = "authority-exceeded", "Your delegation does not cover this signature"


class ConsentTextUnknown(RuleBroken):
    code, title = "consent-text-unknown", "That is not the present text of this consent"


# Not the caller's fault: recorded, but not held against them by the lockout.
FAILURES_OF_OTHERS: tuple[type[DomainError], ...] = (Unavailable, WeChatRateLimited)
