"""Tokens, tickets and the refresh rule, on values alone."""

from collections.abc import Iterator

import pytest

from kycourier_devkit.sandbox.codes import RefusedError
from kycourier_devkit.sandbox.platform import Grant, Lifetimes, Platform
from kycourier_devkit.sandbox.signing import sign

SECRET = "the secret of the app"
VALUES = ("SANDBOX1", "order1", "1.0.0", "n" * 32)


@pytest.fixture
def platform() -> Platform:
    values: Iterator[str] = (f"value{number}" for number in range(100))
    return Platform(SECRET, lifetimes=Lifetimes(), new_value=lambda: next(values))


def honoured(platform: Platform, ticket: str, now: float) -> bool:
    try:
        platform.check_sign(sign((*VALUES, ticket)), values=VALUES, now=now)
    except RefusedError as refused:
        assert refused.code == "400101"  # noqa: PT017 - the other outcome is success
        return False
    return True


def buy_pair(platform: Platform, now: float) -> tuple[Grant, Grant]:
    token = platform.issue_token(SECRET, now=now)
    return token, platform.buy_ticket(token.value, now=now)


def test_ticket_lives_for_an_hour(platform: Platform) -> None:
    _, ticket = buy_pair(platform, now=0)

    assert honoured(platform, ticket.value, now=3599)
    assert not honoured(platform, ticket.value, now=3600)


def test_token_lives_for_two_hours_and_then_buys_nothing(platform: Platform) -> None:
    token = platform.issue_token(SECRET, now=0)

    platform.buy_ticket(token.value, now=7199)
    with pytest.raises(RefusedError, match="15"):
        platform.buy_ticket(token.value, now=7200)


def test_ticket_dies_with_the_token_that_bought_it(platform: Platform) -> None:
    token = platform.issue_token(SECRET, now=0)
    ticket = platform.buy_ticket(token.value, now=7000)

    assert honoured(platform, ticket.value, now=7199)
    assert not honoured(platform, ticket.value, now=7200)


def test_new_token_leaves_the_old_pair_one_minute(platform: Platform) -> None:
    old_token, old_ticket = buy_pair(platform, now=0)
    _, new_ticket = buy_pair(platform, now=1200)

    assert honoured(platform, old_ticket.value, now=1259.9)
    assert not honoured(platform, old_ticket.value, now=1260)
    assert honoured(platform, new_ticket.value, now=1260)
    with pytest.raises(RefusedError, match="15"):
        platform.buy_ticket(old_token.value, now=1260)


def test_second_new_token_does_not_lengthen_the_minute(platform: Platform) -> None:
    _, oldest = buy_pair(platform, now=0)
    platform.issue_token(SECRET, now=100)
    platform.issue_token(SECRET, now=150)

    assert not honoured(platform, oldest.value, now=160)


def test_ticket_bought_with_a_superseded_token_has_only_its_minute(
    platform: Platform,
) -> None:
    old_token = platform.issue_token(SECRET, now=0)
    platform.issue_token(SECRET, now=100)
    late = platform.buy_ticket(old_token.value, now=130)

    assert late.superseded_at == 100
    assert honoured(platform, late.value, now=159)
    assert not honoured(platform, late.value, now=160)


def test_second_ticket_of_a_token_supersedes_the_first(platform: Platform) -> None:
    token, first = buy_pair(platform, now=0)
    platform.buy_ticket(token.value, now=100)

    assert honoured(platform, first.value, now=159)
    assert not honoured(platform, first.value, now=160)


def test_nonce_ticket_signs_nothing(platform: Platform) -> None:
    token, _ = buy_pair(platform, now=0)
    nonce_ticket = platform.buy_nonce_ticket(token.value, now=0)

    assert not honoured(platform, nonce_ticket, now=1)


def test_changed_secret_kills_all_pairs_and_the_old_secret(platform: Platform) -> None:
    _, old_ticket = buy_pair(platform, now=0)
    token, ticket = buy_pair(platform, now=10)
    platform.change_secret("another", now=20)

    assert not honoured(platform, old_ticket.value, now=20)
    assert not honoured(platform, ticket.value, now=20)
    with pytest.raises(RefusedError, match="15"):
        platform.buy_ticket(token.value, now=20)
    with pytest.raises(RefusedError, match="400105"):
        platform.issue_token(SECRET, now=20)
    assert platform.issue_token("another", now=20).honoured(20)


def test_wrong_secret_leaves_the_current_pair_alone(platform: Platform) -> None:
    _, ticket = buy_pair(platform, now=0)
    with pytest.raises(RefusedError, match="400105"):
        platform.issue_token("wrong", now=100)

    assert honoured(platform, ticket.value, now=1000)


def test_unknown_token_buys_nothing(platform: Platform) -> None:
    with pytest.raises(RefusedError, match="400103"):
        platform.buy_ticket("never issued", now=0)


@pytest.mark.parametrize(
    ("seconds_later", "overlaps"), [(0, True), (9.9, True), (10, False)]
)
def test_token_call_overlaps_a_refresh_whose_ticket_is_not_bought_yet(
    platform: Platform, seconds_later: float, *, overlaps: bool
) -> None:
    assert not platform.begin_token_call(100)
    platform.issue_token(SECRET, now=100)
    platform.end_token_call()

    assert platform.begin_token_call(100 + seconds_later) is overlaps


def test_token_call_after_the_ticket_overlaps_nothing(platform: Platform) -> None:
    platform.begin_token_call(0)
    buy_pair(platform, now=0)
    platform.end_token_call()

    assert not platform.begin_token_call(1)


def test_token_call_in_flight_overlaps_the_next_one(platform: Platform) -> None:
    platform.begin_token_call(0)

    assert platform.begin_token_call(100)


def test_grants_do_not_print_their_values(platform: Platform) -> None:
    token, ticket = buy_pair(platform, now=0)

    assert token.value not in repr(token)
    assert ticket.value not in repr(ticket)
