"""The demonstration's handsets: simulated phones with a place, a network and a make of their own. Used where settings.DEMO only.

One browser plays several people, so each handset brings what a real phone would: where it is, from which address it calls. Addresses are
of the ranges kept for documentation (RFC 5737, RFC 3849); places are WGS-84. Whatever comes from here is recorded as `simulated`.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """A point in decimal degrees as the wire writes them, named in both languages, with the accuracy a handset there reports."""

    id: str
    zh: str
    en: str
    latitude: str
    longitude: str
    accuracy_m: int = 12

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "label": {"zh": self.zh, "en": self.en},
            "latitude": self.latitude,
            "longitude": self.longitude,
            "accuracy_m": self.accuracy_m,
            "datum": "wgs84",
        }


@dataclass(frozen=True)
class Handset:
    """A simulated phone and whose it is. The first place is where it starts; `openid` is what WeChat's simulator knows its owner by."""

    id: str
    name: str
    name_en: str
    zh: str
    en: str
    home: str
    openid: str
    network_type: str
    ip: str
    model: str
    system: str
    places: tuple[Place, ...]

    @property
    def place(self) -> Place:
        return self.places[0]

    def as_json(self) -> dict[str, Any]:
        """As `GET /demo/handsets/` tells it."""
        return {
            "id": self.id,
            "person": {"name": self.name, "name_en": self.name_en},
            "label": {"zh": self.zh, "en": self.en},
            "home": self.home,
            "place": self.place.as_json(),
            "places": [place.as_json() for place in self.places],
            "network": {"type": self.network_type, "ip": self.ip},
            "device": {"model": self.model, "system": self.system},
        }


GATE_3 = Place("gate-3", "澜桥仓库 3 号门", "Lanqiao warehouse, gate 3", "31.2304000", "121.4737000")
GATE_1 = Place("gate-1", "澜桥仓库 1 号门", "Lanqiao warehouse, gate 1", "31.2318000", "121.4749000")
INSIDE = Place(
    "inside", "仓库里面（信号弱）", "Inside the warehouse (weak signal)", "31.2309000", "121.4742000", accuracy_m=650
)
SELLER_OFFICE = Place(
    "seller-office", "禾屿办公室（距仓库 12 公里）", "Heyu's office (12 km away)", "31.1322972", "121.4205250"
)
ON_THE_ROAD = Place("on-the-road", "送货途中", "On the road", "31.1375162", "121.1780965", accuracy_m=30)
FACTORY = Place("factory", "榆光电器厂", "Yuguang's works", "31.5221551", "120.8810307")

HANDSETS = {
    handset.id: handset
    for handset in (
        Handset(
            id="chen-li",
            name="陈黎",
            name_en="Chen Li",
            zh="陈黎 · 澜桥仓库收货员",
            en="Chen Li · dock clerk at Lanqiao",
            home="buyer",
            openid="o-demo-chen-li",
            network_type="wifi",
            ip="203.0.113.10",
            model="Demo Handset C1",
            system="Android 15",
            places=(GATE_3, GATE_1, INSIDE, SELLER_OFFICE),
        ),
        Handset(
            id="su-qing",
            name="苏晴",
            name_en="Su Qing",
            zh="苏晴 · 禾屿贸易",
            en="Su Qing · seller, Heyu",
            home="seller",
            openid="o-demo-su-qing",
            network_type="5g",
            ip="198.51.100.20",
            model="Demo Handset S2",
            system="iOS 19.1",
            places=(SELLER_OFFICE, GATE_3),
        ),
        Handset(
            id="ma-ye",
            name="马野",
            name_en="Ma Ye",
            zh="马野 · 迅禾运输司机",
            en="Ma Ye · driver, Xunhe",
            home="carrier",
            openid="o-demo-ma-ye",
            network_type="4g",
            ip="192.0.2.30",
            model="Demo Handset M3",
            system="Android 14",
            places=(SELLER_OFFICE, ON_THE_ROAD, GATE_3),
        ),
        Handset(
            id="luo-ping",
            name="罗平",
            name_en="Luo Ping",
            zh="罗平 · 榆光电器厂",
            en="Luo Ping · Yuguang Appliance Works",
            home="factory",
            openid="o-demo-luo-ping",
            network_type="wifi",
            ip="2001:db8:40::40",
            model="Demo Handset L4",
            system="Android 15",
            places=(FACTORY, SELLER_OFFICE),
        ),
    )
}


def listing() -> list[dict[str, Any]]:
    """All handsets, as `GET /demo/handsets/` answers."""
    return [handset.as_json() for handset in HANDSETS.values()]
