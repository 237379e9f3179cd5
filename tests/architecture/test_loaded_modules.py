"""Functions load neither the devkit nor the SDK of a cloud that is not configured."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("refresh_ticket", "collect_results", "orders_api", "sweep_orders")
UNWANTED = {  # dateutil is botocore's; Powertools imports a bare botocore if installed
    "PIL", "boto3", "click", "cryptography", "dateutil", "hiredis", "hypothesis",
    "joserfc", "kycourier_devkit", "obstore", "pydantic", "pytest", "redis", "rich",
    "tencentcloud", "typer",
}  # fmt: skip


def loaded(code, tmp_path, **environ):
    """Return the top-level names of `sys.modules` after `code` in a child process."""
    site = [path for path in sys.path if path.endswith("site-packages")]
    paths = [*site, str(ROOT / "layers/service/python"), str(ROOT / "functions")]
    before = f"import sys; sys.path[:0] = {paths!r}"
    after = "print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{before}\n{code}\n{after}"],
        cwd=tmp_path,
        env={"PATH": os.defpath, **environ},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_loads_only_what_it_uses(function, tmp_path):
    settings = {
        "APP_ID": "SANDBOX1",
        "APP_SECRET": "env:SECRET",
        "STATE": "sqlite:///state.db",
        "EVIDENCE": f"file://{tmp_path}/evidence",
        "EVENTS": f"file://{tmp_path}/events.jsonl",
        "FINGERPRINT_KEY": "env:FINGERPRINT",
        "API_KEYS": "env:SECRET",
    }
    environ = {f"KYCOURIER_{name}": text for name, text in settings.items()}
    environ |= {"SECRET": "s" * 64, "FINGERPRINT": "f" * 32}
    names = loaded(f"import {function}", tmp_path, **environ)
    assert {"kycourier", "requests", "msgspec", "sqlite3"} <= names
    assert not UNWANTED & names


@pytest.mark.parametrize(
    ("modules", "own", "others"),
    [
        ("aws.factory", {"kycourier"}, UNWANTED),
        ("tencent.factory", {"kycourier"}, UNWANTED),
        # redis-py would load asyncio, a quarter of the start time.
        ("redis.factory", {"hiredis"}, {"asyncio"} | UNWANTED - {"hiredis"}),
        (
            "tencent.factory tencent.evidence tencent.events tencent.secrets",
            {"tencentcloud", "obstore"},
            {"botocore", "hiredis"},
        ),
        (
            "aws.factory aws.evidence aws.events aws.secrets",
            {"obstore"},
            {"botocore", "tencentcloud", "hiredis"},
        ),
    ],
)
def test_adapters_load_no_other_technology(modules, own, others, tmp_path):
    imports = [f"import kycourier.adapters.{name}" for name in modules.split()]
    names = loaded("\n".join(imports), tmp_path)
    assert own <= names
    assert not others & names
