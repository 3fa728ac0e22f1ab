"""Chromium on the product as `manage.py up` starts it: the phone pages and the console, real servers, nothing mocked but WeChat."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
FAILURES = Path(__file__).parent / "failures"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="package")
def chromium() -> str:
    """The path of Chromium. Where it is missing: a failure in CI, a named skip on a user's machine."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("Chromium is not installed: apt-get install chromium")
    return found


@pytest.fixture(scope="package")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a fresh demonstration, started by the command that a newcomer types."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("up")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DATA_DIR", "DEMO", "DJANGO_SETTINGS_MODULE", "DATABASE_URL")
    }
    with (folder / "up.log").open("wb") as log:
        command = [sys.executable, "manage.py", "up", "--port", str(port), "--data-dir", str(folder / "data")]
        running = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, running, folder / "up.log")
        yield address
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(timeout=30)


def _wait(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if running.poll() is not None:
            pytest.fail(f"up ended:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2) as answer:
                if answer.status == 200 and "127.0.0.1" in log.read_text():
                    return
        except OSError:
            time.sleep(0.3)
    pytest.fail(f"up did not answer:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="package")
def playwright_here() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="package")
def browser(chromium: str, playwright_here: Playwright) -> Iterator[Browser]:
    browser = playwright_here.chromium.launch(executable_path=chromium, args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture
def phones(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """One browser that plays several handsets, at a phone's size."""
    yield from _context(browser.new_context(viewport=PHONE, base_url=site, locale="zh-CN", has_touch=True), request)


@pytest.fixture
def contexts(browser: Browser, site: str) -> Iterator[Callable[..., BrowserContext]]:
    """Opens contexts by language: `contexts("en-US", size=PHONE, scheme="dark")`."""
    opened: list[BrowserContext] = []

    def open_one(locale: str, size: dict[str, int], scheme: str = "light") -> BrowserContext:
        context = browser.new_context(viewport=size, base_url=site, locale=locale, color_scheme=scheme)  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def desk(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A desktop browser for the console."""
    yield from _context(browser.new_context(viewport=DESK, base_url=site, locale="zh-CN"), request)


def _context(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context.set_default_timeout(15_000)
    failed = request.session.testsfailed
    yield context
    if request.session.testsfailed > failed:
        FAILURES.mkdir(exist_ok=True)
        for number, page in enumerate(context.pages):
            page.screenshot(path=FAILURES / f"{request.node.name}-{request.fixturename}-{number}.png")
    context.close()
