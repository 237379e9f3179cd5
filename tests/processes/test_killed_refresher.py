"""A refresher that is killed between token and ticket."""

import threading

import pytest

from houses import TIMER
from kycourier_devkit.errors import FunctionDied

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]


def test_a_refresher_killed_between_token_and_ticket_is_replaced(house):
    house.sandbox.set_fault("ticket", "slow5")
    refresher = house.start("refresh_ticket")
    refresher.wait_until_ready()
    killer = threading.Timer(0.4, refresher.kill)
    killer.start()
    with pytest.raises(FunctionDied):
        refresher.invoke(TIMER)
    killer.join()
    waiting = house.start("collect_results").invoke({"order_no": "order1"})
    assert (waiting["state"], waiting["reason"]) == ("waiting", "transient")
    assert house.sandbox.report().token_calls == 1
