"""A test that leaks a canary fails, whatever the sink."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PLANTS = """
import base64, logging, os, subprocess, sys
from pathlib import Path
import pytest
from support.leaks.canaries import APP_SECRET, NUMBER, PHOTO, TICKET

CHILD = [sys.executable, "-c", f"print('{NUMBER}')"]

def test_printed():
    print(NUMBER)

def test_on_standard_error_below_python():
    os.write(2, base64.b64encode(b"x" + APP_SECRET.encode()))

def test_printed_by_a_child():
    subprocess.run(CHILD, check=True)

def test_in_the_pipe_of_a_child():
    assert subprocess.run(CHILD, check=True, capture_output=True).stdout

def test_in_captured_output(capfd):
    print(NUMBER)
    assert capfd.readouterr().out

def test_in_a_log_record_at_debug():
    logging.getLogger("urllib3.connectionpool").debug("GET %s", NUMBER)

def test_in_an_extra_field_of_a_log_record():
    logging.getLogger("kycourier").debug("event", extra={"pair": TICKET})

def test_in_the_log_of_a_function(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/functions.log").write_bytes(PHOTO)

def test_a_signature():
    print("sign=" + "0A" * 20)

def test_a_signed_url():
    print("Location: https://bucket.example/key?X-Amz-Signature=0a0b")

@pytest.fixture
def late_leak():
    yield
    print(NUMBER)

def test_at_teardown(late_leak):
    pass
"""
HARMLESS = """
import logging
import pytest
from support.leaks.canaries import NUMBER

def test_masked():
    print("411111******1111 v1:" + "0a" * 32)
    logging.getLogger("botocore").debug("nothing")

@pytest.mark.leaks_on_purpose
def test_on_purpose():
    print(NUMBER)

@pytest.mark.xfail(strict=True)
def test_that_fails():
    print(NUMBER)
    assert NUMBER == ""
"""


def run_tests(folder: Path, text: str, *options: str) -> str:
    (folder / "test_planted.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rfE",
        "-p",
        "support.leaks.leak_plugin",
    ]
    command += ["-p", "no:cacheprovider", f"--rootdir={folder}", *options]
    done = subprocess.run(
        [*command, folder],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "INTERNAL" not in done.stdout
    assert (done.returncode == 0) == ("error" not in done.stdout)
    return done.stdout


@pytest.mark.slow
@pytest.mark.leaks_on_purpose
@pytest.mark.parametrize("options", [["-n0"], ["-n2"]])
def test_leaking_tests_fail_with_one_worker_and_with_two(tmp_path, options):
    output = run_tests(tmp_path, PLANTS, *options)

    caught = set(re.findall(r"(?m)^ERROR .*::(\w+)", output))
    assert caught == set(re.findall(r"(?m)^def (test_\w+)", PLANTS))
    assert "passed" in output  # the tests pass; the plugin reports them


@pytest.mark.slow
@pytest.mark.leaks_on_purpose
def test_masked_deliberate_and_failing_output_is_no_leak(tmp_path):
    assert "2 passed, 1 xfailed" in run_tests(tmp_path, HARMLESS, "-n0")
