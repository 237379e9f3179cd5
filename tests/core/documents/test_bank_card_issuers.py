"""Issuers of cards: longest prefix and exact length, and nothing guessed."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.documents.bank_card_issuers import IssuerTable, load_issuers


@pytest.mark.parametrize(
    ("prefix", "length", "bank_code", "card_type"),
    [  # ten large banks, looked up by hand
        ("622588", 16, "CMB", "debit"),
        ("622848", 19, "ABC", "debit"),
        ("621700", 19, "CCB", "debit"),
        ("622202", 19, "ICBC", "debit"),
        ("621661", 19, "BOC", "debit"),
        ("622262", 19, "COMM", "debit"),
        ("622150", 19, "PSBC", "debit"),
        ("622622", 16, "CMBC", "debit"),
        ("622155", 16, "SPABANK", "credit"),
        ("622909", 18, "CIB", "debit"),
    ],
)
def test_known_prefixes_have_their_bank_at_their_length_only(
    prefix, length, bank_code, card_type
):
    found = load_issuers().find(prefix.ljust(length, "0"))
    assert (found["bank_code"], found["card_type"]) == (bank_code, card_type)
    assert found["source"] == load_issuers().source
    assert load_issuers().find(prefix.ljust(length + 1, "0")) != found


@pytest.mark.parametrize("digits", ["", "6", "4000000000000002", "0" * 64])
def test_unknown_number_has_no_issuer(digits):
    assert load_issuers().find(digits) is None


def test_longest_prefix_decides():
    table = msgspec.convert(
        {
            "source": "list 1",
            "licence": "",
            "banks": {"A": "a", "B": "b"},
            "ranges": {
                "622": [("A", "debit", 16)],
                "622588": [("B", "credit", 16), ("A", "prepaid", 19)],
            },
        },
        IssuerTable,
    )
    assert table.find("6225880000000000")["bank_code"] == "B"
    assert table.find("6220000000000000")["bank_code"] == "A"
    assert table.find("6225880000000000000")["card_type"] == "prepaid"


@given(st.text("0123456789", max_size=24))
def test_found_issuer_is_of_the_list(digits):
    table = load_issuers()
    found = table.find(digits)
    if found is not None:
        assert found["bank"] == table.banks[found["bank_code"]]
        assert found["card_type"] in {"debit", "credit", "semi_credit", "prepaid"}


def test_licence_is_beside_the_table():
    assert load_issuers().licence.startswith("MIT License")
