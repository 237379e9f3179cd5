"""Signatures match the published vectors; known wrong values are never produced."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kycourier.core.wire.signature import sign

PAGE = json.loads((Path(__file__).parents[2] / "data/sign_vectors.json").read_text())


@pytest.mark.parametrize("vector", PAGE["vectors"], ids=lambda vector: vector["id"])
def test_published_vector_is_reproduced(vector):
    assert sign(vector["values"]).expose() == vector["sha1"]


@pytest.mark.parametrize("vector", PAGE["vectors"], ids=lambda vector: vector["id"])
def test_wrong_published_values_are_never_produced(vector):
    never = {wrong["sha1"] for wrong in PAGE["never"]}
    permutations = itertools.islice(itertools.permutations(vector["values"]), 120)
    assert not never & {sign(values).expose() for values in permutations}


@given(st.lists(st.text(st.characters(codec="utf-8"))), st.randoms())
def test_order_and_missing_values_change_nothing(values, random):
    shuffled = [*values, None]
    random.shuffle(shuffled)
    assert sign(shuffled) == sign(values)


def test_duplicates_are_kept():
    assert sign(["a", "a"]) != sign(["a"])


def test_values_are_not_trimmed():
    assert sign(["a ", "b"]) != sign(["a", "b"])


def test_values_are_sorted_by_utf16_code_unit():
    """An astral character's first code unit (D83D) is below U+FF10."""
    assert sign(["\uff10", "\U0001f600"]) == sign(["\U0001f600\uff10"])
