import pytest

from tests.flows.story import Story
from tests.stack import Product, stack

__all__ = ["stack"]


@pytest.fixture(scope="session")
def story(stack: Product) -> Story:
    """The demonstration's people with their phones."""
    return Story(stack)
