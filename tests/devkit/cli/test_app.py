"""The command line: help, exit codes and error messages."""

import subprocess
import sys

import pytest

from kycourier import __version__
from kycourier_devkit.sandbox import control_rows

COMMANDS = [
    "demo",
    "serve",
    "sandbox",
    "refresh",
    "collect",
    "show",
    "list",
    "resume",
    "reindex",
    "keys new",
    "unseal",
    "events list",
    "events show",
    "events tail",
    "resend",
    "listen",
    "trigger",
    "verify",
    "sign",
    "doctor",
    "deploy tencent",
    "deploy secret",
]
COMMANDS_WITH_SETTINGS = [
    ["serve", "--port", "0"],
    ["refresh"],
    ["collect", "A1"],
    ["show", "A1"],
    ["list"],
    ["resume"],
    ["reindex"],
    ["events", "list"],
    ["resend", "A1"],
    ["listen", "--forward-to", "http://127.0.0.1:9/"],
    ["trigger", "collected"],
]
SECRET_VALUE = "a-secret-value"


def test_help_lists_all_commands(kycourier):
    result = kycourier()
    assert (result.code, result.err) == (0, "")
    assert all(f"\n  {command.split()[0]} " in result.out for command in COMMANDS)
    assert "..." not in result.out.partition("Commands:")[2]
    assert "\n  tencent " in kycourier("deploy").out
    sandbox = kycourier("sandbox", "--help").out
    assert all(
        f"\n  {command} " in kycourier("events").out for command in ("list", "tail")
    )
    assert "\n  late-photos " in kycourier("trigger", "--help").out  # the scenarios
    assert "\n  lateN " in sandbox  # the magic orders
    assert all(f"\n  {call} " in sandbox for call, _ in control_rows())
    assert "affects all orders, until `kycourier sandbox reset`" in " ".join(
        sandbox.split()
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_example_and_fits_80_columns(kycourier, command):
    result = kycourier(*command.split(), "--help")
    assert (result.code, result.err) == (0, "")
    assert f"\n    kycourier {command}" in result.out.partition("Example")[2]
    assert max(map(len, result.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["colect"], "Did you mean 'collect'?"),
        (["show"], "Missing argument 'ORDER'."),
        (["serve", "--port", "65536"], "'--port'"),
        (["serve", "--sweep-seconds", "0"], "'--sweep-seconds'"),
        (["serve", "--workers", "0"], "'--workers'"),
        (["serve", "--kyc-url", "x"], "--kyc-url: must be https://"),
        (["collect"], "name one as ORDER"),
        (["collect", "A-1"], "ORDER: 'A-1' is not an order number"),
        (["collect", "--from", "absent.txt"], "--from: absent.txt cannot be read"),
        (["show", "../A1"], "ORDER: '../A1' is not an order number"),
        (["resume", "A1", "É"], "ORDER: 'É' is not an order number"),
        (["demo", "--aws", "--tencent"], "use --aws or --tencent, not both"),
        (["--stack", "S", "serve"], "leave out --stack"),
        (["--stack", "S", "deploy", "tencent"], "leave out --stack"),
        (["verify", ""], "PATH: is empty"),
        (["sandbox", "start"], "the only action is `reset`"),
        (["collect", "A1", "--from", "."], "--from: . cannot be read"),
    ],
)
def test_wrong_argument_prints_one_line_and_exits_with_2(kycourier, arguments, message):
    result = kycourier(*arguments)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.startswith("kycourier")
    assert result.err.count("\n") == 1


@pytest.mark.enable_socket  # serve takes its port first
@pytest.mark.parametrize("arguments", COMMANDS_WITH_SETTINGS)
@pytest.mark.parametrize(
    ("state", "problem"),
    [
        (SECRET_VALUE, "must be "),
        (f"sqlite:////proc/{SECRET_VALUE}/state.db", "cannot be used: "),
    ],
    ids=["invalid", "unusable"],
)
def test_wrong_setting_is_named_without_its_value(kycourier, arguments, state, problem):
    result = kycourier(*arguments, KYCOURIER_STATE=state)
    assert result.code == 2
    assert result.err.startswith(f"kycourier: KYCOURIER_STATE: {problem}")
    assert result.err.count("\n") == 1
    assert SECRET_VALUE not in result.out + result.err


@pytest.mark.enable_socket  # serve takes its port first
@pytest.mark.parametrize("arguments", COMMANDS_WITH_SETTINGS)
def test_unwritable_folder_prints_one_line(kycourier, tmp_path, arguments):
    (tmp_path / ".kycourier").write_text("a file")
    result = kycourier(*arguments)
    assert (result.code, result.out) == (2, "")
    assert ".kycourier cannot be written here" in result.err
    assert result.err.count("\n") == 1


def test_process_exits_with_same_codes_without_traceback(shell):
    assert shell("--version") == (0, f"kycourier {__version__}\n", "")
    wrong = shell("colect")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    failed = shell("show", "A1")
    assert failed == (1, "", "Order A1 of SANDBOX1 does not exist.\n")


def test_full_disk_prints_no_traceback(tmp_path):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        result = subprocess.run(
            [sys.executable, "-m", "kycourier_devkit", "show", "ORDER1"],
            cwd=tmp_path,
            env={},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
