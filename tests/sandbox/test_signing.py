"""The sandbox's signature check against the published signatures."""

import json
from pathlib import Path
from typing import Any

import pytest

from kycourier_devkit.sandbox.signing import sign, sign_matches

PUBLISHED = json.loads(
    (Path(__file__).parents[1] / "data" / "sign_vectors.json").read_text("utf-8")
)
V1 = PUBLISHED["vectors"][0]


def identity(vector: dict[str, Any]) -> str:
    return str(vector["id"])


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=identity)
def test_published_signature_is_computed_and_accepted(vector: dict[str, Any]) -> None:
    assert sign(vector["values"]) == vector["sha1"]
    assert sign_matches(vector["sha1"], values=vector["values"])


@pytest.mark.parametrize("wrong", PUBLISHED["never"], ids=identity)
def test_wrong_published_signature_is_accepted_for_no_vector(
    wrong: dict[str, Any],
) -> None:
    assert not any(
        sign_matches(wrong["sha1"], values=vector["values"])
        for vector in PUBLISHED["vectors"]
    )


def test_letter_case_of_a_signature_does_not_count() -> None:
    assert sign_matches(V1["sha1"].lower(), values=V1["values"])


@pytest.mark.parametrize("candidate", ["", "0" * 40, "é" * 40, V1["sha1"][:39]])
def test_anything_else_is_no_signature(candidate: str) -> None:
    assert not sign_matches(candidate, values=V1["values"])
