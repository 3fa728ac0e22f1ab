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


class ConsentTextUnknown(RuleBroken):
    code, title = "consent-text-unknown", "That is not the present text of this consent"


# Not the caller's fault: recorded, but not held against them by the lockout.
FAILURES_OF_OTHERS: tuple[type[DomainError], ...] = (Unavailable, WeChatRateLimited)
