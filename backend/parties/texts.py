"""Texts that a person agrees to, by version. A text that changes gets a new version: a yes to the old one does not cover it."""

import hashlib
from dataclasses import dataclass

from backend.ledger import canonical


@dataclass(frozen=True)
class ConsentText:
    """What is asked, in both languages. `sha256` is that of the canonical JSON of all of it, so that a record names exact words."""

    purpose: str
    id: str
    version: str
    zh: str
    en: str

    @property
    def sha256(self) -> str:
        words: canonical.Value = {
            "purpose": self.purpose,
            "id": self.id,
            "version": self.version,
            "zh": self.zh,
            "en": self.en,
        }
        return hashlib.sha256(canonical.dumps(words)).hexdigest()


LOCATION = ConsentText(
    purpose="location",
    id="location-notice",
    version="1",
    zh=(
        "签收时，我们想记录您手机报告的位置，用来核对货物是否在约定的地点交付，并提醒交易双方注意异常。"
        "位置由设备报告，不能证明您本人在场。位置属于敏感个人信息：仅在您签署的那一刻读取一次，"
        "用单独的密钥加密保存，可以单独销毁；交易对方只看到与收货地址的距离。"
        "您可以不同意，仍可签署，只是证明力较低；也可以随时在“我的”中撤回，撤回不影响此前的记录。"
    ),
    en=(
        "When you sign, we would like to record the place your phone reports, to check that goods are handed over where agreed and to "
        "point out what is unusual. The place is reported by the device; presence is not proven. It is sensitive personal information: "
        "read once, at the moment you sign, and kept encrypted under a key of its own, so that it can be destroyed on its own; the "
        "other party sees only the distance to the delivery address. You may say no and still sign, at a lower assurance, and you may "
        "withdraw at any time under “Me”; what was recorded before stays."
    ),
)

CONSENT_TEXTS = {text.purpose: text for text in (LOCATION,)}
