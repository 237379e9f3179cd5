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


def test_every_outcome_has_an_effect():
    assert EFFECTS.keys() == set(Outcome)


@pytest.mark.parametrize(
    ("outcome", "status", "delivery", "metric"),
    [
        (Outcome.OK, 200, Delivery.ACKNOWLEDGE, "OrdersCollected"),
        (Outcome.PENDING, 202, Delivery.ACKNOWLEDGE, "OrdersPending"),
        (Outcome.RETRY, 202, Delivery.ACKNOWLEDGE, "OrdersRetried"),
        (Outcome.RENEW, 202, Delivery.ACKNOWLEDGE, "OrdersWithoutTicket"),
        (Outcome.REJECT, 200, Delivery.ACKNOWLEDGE, "OrdersRejected"),
        (Outcome.EXPIRE, 200, Delivery.ACKNOWLEDGE, "OrdersExpired"),
        (Outcome.PARK, 200, Delivery.ACKNOWLEDGE, "OrdersParked"),
        (Outcome.DENY, 401, Delivery.RETURN, "RequestsDenied"),
        (Outcome.BAD_REQUEST, 400, Delivery.RETURN, "BadRequests"),
    ],
)
def test_effect_of_an_outcome(outcome, status, delivery, metric):
    assert EFFECTS[outcome] == Effect(status, delivery, metric)


def test_logs_show_outcomes_in_these_words():
    assert {outcome.value for outcome in Outcome} == {
        *("ok", "pending", "retry", "renew", "reject", "expire", "park"),
        *("deny", "bad_request"),
    }


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
        (OrderState.WAITING, "credentials", Outcome.RENEW),
        (OrderState.COLLECTING, "credentials", Outcome.PENDING),
        (OrderState.REGISTERED, None, Outcome.PENDING),
    ],
)
def test_outcome_of_a_state(state, reason, outcome):
    assert outcome_of(state, reason) is outcome
