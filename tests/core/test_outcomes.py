"""One total table of outcomes."""

import pytest

from kycourier.core.order_record import Reason, State
from kycourier.core.outcomes import EFFECTS, Delivery, Effect, Outcome, outcome_of


def test_the_table_is_total():
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
def test_effects(outcome, status, delivery, metric):
    assert EFFECTS[outcome] == Effect(status, delivery, metric)


def test_outcomes_are_told_in_logs_by_these_words():
    assert {outcome.value for outcome in Outcome} == {
        *("ok", "pending", "retry", "renew", "reject", "expire", "park"),
        *("deny", "bad_request"),
    }


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("reason", [None, *(reason.value for reason in Reason)])
def test_every_state_and_reason_has_an_outcome(state, reason):
    outcome = outcome_of(state, reason)
    is_answered = EFFECTS[outcome].http_status == 200
    assert is_answered == state.is_final


@pytest.mark.parametrize(
    ("state", "reason", "outcome"),
    [
        (State.COLLECTED, None, Outcome.OK),
        (State.REJECTED, "ocr_failed", Outcome.REJECT),
        (State.EXPIRED, "no_such_result", Outcome.EXPIRE),
        (State.PARKED, "unknown_code", Outcome.PARK),
        (State.WAITING, "not_ready", Outcome.PENDING),
        (State.WAITING, "photos_pending", Outcome.PENDING),
        (State.WAITING, "throttled", Outcome.RETRY),
        (State.WAITING, "transient", Outcome.RETRY),
        (State.WAITING, "credentials", Outcome.RENEW),
        (State.COLLECTING, "credentials", Outcome.PENDING),
        (State.REGISTERED, None, Outcome.PENDING),
    ],
)
def test_outcome_of_a_state(state, reason, outcome):
    assert outcome_of(state, reason) is outcome
