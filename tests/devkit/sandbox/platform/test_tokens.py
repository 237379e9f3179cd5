"""Token service: lifetimes, coexistence and overlapping refreshes."""

from collections.abc import Iterator

import pytest

from kycourier_devkit.sandbox.platform.result_codes import PlatformError
from kycourier_devkit.sandbox.platform.signature import sign
from kycourier_devkit.sandbox.platform.tokens import Grant, Lifetimes, TokenService

SECRET = "the secret of the app"
VALUES = ("SANDBOX1", "order1", "1.0.0", "n" * 32)


@pytest.fixture
def tokens() -> TokenService:
    values: Iterator[str] = (f"value{number}" for number in range(100))
    return TokenService(SECRET, lifetimes=Lifetimes(), new_value=lambda: next(values))


def is_accepted(tokens: TokenService, ticket: str, now: float) -> bool:
    try:
        tokens.find_signing_ticket(sign((*VALUES, ticket)), values=VALUES, now=now)
    except PlatformError as error:
        assert error.code == "400101"  # noqa: PT017 - the other outcome is success
        return False
    return True


def issue_pair(tokens: TokenService, now: float) -> tuple[Grant, Grant]:
    token = tokens.issue_token(SECRET, now=now)
    return token, tokens.issue_ticket(token.value, now=now)


def test_lifetimes_of_token_and_ticket(tokens: TokenService) -> None:
    token, ticket = issue_pair(tokens, now=0)
    assert is_accepted(tokens, ticket.value, now=3599)
    assert not is_accepted(tokens, ticket.value, now=3600)

    last = tokens.issue_ticket(token.value, now=7199)
    assert is_accepted(tokens, last.value, now=7199)
    assert not is_accepted(tokens, last.value, now=7200)  # it expires with its token
    with pytest.raises(PlatformError, match="15"):
        tokens.issue_ticket(token.value, now=7200)


def test_new_token_leaves_old_pair_valid_for_a_minute(tokens: TokenService) -> None:
    old_token, old_ticket = issue_pair(tokens, now=0)
    _, new_ticket = issue_pair(tokens, now=1200)

    assert is_accepted(tokens, old_ticket.value, now=1259.9)
    assert not is_accepted(tokens, old_ticket.value, now=1260)
    assert is_accepted(tokens, new_ticket.value, now=1260)
    with pytest.raises(PlatformError, match="15"):
        tokens.issue_ticket(old_token.value, now=1260)


def test_second_new_token_does_not_extend_coexistence(tokens: TokenService) -> None:
    _, oldest = issue_pair(tokens, now=0)
    tokens.issue_token(SECRET, now=100)
    tokens.issue_token(SECRET, now=150)

    assert not is_accepted(tokens, oldest.value, now=160)


def test_ticket_of_superseded_token_expires_with_it(tokens: TokenService) -> None:
    old_token = tokens.issue_token(SECRET, now=0)
    tokens.issue_token(SECRET, now=100)
    late = tokens.issue_ticket(old_token.value, now=130)

    assert late.superseded_at == 100
    assert is_accepted(tokens, late.value, now=159)
    assert not is_accepted(tokens, late.value, now=160)


def test_second_ticket_of_token_supersedes_first(tokens: TokenService) -> None:
    token, first = issue_pair(tokens, now=0)
    tokens.issue_ticket(token.value, now=100)

    assert is_accepted(tokens, first.value, now=159)
    assert not is_accepted(tokens, first.value, now=160)


def test_changed_secret_revokes_all_pairs_and_old_secret(tokens: TokenService) -> None:
    _, old_ticket = issue_pair(tokens, now=0)
    token, ticket = issue_pair(tokens, now=10)
    tokens.change_secret("another", now=20)

    assert not is_accepted(tokens, old_ticket.value, now=20)
    assert not is_accepted(tokens, ticket.value, now=20)
    with pytest.raises(PlatformError, match="15"):
        tokens.issue_ticket(token.value, now=20)
    with pytest.raises(PlatformError, match="400105"):
        tokens.issue_token(SECRET, now=20)
    assert tokens.issue_token("another", now=20).is_valid(20)


def test_wrong_secret_and_unknown_token_get_nothing(tokens: TokenService) -> None:
    _, ticket = issue_pair(tokens, now=0)
    with pytest.raises(PlatformError, match="400105"):
        tokens.issue_token("wrong", now=100)
    with pytest.raises(PlatformError, match="400103"):
        tokens.issue_ticket("never issued", now=100)

    assert is_accepted(tokens, ticket.value, now=1000)


@pytest.mark.parametrize(
    ("seconds_later", "overlaps"), [(0, True), (9.9, True), (10, False)]
)
def test_token_call_overlaps_refresh_without_ticket_for_ten_seconds(
    tokens: TokenService, seconds_later: float, *, overlaps: bool
) -> None:
    assert not tokens.begin_token_call(100)
    tokens.issue_token(SECRET, now=100)
    tokens.end_token_call()

    assert tokens.begin_token_call(100 + seconds_later) is overlaps


def test_token_call_overlaps_only_a_call_in_flight(tokens: TokenService) -> None:
    tokens.begin_token_call(0)
    assert tokens.begin_token_call(100)
    issue_pair(tokens, now=100)
    tokens.end_token_call()
    tokens.end_token_call()

    assert not tokens.begin_token_call(101)


def test_repr_of_grants_contains_no_value(tokens: TokenService) -> None:
    token, ticket = issue_pair(tokens, now=0)

    assert token.value not in repr(token)
    assert ticket.value not in repr(ticket)
