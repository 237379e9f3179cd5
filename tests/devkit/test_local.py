"""The local values: where nothing is set, and only there."""

import stat

import pytest

from kycourier.settings import read_settings
from kycourier_devkit.errors import UsageProblem
from kycourier_devkit.local import SANDBOX_URL, local_environ
from kycourier_devkit.local_lock import hold
from kycourier_devkit.orders.parts import COLLECT_NEEDS
from kycourier_devkit.sandbox import APP_ID, APP_SECRET


@pytest.fixture
def root(tmp_path):
    return tmp_path / ".kycourier"


def test_with_nothing_set_all_that_is_needed_is_put_in(root):
    environ = local_environ({}, root=root)
    settings = read_settings(environ, needs=COLLECT_NEEDS)
    assert settings.app_id == APP_ID
    assert settings.kyc_url == SANDBOX_URL
    assert environ[settings.app_secret.where] == APP_SECRET
    assert environ["KYCOURIER_STATE"] == f"sqlite:///{root}/state.db"
    assert environ["KYCOURIER_QUEUE"] == f"sqlite:///{root}/queue.db"
    assert environ["KYCOURIER_EVIDENCE"] == f"file://{root}/evidence"
    assert environ["KYCOURIER_EVENTS"] == f"file://{root}/events.jsonl"
    assert settings.api_auth == "none"


def test_what_is_set_stays_and_all_else_is_passed_on(root):
    given = {
        "KYCOURIER_STATE": "dynamodb://table",
        "KYCOURIER_API_AUTH": "signature",
        "KYCOURIER_KYC_URL": "http://localhost:9",
        "HOME": "/home",
    }
    environ = local_environ(given, root=root)
    assert environ | given == environ
    assert environ["KYCOURIER_APP_ID"] == APP_ID


def test_an_empty_variable_counts_as_not_set(root):
    environ = local_environ({"KYCOURIER_STATE": ""}, root=root)
    assert environ["KYCOURIER_STATE"] == f"sqlite:///{root}/state.db"


def test_an_app_of_ones_own_gets_nothing_of_the_sandbox(root):
    environ = local_environ({"KYCOURIER_APP_ID": "PARTNER1"}, root=root)
    assert not {"KYCOURIER_APP_SECRET", "KYCOURIER_KYC_URL"} & environ.keys()
    assert APP_SECRET not in environ.values()


def test_the_sandboxs_app_may_be_named(root):
    environ = local_environ({"KYCOURIER_APP_ID": APP_ID}, root=root)
    assert APP_SECRET in environ.values()


def test_the_sandboxs_app_goes_to_this_machine_only(root):
    given = {"KYCOURIER_KYC_URL": "https://kyc1.qcloud.com"}
    assert "KYCOURIER_APP_ID" not in local_environ(given, root=root)
    environ = local_environ({}, root=root, kyc_url="https://kyc1.qcloud.com")
    assert APP_SECRET not in environ.values()


def test_the_fingerprint_key_is_drawn_once_and_private(root):
    environ = local_environ({}, root=root)
    path = root / "fingerprint.key"
    first = path.read_text()
    assert environ["KYCOURIER_FINGERPRINT_KEY"] == f"file://{path}"
    assert len(first) == 64
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    local_environ({}, root=root)
    assert path.read_text() == first


def test_no_key_is_drawn_where_one_is_set(root):
    local_environ({"KYCOURIER_FINGERPRINT_KEY": "env:KEY"}, root=root)
    assert not root.exists()


def test_the_folder_is_held_by_one_command_at_a_time(root):
    other = pytest.raises(UsageProblem, match="another kycourier command")
    with hold(root), other, hold(root):
        pass
    with hold(root):
        assert root.is_dir()
