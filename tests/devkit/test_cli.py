"""The command line: help, exit codes, and errors as sentences."""

import subprocess
import sys

import pytest

from kycourier import __version__

COMMANDS = [
    "demo",
    "serve",
    "sandbox",
    "refresh",
    "collect",
    "show",
    "resume",
    "verify",
    "sign",
    "doctor",
]
USES_SETTINGS = [
    ["serve", "--port", "0"],
    ["refresh"],
    ["collect", "A1"],
    ["show", "A1"],
    ["resume", "A1"],
    ["resume"],
]
CANARY = "canary-value"


def test_without_a_command_it_shows_its_help(kycourier):
    ended = kycourier()
    assert (ended.code, ended.err) == (0, "")
    assert all(f"\n  {command} " in ended.out for command in COMMANDS)
    assert ended == kycourier("--help")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_help_has_an_example_and_fits_80_columns(kycourier, command):
    ended = kycourier(command, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert f"\n    kycourier {command}" in ended.out.partition("Example")[2]
    assert max(map(len, ended.out.splitlines())) <= 80


def test_no_command_is_cut_short_in_the_list(kycourier):
    assert "..." not in kycourier().out.partition("Commands:")[2]


def test_the_sandboxs_help_has_the_magic_order_numbers(kycourier):
    ended = kycourier("sandbox", "--help")
    assert "\n  lateN " in ended.out
    assert "\n  codeN " in ended.out


def test_it_tells_its_version(kycourier):
    assert kycourier("--version") == (0, f"kycourier {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["colect"], "Did you mean 'collect'?"),
        (["--loud"], "No such option: --loud."),
        (["show"], "Missing argument 'ORDER'."),
        (["show", "A1", "A2"], "unexpected extra argument"),
        (["serve", "--port", "eighty"], "'--port'"),
        (["serve", "--port", "65536"], "'--port'"),
        (["serve", "--sweep-seconds", "0"], "'--sweep-seconds'"),
        (["serve", "--workers", "0"], "'--workers'"),
        (["collect"], "name an order"),
        (["collect", "A-1"], "'A-1' is no order number"),
        (["collect", "--from", "absent.txt"], "absent.txt cannot be read"),
        (["show", "../A1"], "is no order number"),
        (["resume", "A1", "É"], "is no order number"),
        (["verify"], "Missing argument 'PATH'."),
    ],
)
def test_a_wrong_argument_is_one_sentence_and_exit_code_2(kycourier, arguments, said):
    ended = kycourier(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.startswith("kycourier")
    assert ended.err.count("\n") == 1


@pytest.mark.enable_socket  # serve takes its port first
@pytest.mark.parametrize("arguments", USES_SETTINGS)
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(kycourier, arguments):
    ended = kycourier(*arguments, KYCOURIER_STATE=CANARY)
    assert ended.code == 2
    assert ended.err.startswith("kycourier: KYCOURIER_STATE: must be ")
    assert ended.err.count("\n") == 1
    assert CANARY not in ended.out + ended.err


@pytest.mark.enable_socket  # serve takes its port first
@pytest.mark.parametrize("arguments", USES_SETTINGS)
def test_a_place_that_cannot_be_used_is_a_wrong_setting(kycourier, arguments):
    ended = kycourier(*arguments, KYCOURIER_STATE=f"sqlite:////proc/{CANARY}/state.db")
    assert ended.code == 2
    assert ended.err.startswith("kycourier: KYCOURIER_STATE: cannot be used: ")
    assert CANARY not in ended.out + ended.err


@pytest.mark.enable_socket  # serve takes its port first
@pytest.mark.parametrize("arguments", USES_SETTINGS)
def test_a_folder_that_cannot_be_written_is_a_sentence(kycourier, tmp_path, arguments):
    (tmp_path / ".kycourier").write_text("a file")
    ended = kycourier(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert ".kycourier cannot be written here" in ended.err
    assert ended.err.count("\n") == 1


def test_an_app_of_ones_own_gets_no_sandbox_secret(kycourier):
    ended = kycourier("refresh", KYCOURIER_APP_ID="PARTNER1")
    assert ended.code == 2
    assert ended.err == "kycourier: KYCOURIER_APP_SECRET: is not set\n"


def test_as_a_process_it_ends_with_the_same_codes_and_no_traceback(shell):
    assert shell("--version").code == 0
    wrong = shell("colect")
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
    failed = shell("show", "A1")
    assert failed == (1, "", "There is no order A1 of SANDBOX1.\n")


def test_a_full_disk_is_one_sentence(tmp_path):
    """What is printed goes nowhere; no traceback comes of it."""
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        ended = subprocess.run(
            [sys.executable, "-m", "kycourier_devkit", "show", "ORDER1"],
            cwd=tmp_path,
            env={},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
