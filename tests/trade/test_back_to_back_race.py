"""Two despatches at once under two orders of one line above: what one takes the other cannot."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from backend.core.models import Event
from backend.trade.models import Despatch, DirectLine
from tests.cast import Cast
from tests.phone import Json, Phone
from tests.trade.back_to_back import Chain, agreed, bought, send

pytestmark = pytest.mark.django_db(transaction=True, available_apps=settings.INSTALLED_APPS)


def at_once(*acts: Callable[[], tuple[int, Json]]) -> list[tuple[int, Json]]:
    """What each act is answered when all start together, in threads with connections of their own."""
    gate, answers = threading.Barrier(len(acts)), []

    def run(act: Callable[[], tuple[int, Json]]) -> None:
        try:
            gate.wait(10)
            answers.append(act())
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_of_two_despatches_that_together_exceed_the_order_above_one_leaves(
    cast: Cast, sales: Phone, chain: Chain, ledger: Path
) -> None:
    second = agreed(sales, chain.phone, bought(cast.sales, chain.factory, chain.upper, "B-2").id)
    answers = at_once(
        lambda: send(chain.phone, chain.lower, chain.upper, "F-1", "700"),
        lambda: send(chain.phone, second, chain.upper, "F-2", "700"),
    )
    assert sorted(status for status, _ in answers) == [201, 422]
    assert [answer["left"] for status, answer in answers if status == 422] == ["500.000"]
    assert Despatch.objects.count() == DirectLine.objects.count() == 1
    assert Event.objects.filter(type="despatch.despatched").count() == 1
