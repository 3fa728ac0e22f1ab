"""The sentences a person signs under. A text is never edited: a new wording is a new version, and old ones stay to be shown with old acts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SigningText:
    """One sentence in both languages, named by id and version in what is signed."""

    text_id: str
    version: int
    zh: str
    en: str


CURRENT = {
    "order.sign": SigningText(
        "order.sign",
        1,
        "我代表本公司签署此采购订单，确认其中的品名、数量、价格、收货地点和付款条件。",
        "I sign this purchase order for my company: items, quantities, prices, place of delivery and payment terms as shown.",
    ),
    "order.confirm": SigningText(
        "order.confirm",
        1,
        "我代表本公司确认接受此采购订单，将按所列条件供货。",
        "I confirm this purchase order for my company; we deliver on the terms shown.",
    ),
    "amendment.propose": SigningText(
        "amendment.propose",
        1,
        "我代表本公司提议按以上内容修改此采购订单；对方签署同意后生效。",
        "I propose for my company to change this purchase order as shown; it takes effect when the other side has signed too.",
    ),
    "amendment.agree": SigningText(
        "amendment.agree",
        1,
        "我代表本公司同意按以上内容修改此采购订单。",
        "I agree for my company to change this purchase order as shown.",
    ),
    "cancellation.propose": SigningText(
        "cancellation.propose",
        1,
        "我代表本公司提议取消此采购订单；对方签署同意后生效。",
        "I propose for my company to cancel this purchase order; it takes effect when the other side has signed too.",
    ),
    "cancellation.agree": SigningText(
        "cancellation.agree",
        1,
        "我代表本公司同意取消此采购订单。",
        "I agree for my company to cancel this purchase order.",
    ),
    "receipt.sign": SigningText(
        "receipt.sign",
        1,
        "我已清点货物，以上实收、短少和拒收数量属实，代表本公司签收。",
        "I have counted the goods; the quantities received, short and rejected are true, and I sign for them for my company.",
    ),
}
