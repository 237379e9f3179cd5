"""Failures of a secret in a file."""

import pytest

from kycourier.adapters.local.secrets import FileSecret
from kycourier.adapters.registry import UnwrappedSecret
from kycourier.core.errors import StoreUnavailableError


@pytest.mark.parametrize(
    "name", ["newline", "latin-1", "utf-16", "folder", "newline/below"]
)
def test_unreadable_file_is_store_unavailable(tmp_path, name):
    (tmp_path / "newline").write_bytes(b"\n")
    (tmp_path / "latin-1").write_bytes(b"synthetic-\xff")
    (tmp_path / "utf-16").write_bytes(b"\xff\xfea\0")
    (tmp_path / "folder").mkdir()

    with pytest.raises(StoreUnavailableError) as failure:
        UnwrappedSecret(FileSecret(tmp_path / name), None).get()

    assert failure.value.__context__ is None
    assert "synthetic" not in str(failure.value)
    assert str(tmp_path) not in str(failure.value)
