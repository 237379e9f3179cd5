"""This machine's randomness: of the right form, and no letter likelier than another."""

from collections import Counter

from kycourier.adapters import system
from kycourier.adapters.system import SystemNonces


def test_a_nonce_is_32_letters_and_digits_and_never_the_same():
    drawn = {SystemNonces().nonce() for _ in range(200)}

    assert len(drawn) == 200
    assert {len(nonce) for nonce in drawn} == {32}
    assert all(nonce.isascii() and nonce.isalnum() for nonce in drawn)


def test_each_letter_stands_for_as_many_bytes_as_the_others():
    spelled = bytes(range(256)).translate(system._SPELLED, system._UNEVEN)

    assert len(Counter(spelled)) == 62
    assert set(Counter(spelled).values()) == {4}


def test_a_draw_that_leaves_too_little_is_gone_on_with(monkeypatch):
    left = [b"\xff" * 64, b"\x00" * 31 + b"\xff" * 33, bytes(64)]
    monkeypatch.setattr(system.secrets, "token_bytes", lambda _: left.pop(0))

    assert SystemNonces().nonce() == "a" * 32
    assert left == []
