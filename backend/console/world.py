"""The demonstration's world: fictional firms, their places and people. Nothing here is used outside the demonstration.

The firms' codes carry a right check digit (GB 32100), so every check of the product works on them, and an administrative division that does
not exist (990000), so that none of them can be a real firm's. The places are points in and around Shanghai with invented firms in them.
"""

from dataclasses import dataclass
from decimal import Decimal

from stdnum.cn import uscc

from backend.parties import handsets
from backend.parties.models import OrganisationKind, Role
from backend.trade.services import LineTerms, ShipTo


def code(body: str) -> str:
    """The unified social credit code of these 17 characters, with its check digit."""
    return body + uscc.calc_check_digit(body)


@dataclass(frozen=True)
class Place:
    """A firm's place: the point (WGS-84) is where its handset stands."""

    name: str
    address: str
    at: handsets.Place
    radius_m: int = 300


@dataclass(frozen=True)
class Firm:
    key: str
    uscc: str
    name: str
    name_en: str
    kind: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Someone:
    """A person: where they work, what they may do there, by which name they sign in to the console, which handset is theirs."""

    key: str
    firm: str
    name: str
    name_en: str
    roles: tuple[str, ...]
    username: str | None = None

    @property
    def openid(self) -> str | None:
        handset = handsets.HANDSETS.get(self.key)
        return handset.openid if handset else None


WAREHOUSE = Place("澜桥中心仓", "上海市黄浦区云栈路 88 号 3 号门", handsets.GATE_3)

OPERATOR = Firm(
    "operator", code("91990000MA1YRYY48"), "翼融运营有限公司", "Yirong Operations", OrganisationKind.OPERATOR
)
BUYER = Firm(
    "buyer", code("91990000MA1LQYX08"), "澜桥优选商贸有限公司", "Lanqiao Select", OrganisationKind.BUYER, (WAREHOUSE,)
)
SELLER = Firm(
    "seller",
    code("91990000MA1HYMY15"),
    "禾屿贸易有限公司",
    "Heyu Trading",
    OrganisationKind.SELLER,
    (Place("禾屿办公室", "上海市闵行区汀禾路 12 号", handsets.SELLER_OFFICE),),
)
FACTORY = Firm(
    "factory",
    code("91990000MA2YGDQ26"),
    "榆光电器厂",
    "Yuguang Appliance Works",
    OrganisationKind.FACTORY,
    (Place("榆光一厂", "苏州市榆光路 5 号", handsets.FACTORY),),
)
CARRIER = Firm("carrier", code("91990000MA1XHYD37"), "迅禾运输有限公司", "Xunhe Transport", OrganisationKind.CARRIER)
# The operator first: it verifies the others.
FIRMS = (OPERATOR, BUYER, SELLER, FACTORY, CARRIER)

PEOPLE = (
    Someone("wen-ning", "operator", "温宁", "Wen Ning", (Role.RISK_OFFICER, Role.ADMIN), username="wen.ning"),
    Someone("he-chuan", "buyer", "何川", "He Chuan", (Role.MAKER, Role.ADMIN), username="he.chuan"),
    Someone("chen-li", "buyer", "陈黎", "Chen Li", (Role.SIGNER,)),
    Someone("su-qing", "seller", "苏晴", "Su Qing", (Role.MAKER, Role.SIGNER), username="su.qing"),
    Someone("luo-ping", "factory", "罗平", "Luo Ping", (Role.MAKER,)),
    Someone("ma-ye", "carrier", "马野", "Ma Ye", (Role.DRIVER,)),
)

ORDER_NO = "PO-2026-0815"
CONTRACT_NO = "LQ-HY-2026-03"
RICE_COOKERS = LineTerms(
    line_id="1",
    item_code="RC-40",
    item_name="电饭煲 4L",
    quantity=Decimal("1200.000"),
    unit="H87",
    unit_price="186.00",
    tax_rate="0.13",
    tolerance_pct="0",
)
SHIP_TO = ShipTo(
    name=WAREHOUSE.name,
    address=WAREHOUSE.address,
    latitude=Decimal(WAREHOUSE.at.latitude),
    longitude=Decimal(WAREHOUSE.at.longitude),
    radius_m=WAREHOUSE.radius_m,
)
PAYMENT_DAYS = 60
