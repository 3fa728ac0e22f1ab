from pathlib import Path

import pytest

from tests.cast import Cast, make_cast, phone_of
from tests.phone import Phone
from tests.trade.back_to_back import Chain, make_chain


@pytest.fixture
def cast(ledger: Path) -> Cast:
    return make_cast()


@pytest.fixture
def clerk(cast: Cast) -> Phone:
    """The buyer's clerk, signed in on a phone."""
    return phone_of(cast.clerk)


@pytest.fixture
def sales(cast: Cast) -> Phone:
    return phone_of(cast.sales)


@pytest.fixture
def driver(cast: Cast) -> Phone:
    return phone_of(cast.driver)


@pytest.fixture
def chain(cast: Cast, clerk: Phone, sales: Phone) -> Chain:
    """An order of the buyer, and one of the seller that is for its first line, both confirmed."""
    return make_chain(cast, clerk, sales)
