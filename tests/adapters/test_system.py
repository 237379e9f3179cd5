"""SystemRandom draws every character with equal probability."""

from collections import Counter

from kycourier.adapters import system
from kycourier.adapters.system import SystemRandom


def test_nonce_characters_are_equally_likely():
    spelled = bytes(range(256)).translate(system._BYTE_TO_CHARACTER, system._BIASED)

    assert len(Counter(spelled)) == 62
    assert set(Counter(spelled).values()) == {4}


def test_nonce_draws_again_when_too_few_bytes_are_usable(monkeypatch):
    left = [b"\xff" * 64, b"\x00" * 31 + b"\xff" * 33, bytes(64)]
    monkeypatch.setattr(system.secrets, "token_bytes", lambda _: left.pop(0))

    assert SystemRandom().nonce() == "a" * 32
    assert left == []
