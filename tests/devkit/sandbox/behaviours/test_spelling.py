"""Parsing of behaviours in order numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier_devkit.sandbox.behaviours.spelling import (
    Behaviour,
    index_by_name,
    parse_behaviour,
)

TABLE = index_by_name(
    (
        Behaviour("lateN", "", "late", 3),
        Behaviour("latenever", "", "never"),
        Behaviour("codeN", "", "code", 7),
        Behaviour("httpN", "", "http", 500),
        Behaviour("appexpired", "", "expired"),
    )
)


@pytest.mark.parametrize(
    ("text", "name", "number", "once"),
    [
        ("late", "late", 3, False),
        ("latex001", "late", 3, False),
        ("late0", "late", 0, False),
        ("latenever001", "latenever", 1, False),
        ("codem9011x", "code", -9011, False),
        ("appexpiredx7", "appexpired", 0, False),
        ("oncelate5x", "late", 5, True),
        ("once400101x", "code", 400101, True),
        ("oncem9011", "code", -9011, True),
        ("once503x", "http", 503, True),
        ("oncehttp429", "http", 429, True),
    ],
)
def test_name_with_number_is_parsed(
    text: str, name: str, number: int, *, once: bool
) -> None:
    parsed = parse_behaviour(text, table=TABLE)

    assert parsed is not None
    assert (parsed.name, parsed.number, parsed.once) == (name, number, once)


@pytest.mark.parametrize(
    "text",
    ["", "x", "x1", "503x1", "once", "oncex1", "later", "late3y", "Late3x1", "late3x-"],
)
def test_other_text_is_no_behaviour(text: str) -> None:
    assert parse_behaviour(text, table=TABLE) is None


@given(
    number=st.integers(0, 10**9), unique=st.from_regex("x[A-Za-z0-9]*", fullmatch=True)
)
def test_suffix_after_x_is_ignored(number: int, unique: str) -> None:
    assert parse_behaviour(f"late{number}{unique}", table=TABLE) == parse_behaviour(
        f"late{number}", table=TABLE
    )
