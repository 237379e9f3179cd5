"""The signature check against published signatures."""

import json
from pathlib import Path
from typing import Any

import pytest

from kycourier_devkit.sandbox.platform.signature import is_signature, sign

PUBLISHED = json.loads(
    (Path(__file__).parents[3] / "data" / "sign_vectors.json").read_text("utf-8")
)
V1 = PUBLISHED["vectors"][0]


def identity(vector: dict[str, Any]) -> str:
    return str(vector["id"])


@pytest.mark.parametrize("vector", PUBLISHED["vectors"], ids=identity)
def test_published_signature_is_computed_and_accepted(vector: dict[str, Any]) -> None:
    assert sign(vector["values"]) == vector["sha1"]
    assert is_signature(vector["sha1"], values=vector["values"])
    assert is_signature(vector["sha1"].lower(), values=vector["values"])


@pytest.mark.parametrize("wrong", PUBLISHED["never"], ids=identity)
def test_published_wrong_signature_is_rejected_for_every_vector(
    wrong: dict[str, Any],
) -> None:
    assert not any(
        is_signature(wrong["sha1"], values=vector["values"])
        for vector in PUBLISHED["vectors"]
    )


@pytest.mark.parametrize("candidate", ["", "0" * 40, "é" * 40, V1["sha1"][:39]])
def test_other_text_is_rejected(candidate: str) -> None:
    assert not is_signature(candidate, values=V1["values"])
