"""Newlines, encodings and failures of a secret in a file."""

from pathlib import Path

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


@pytest.mark.parametrize("content", [b"", b"\n", b"synthetic-\xff", b"\xff\xfea\0"])
def test_file_without_a_secret_is_store_unavailable(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)

    with pytest.raises(StoreUnavailableError) as failure:
        FileSecret(tmp_path / "secret").get()

    assert failure.value.__context__ is None
    assert "synthetic" not in str(failure.value)


@pytest.mark.parametrize("name", ["missing", "folder", "file/below"])
def test_unreadable_path_is_store_unavailable(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    path: Path = tmp_path / name

    with pytest.raises(StoreUnavailableError) as failure:
        FileSecret(path).get()

    assert failure.value.__context__ is None
    assert str(tmp_path) not in str(failure.value)
