import pytest

from tests.risk.world import World


@pytest.fixture
def world(db):
    return World.build()
