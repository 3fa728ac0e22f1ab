"""The rules: each a small pure function over facts, with its bands, their severities and their reasons in words.

A rule always answers with a band. Band `.00` says that there is not enough data to judge: it is never a finding and never a pass. Adding a
rule is adding one function, its bands, and one line in RULES; how it runs (off, shadow, live) stands in MODES.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from backend.risk.models import Severity


class Mode(StrEnum):
    """`off`: not asked. `shadow`: its hits are kept as signals, nobody is told. `live`: its hits raise alerts."""

    OFF = "off"
    SHADOW = "shadow"
    LIVE = "live"


@dataclass(frozen=True)
class Band:
    """One answer a rule can give: its severity (None: nothing found) and the reason, with places for the result's values."""

    severity: Severity | None
    zh: str
    en: str


@dataclass(frozen=True)
class Result:
    """What a rule says of the facts: the band, and the plain values its reason is told with. Names ending in `_m` are metres."""

    band: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A rule as it is registered. `version` rises whenever a band, a threshold or the reading of a fact changes."""

    id: str
    version: int
    zh: str
    en: str
    bands: dict[str, Band]
    judge: Callable[[Any], Result]


@dataclass(frozen=True)
class Finding:
    """A rule's result on one event, the key under which its hits are one alert, and whom it concerns.

    `endangered` are organisations that may know; `suspected` are members that must not, whoever else may.
    """

    rule: Rule
    result: Result
    key: str
    subject: tuple[str, UUID | None]
    order: UUID | None = None
    endangered: tuple[UUID, ...] = ()
    suspected: tuple[UUID, ...] = ()
    simulated: bool = False

    @property
    def severity(self) -> Severity | None:
        """None when the rule found nothing, or had not enough data."""
        return self.rule.bands[self.result.band].severity


# --- R21: the place of a receipt ----------------------------------------------------------------------------------------------------------

ACCURACY_ALLOWANCE_M = 200
R21_P2_M, R21_P1_M = 5_000, 100_000
R21_FUZZY_P3_M, R21_FUZZY_P2_M = 10_000, 50_000


@dataclass(frozen=True)
class ReceiptPlace:
    """Where a receipt was signed, as distance in metres from the ship-to point, and that point's radius.

    `distance_m` is None when no location was given; `precision` is `precise`, `fuzzy` (about a city district) or `chosen` (a point somebody
    picked on a map, which measures nothing).
    """

    distance_m: float | None
    accuracy_m: float | None
    precision: str
    radius_m: float


def judge_receipt_place(place: ReceiptPlace) -> Result:
    """R21: was it signed at the ship-to address? A precise fix is believed to lie up to 200 m off, if it says so itself."""
    if place.distance_m is None or place.precision not in ("precise", "fuzzy"):
        return Result("R21.00")
    values = {"distance_m": round(place.distance_m), "radius_m": round(place.radius_m)}
    if place.precision == "fuzzy":
        return Result(_fuzzy_band(place.distance_m), values)
    if place.accuracy_m is None:
        return Result("R21.00", values)
    return Result(_precise_band(place.distance_m - min(place.accuracy_m, ACCURACY_ALLOWANCE_M), place.radius_m), values)


def _precise_band(certain_m: float, radius_m: float) -> str:
    if certain_m <= radius_m:
        return "R21.01"
    if certain_m > R21_P1_M:
        return "R21.04"
    return "R21.03" if certain_m > R21_P2_M else "R21.02"


def _fuzzy_band(distance_m: float) -> str:
    if distance_m > R21_FUZZY_P2_M:
        return "R21.06"
    return "R21.05" if distance_m > R21_FUZZY_P3_M else "R21.01"


R21 = Rule(
    id="R21",
    version=1,
    zh="签收地点不符",
    en="Signed elsewhere",
    bands={
        "R21.00": Band(None, "没有可判断的位置", "No place to judge by"),
        "R21.01": Band(None, "在收货地址签收", "Signed at the ship-to address"),
        "R21.02": Band(
            Severity.P3,
            "签收地点距收货地址 {distance_m}，超出约定的 {radius_m}。请询问原因并补拍照片。",
            "Signed {distance_m} from the ship-to address, outside its {radius_m}. Ask why, and for a photo.",
        ),
        "R21.03": Band(
            Severity.P2,
            "签收地点距收货地址 {distance_m}（范围 {radius_m}）。核实之前请暂缓使用此签收单。",
            "Signed {distance_m} from the ship-to address (within {radius_m} was agreed). Hold this receipt until it is checked.",
        ),
        "R21.04": Band(
            Severity.P1,
            "签收地点距收货地址 {distance_m}，收货人不可能在场。请阻止使用此签收单。",
            "Signed {distance_m} from the ship-to address: the receiver cannot have been there. Block this receipt.",
        ),
        "R21.05": Band(
            Severity.P3,
            "粗略位置显示签收地点距收货地址约 {distance_m}。请询问原因并补拍照片。",
            "A coarse location puts the signing about {distance_m} from the ship-to address. Ask why, and for a photo.",
        ),
        "R21.06": Band(
            Severity.P2,
            "粗略位置显示签收地点距收货地址约 {distance_m}。核实之前请暂缓使用此签收单。",
            "A coarse location puts the signing about {distance_m} from the ship-to address. Hold this receipt until it is checked.",
        ),
    },
    judge=judge_receipt_place,
)


# --- R27: one device, two opposing parties ------------------------------------------------------------------------------------------------

R27_WINDOW = timedelta(days=90)
R27_UNRELATED_PARTIES = 3


@dataclass(frozen=True)
class PartyAct:
    """That a device last signed in or signed for an organisation at `at`."""

    organisation: UUID
    name: str
    name_en: str
    at: datetime


@dataclass(frozen=True)
class DeviceUse:
    """For whom a device acted, as known at `at`; `opposed` are the (buyer, seller) pairs of orders between any of them."""

    at: datetime
    acts: tuple[PartyAct, ...]
    opposed: frozenset[tuple[UUID, UUID]]


def parties_of(use: DeviceUse) -> dict[UUID, PartyAct]:
    """The organisations the device acted for within 90 days, the last day included."""
    return {
        act.organisation: act
        for act in sorted(use.acts, key=lambda act: act.at)
        if use.at - R27_WINDOW <= act.at <= use.at
    }


def opposing_parties(use: DeviceUse) -> list[tuple[UUID, UUID]]:
    """The (buyer, seller) pairs that trade with each other and both of which the device acted for."""
    parties = parties_of(use)
    return sorted(pair for pair in use.opposed if pair[0] in parties and pair[1] in parties)


def between(use: DeviceUse, buyer: UUID, seller: UUID) -> DeviceUse:
    """What of it concerns these two alone."""
    acts = tuple(act for act in use.acts if act.organisation in (buyer, seller))
    return DeviceUse(use.at, acts, use.opposed & {(buyer, seller)})


def judge_device_use(use: DeviceUse) -> Result:
    """R27: does one handset act for both sides of a trade, or for three parties or more?"""
    parties, opposing = parties_of(use), opposing_parties(use)
    if opposing:
        buyer, seller = (parties[one] for one in opposing[0])
        return Result(
            "R27.03",
            {"buyer_zh": buyer.name, "buyer_en": buyer.name_en, "seller_zh": seller.name, "seller_en": seller.name_en},
        )
    if len(parties) >= R27_UNRELATED_PARTIES:
        return Result("R27.02", {"parties": len(parties)})
    return Result("R27.01" if parties else "R27.00")


R27 = Rule(
    id="R27",
    version=1,
    zh="同一设备代表交易双方",
    en="One device, two opposing parties",
    bands={
        "R27.00": Band(None, "不知道使用的设备", "The device is not known"),
        "R27.01": Band(None, "设备未代表对立双方", "The device does not act for opposing parties"),
        "R27.02": Band(
            Severity.P2,
            "同一台手机在 90 天内代表 {parties} 家企业操作。核实之前请暂缓其单据。",
            "One handset acted for {parties} parties within 90 days. Hold their documents until it is checked.",
        ),
        "R27.03": Band(
            Severity.P1,
            "同一台手机在 90 天内既代表采购方{buyer_zh}、又代表供应方{seller_zh}操作：采购方的签名可能是供应方所签。请阻止确权并致电采购方。",
            "One handset acted for the buyer {buyer_en} and for the seller {seller_en} within 90 days: "
            "the seller may have signed as the buyer. Block confirmation and call the buyer.",
        ),
    },
    judge=judge_device_use,
)


# --- R31: sign-in anomaly -----------------------------------------------------------------------------------------------------------------

R31_WINDOW = timedelta(minutes=10)
R31_FAILURES = 5


@dataclass(frozen=True)
class SignIns:
    """The refused sign-ins of one person, or of one source when nobody was recognised, up to `at`."""

    at: datetime
    refused: tuple[datetime, ...]
    new_device: bool = False


def judge_sign_ins(tries: SignIns) -> Result:
    """R31: five refusals within ten minutes. A new device says something only beside a changed telephone number, which nobody reports yet."""
    failures = sum(tries.at - R31_WINDOW <= at <= tries.at for at in tries.refused)
    if failures >= R31_FAILURES:
        return Result("R31.02", {"failures": failures})
    return Result("R31.00" if tries.new_device else "R31.01")


R31 = Rule(
    id="R31",
    version=1,
    zh="登录异常",
    en="Sign-in anomaly",
    bands={
        "R31.00": Band(
            None, "新设备；是否更换过手机号尚无数据", "A new device; whether the telephone number changed is not known"
        ),
        "R31.01": Band(None, "登录正常", "Nothing unusual"),
        "R31.02": Band(
            Severity.P3,
            "10 分钟内登录失败 {failures} 次。请联系本人核实。",
            "{failures} refused sign-ins within 10 minutes. Ask the person whether it was them.",
        ),
    },
    judge=judge_sign_ins,
)


# --- registered ---------------------------------------------------------------------------------------------------------------------------

RULES: dict[str, Rule] = {rule.id: rule for rule in (R21, R27, R31)}
MODES: dict[str, Mode] = {"R21": Mode.LIVE, "R27": Mode.LIVE, "R31": Mode.LIVE}


def reason(band: str, values: dict[str, Any]) -> dict[str, str]:
    """The reason of a band as a sentence, told with its values: {zh, en}."""
    texts = RULES[band.partition(".")[0]].bands[band]
    return {
        "zh": texts.zh.format(**{name: _told(name, value, "公里", "米") for name, value in values.items()}),
        "en": texts.en.format(**{name: _told(name, value, "km", "m") for name, value in values.items()}),
    }


def _told(name: str, value: Any, kilometre: str, metre: str) -> str:
    if not name.endswith("_m"):
        return str(value)
    return f"{value / 1000:.1f} {kilometre}" if value >= 1000 else f"{value} {metre}"
