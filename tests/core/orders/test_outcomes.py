"""Every state has one outcome, and every outcome one effect on each trigger."""

import pytest

from kycourier.core.orders.outcomes import (
    EFFECTS,
    Delivery,
    Effect,
    Outcome,
    outcome_of,
)
from kycourier.core.orders.record import OrderState, Reason


def test_every_outcome_has_its_word_and_its_effect():
    effects = {
        "ok": (200, Delivery.ACKNOWLEDGE, "OrdersCollected"),
        "pending": (202, Delivery.ACKNOWLEDGE, "OrdersPending"),
        "retry": (202, Delivery.ACKNOWLEDGE, "OrdersRetried"),
        "renew": (202, Delivery.ACKNOWLEDGE, "OrdersWithoutTicket"),
        "reject": (200, Delivery.ACKNOWLEDGE, "OrdersRejected"),
        "expire": (200, Delivery.ACKNOWLEDGE, "OrdersExpired"),
        "park": (200, Delivery.ACKNOWLEDGE, "OrdersParked"),
        "deny": (401, Delivery.RETURN, "RequestsDenied"),
        "bad_request": (400, Delivery.RETURN, "BadRequests"),
    }
    assert {each.value for each in Outcome} == effects.keys()
    assert {Outcome(word): Effect(*effects[word]) for word in effects} == EFFECTS


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("reason", [None, *(reason.value for reason in Reason)])
def test_only_final_states_respond_with_200(state, reason):
    outcome = outcome_of(state, reason)
    assert (EFFECTS[outcome].http_status == 200) == state.is_final


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        (OrderState.COLLECTED, None, Outcome.OK),
        (OrderState.REJECTED, "ocr_failed", Outcome.REJECT),
        (OrderState.EXPIRED, "no_such_result", Outcome.EXPIRE),
        (OrderState.PARKED, "unknown_code", Outcome.PARK),
        (OrderState.WAITING, "not_ready", Outcome.PENDING),
        (OrderState.WAITING, "photos_pending", Outcome.PENDING),
        (OrderState.WAITING, "throttled", Outcome.RETRY),
        (OrderState.WAITING, "transient", Outcome.RETRY),
        (OrderState.WAITING, "paused", Outcome.RETRY),
        (OrderState.WAITING, "app_stopped", Outcome.RETRY),
        (OrderState.WAITING, "credentials", Outcome.RENEW),
        (OrderState.COLLECTING, "credentials", Outcome.PENDING),
        (OrderState.REGISTERED, None, Outcome.PENDING),
    ],
)
def test_outcome_of_a_state(state, reason, outcome):
    assert outcome_of(state, reason) is outcome
