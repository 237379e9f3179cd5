"""What the adapters' tests share."""

import shutil

import pytest

from certificates import Certificates, make_certificates


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("certificates are made by the openssl command")
    return make_certificates(tmp_path_factory.mktemp("certificates"))
