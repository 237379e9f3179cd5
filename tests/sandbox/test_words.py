"""How behaviours are spelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier_devkit.sandbox.words import Word, by_name, read_word

TABLE = by_name(
    (
        Word("lateN", "", "late", 3),
        Word("latenever", "", "never"),
        Word("codeN", "", "code", 7),
        Word("httpN", "", "http", 500),
        Word("appexpired", "", "expired"),
    )
)


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("late", "late", 3),
        ("latex001", "late", 3),
        ("late30x001", "late", 30),
        ("late0", "late", 0),
        ("latenever001", "latenever", 1),
        ("codem9011x", "code", -9011),
        ("appexpiredx7", "appexpired", 0),
    ],
)
def test_word_with_its_number_is_read(text: str, name: str, number: int) -> None:
    spelled = read_word(text, table=TABLE)

    assert spelled is not None
    assert (spelled.name, spelled.number, spelled.once) == (name, number, False)


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [
        ("oncelate5x", "late", 5),
        ("once400101x", "code", 400101),
        ("oncem9011", "code", -9011),
        ("once503x", "http", 503),
        ("oncehttp429", "http", 429),
    ],
)
def test_once_limits_a_word_or_a_bare_number(text: str, name: str, number: int) -> None:
    spelled = read_word(text, table=TABLE)

    assert spelled is not None
    assert (spelled.name, spelled.number, spelled.once) == (name, number, True)


@pytest.mark.parametrize(
    "text",
    ["", "x", "x1", "503x1", "once", "oncex1", "later", "late3y", "Late3x1", "late3x-"],
)
def test_anything_else_spells_nothing(text: str) -> None:
    assert read_word(text, table=TABLE) is None


@given(
    number=st.integers(0, 10**9), unique=st.from_regex("x[A-Za-z0-9]*", fullmatch=True)
)
def test_whatever_follows_the_x_changes_nothing(number: int, unique: str) -> None:
    assert read_word(f"late{number}{unique}", table=TABLE) == read_word(
        f"late{number}", table=TABLE
    )
