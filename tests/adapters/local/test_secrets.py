"""Newlines, encodings and failures of a secret in a file."""

import pytest

from kycourier.adapters.local.secrets import FileSecret
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"abc", "abc"),
        (b"abc\n", "abc"),
        (b"abc\n\n", "abc\n"),
        (b"abc\r\n", "abc\r"),
        (b"\nabc\n", "\nabc"),
        (b" abc \n", " abc "),
        (b"\n\n", "\n"),
        ("密\n".encode(), "密"),
    ],
)
def test_one_trailing_newline_is_dropped(tmp_path, content, secret):
    (tmp_path / "secret").write_bytes(content)

    assert FileSecret(tmp_path / "secret").get() == Secret(secret)


@pytest.mark.parametrize(
    "name", ["newline", "latin-1", "utf-16", "folder", "newline/below"]
)
def test_unreadable_file_is_store_unavailable(tmp_path, name):
    (tmp_path / "newline").write_bytes(b"\n")
    (tmp_path / "latin-1").write_bytes(b"synthetic-\xff")
    (tmp_path / "utf-16").write_bytes(b"\xff\xfea\0")
    (tmp_path / "folder").mkdir()

    with pytest.raises(StoreUnavailableError) as failure:
        FileSecret(tmp_path / name).get()

    assert failure.value.__context__ is None
    assert "synthetic" not in str(failure.value)
    assert str(tmp_path) not in str(failure.value)
