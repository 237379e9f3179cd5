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
    "PIL", "boto3", "click", "dateutil", "hiredis", "hypothesis", "kycourier_devkit",
    "obstore", "pydantic", "pytest", "redis", "rich", "tencentcloud", "typer",
}  # fmt: skip
CLOUD_MODULES = ("factory", "evidence", "events", "secrets")
PURE = {"socket", "sqlite3", "requests", "urllib3", "random", "secrets", "threading"}


def loaded(code, tmp_path, **environ):
    """Return the top-level names of `sys.modules` after `code` in a child process."""
    code += "\nimport sys; print(*{name.partition('.')[0] for name in sys.modules})"
    script = [sys.executable, "-I", "-S", "-c", "import sys\n" + code]
    site = [path for path in sys.path if path.endswith("site-packages")]
    paths = [*site, str(ROOT / "layers/service/python"), str(ROOT / "functions")]
    script[-1] = f"import sys; sys.path[:0] = {paths!r}\n{code}"
    done = subprocess.run(
        script,
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
    ("cloud", "own", "others"),
    [
        ("tencent", {"tencentcloud", "obstore"}, {"botocore", "hiredis"}),
        ("aws", {"obstore"}, {"botocore", "tencentcloud", "hiredis"}),
    ],
)
def test_chosen_cloud_loads_no_other(cloud, own, others, tmp_path):
    modules = [f"kycourier.adapters.{cloud}.{name}" for name in CLOUD_MODULES]
    names = loaded(f"import {', '.join(modules)}", tmp_path)
    assert own <= names
    assert not others & names


def test_redis_adapter_loads_no_event_loop(tmp_path):
    """redis-py would load asyncio, a quarter of the start time."""
    names = loaded("import kycourier.adapters.redis.factory", tmp_path)
    assert "hiredis" in names
    assert not {"asyncio", "redis", *UNWANTED} & (names - {"hiredis"})


@pytest.mark.parametrize("cloud", ["tencent", "aws"])
def test_cloud_lookup_does_not_load_its_sdk(cloud, tmp_path):
    names = loaded(f"import kycourier.adapters.{cloud}.factory", tmp_path)
    assert not UNWANTED & names


def test_core_loads_no_io(tmp_path):
    core = ROOT / "layers/service/python/kycourier/core"
    paths = [path.relative_to(core) for path in core.rglob("[a-z]*.py")]
    modules = [
        ".".join(["kycourier.core", *path.with_suffix("").parts]) for path in paths
    ]
    assert "kycourier.core.documents.bank_card" in modules
    names = loaded(f"import {', '.join(modules)}", tmp_path)
    ours = loaded(
        "import hashlib, hmac, json, importlib.resources, msgspec, pybase64", tmp_path
    )
    assert not PURE & (names - ours)
