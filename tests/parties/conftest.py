import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from django.test import Client

from backend.core.models import Event
from backend.parties import wechat_simulator
from backend.parties.models import Consent, Device, LoginRecord, Member, Organisation, Person, Session
from tests.parties.client import PhoneClient

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class People:
    """Two firms that know nothing of each other: a buyer with a clerk and an administrator, and an outsider's clerk."""

    buyer: Organisation
    outsider: Organisation
    chen: Person
    clerk: Member
    admin: Member
    stranger: Member


@pytest.fixture
def people(db: None) -> People:
    buyer = Organisation.objects.create(uscc="91310115MA1LQYX08M", name="澜桥", kind="BUYER")
    outsider = Organisation.objects.create(uscc="91440300MA5EXYW124", name="旁人", kind="SELLER")
    chen = Person.objects.create_user(name="陈黎", openid="o-chen", username="chen.li", password="orange-boat-17-lamp")
    he = Person.objects.create_user(name="何川", openid="o-he", username="he.chuan", password="orange-boat-18-lamp")
    eve = Person.objects.create_user(name="旁人", openid="o-eve", username="eve", password="orange-boat-19-lamp")
    return People(
        buyer=buyer,
        outsider=outsider,
        chen=chen,
        clerk=Member.objects.create(person=chen, organisation=buyer, roles=["signer"]),
        admin=Member.objects.create(person=he, organisation=buyer, roles=["admin"]),
        stranger=Member.objects.create(person=eve, organisation=outsider, roles=["signer", "admin"]),
    )


@pytest.fixture(scope="session")
def simulator_url() -> Iterator[str]:
    """WeChat's simulator as the product starts it: a process of its own."""
    command = [sys.executable, "-m", "backend.parties.wechat_simulator", "--port", "0"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "WECHAT_APPID": "", "WECHAT_SECRET": ""},
    )
    try:
        assert process.stdout
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(5)


@dataclass
class WeChat:
    """The door of the simulator that WeChat does not have."""

    url: str

    def code(self, openid: str = "o-chen") -> str:
        answer = httpx.post(f"{self.url}/simulator/codes", json={"appid": wechat_simulator.APPID, "openid": openid})
        return answer.json()["code"]

    def busy(self, times: int) -> None:
        httpx.post(f"{self.url}/simulator/busy", json={"times": times}).raise_for_status()


@pytest.fixture
def wechat(simulator_url: str, settings: pytest.FixtureRequest) -> Iterator[WeChat]:
    settings.WECHAT_BASE_URL = simulator_url
    settings.WECHAT_APPID = settings.WECHAT_SECRET = ""
    settings.DEMO = True
    played = WeChat(simulator_url)
    yield played
    played.busy(0)


@pytest.fixture
def phone(people: People, wechat: WeChat, ledger: Path) -> PhoneClient:
    return PhoneClient(Client())


@pytest.fixture
def other_phone(people: People, wechat: WeChat, ledger: Path) -> PhoneClient:
    return PhoneClient(Client())


@pytest.fixture
def rows(db: None):
    """Counts what a refused try must leave as it was."""

    def count() -> dict[str, int]:
        tables = {
            model.__name__: model.objects.count() for model in (Session, Device, Person, Member, Organisation, Consent)
        }
        return tables | {
            "anchored": Event.objects.exclude(chain=None).count(),
            "let in": LoginRecord.objects.filter(result="opened").count(),
        }

    return count
