"""The lock of the local folder."""

import pytest

from kycourier_devkit.errors import UsageError
from kycourier_devkit.workspace.folder_lock import lock_folder


def test_folder_is_locked_by_one_command_at_a_time(tmp_path):
    root = tmp_path / ".kycourier"
    rejected = pytest.raises(UsageError, match="another kycourier command")
    with lock_folder(root), rejected, lock_folder(root):
        pass
    with lock_folder(root):
        assert root.is_dir()
