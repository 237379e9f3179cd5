"""Local values of the settings that are not set."""

import stat

import pytest

from kycourier.settings.reader import read_settings
from kycourier_devkit.orders.container import COLLECT_SETTINGS
from kycourier_devkit.sandbox import APP_ID, APP_SECRET
from kycourier_devkit.workspace.local_settings import SANDBOX_URL, local_environ


@pytest.fixture
def root(tmp_path):
    return tmp_path / ".kycourier"


@pytest.mark.parametrize("variables", [{}, {"KYCOURIER_STATE": ""}])
def test_empty_environment_gets_all_required_settings(root, variables):
    environ = local_environ(variables, root=root)
    settings = read_settings(environ, needs=COLLECT_SETTINGS)
    assert settings.app_id == APP_ID
    assert settings.kyc_url == SANDBOX_URL
    assert environ[settings.app_secret.rest] == APP_SECRET
    assert environ["KYCOURIER_STATE"] == f"sqlite:///{root}/state.db"
    assert environ["KYCOURIER_QUEUE"] == f"sqlite:///{root}/queue.db"
    assert environ["KYCOURIER_EVIDENCE"] == f"file://{root}/evidence"
    assert environ["KYCOURIER_EVENTS"] == f"file://{root}/events.jsonl"
    assert settings.api_auth == "none"


def test_set_variables_are_not_changed(root):
    values = {
        "KYCOURIER_STATE": "dynamodb://table",
        "KYCOURIER_API_AUTH": "signature",
        "KYCOURIER_KYC_URL": "http://localhost:9",
        "HOME": "/home",
    }
    environ = local_environ(values, root=root)
    assert environ | values == environ
    assert environ["KYCOURIER_APP_ID"] == APP_ID


def test_only_the_sandbox_app_on_loopback_gets_sandbox_values(root):
    assert APP_SECRET in local_environ({"KYCOURIER_APP_ID": APP_ID}, root=root).values()
    other_app = local_environ({"KYCOURIER_APP_ID": "PARTNER1"}, root=root)
    assert not {"KYCOURIER_APP_SECRET", "KYCOURIER_KYC_URL"} & other_app.keys()
    assert APP_SECRET not in other_app.values()
    remote = "https://kyc1.qcloud.com"
    assert "KYCOURIER_APP_ID" not in local_environ(
        {"KYCOURIER_KYC_URL": remote}, root=root
    )
    by_option = local_environ({}, root=root, kyc_url=remote)
    assert APP_SECRET not in by_option.values()


def test_fingerprint_key_is_created_once_and_private(root):
    environ = local_environ({}, root=root)
    path = root / "fingerprint.key"
    first = path.read_text()
    assert environ["KYCOURIER_FINGERPRINT_KEY"] == f"file://{path}"
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    local_environ({}, root=root)
    assert path.read_text() == first


def test_no_key_is_created_if_one_is_set(root):
    local_environ({"KYCOURIER_FINGERPRINT_KEY": "env:KEY"}, root=root)
    assert not root.exists()
