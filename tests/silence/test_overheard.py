"""A test that passes but lets a canary out fails, wherever it was let out."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PLANTS = """
import base64, logging, os, subprocess, sys
from pathlib import Path
import pytest
from canaries import APP_SECRET, NUMBER, PHOTO, TICKET

CHILD = [sys.executable, "-c", f"print('{NUMBER}')"]

def test_printed():
    print(NUMBER)

def test_on_standard_error_below_python():
    os.write(2, base64.b64encode(b"x" + APP_SECRET.encode()))

def test_printed_by_a_child():
    subprocess.run(CHILD, check=True)

def test_in_a_childs_pipe():
    assert subprocess.run(CHILD, check=True, capture_output=True).stdout

def test_in_what_a_test_took(capfd):
    print(NUMBER)
    assert capfd.readouterr().out

def test_in_a_log_record_at_debug():
    logging.getLogger("urllib3.connectionpool").debug("GET %s", NUMBER)

def test_in_what_a_record_carries_beside_its_text():
    logging.getLogger("kycourier").debug("fact", extra={"pair": TICKET})

def test_in_a_functions_log(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/functions.log").write_bytes(PHOTO)

def test_a_signature():
    print("sign=" + "0A" * 20)

def test_a_signed_url():
    print("Location: https://bucket.example/key?X-Amz-Signature=0a0b")

@pytest.fixture
def lately():
    yield
    print(NUMBER)

def test_at_teardown(lately):
    pass
"""
HARMLESS = """
import logging
import pytest
from canaries import NUMBER

def test_masked():
    print("411111******1111 v1:" + "0a" * 32)
    logging.getLogger("botocore").debug("nothing")

@pytest.mark.tells_secrets
def test_on_purpose():
    print(NUMBER)

@pytest.mark.xfail(strict=True)
def test_that_shows_its_inputs_as_it_fails():
    print(NUMBER)
    assert NUMBER == ""
"""


def run(folder: Path, text: str, *options: str) -> str:
    (folder / "test_planted.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-rfE", "-p", "overheard"]
    command += ["-p", "no:cacheprovider", f"--rootdir={folder}", *options]
    ended = subprocess.run(
        [*command, folder],
        env={"PYTHONPATH": str(Path(__file__).parents[1])},
        check=False,
        capture_output=True,
        text=True,
    )
    assert "INTERNAL" not in ended.stdout
    assert (ended.returncode == 0) == ("error" not in ended.stdout)
    return ended.stdout


@pytest.mark.slow
@pytest.mark.tells_secrets
@pytest.mark.parametrize("options", [["-n0"], ["-n2"]])
def test_a_test_that_let_something_out_fails_with_one_worker_and_with_two(
    tmp_path, options
):
    said = run(tmp_path, PLANTS, *options)

    caught = set(re.findall(r"(?m)^ERROR .*::(\w+)", said))
    assert caught == set(re.findall(r"(?m)^def (test_\w+)", PLANTS))
    assert "passed" in said  # each of them, but for this


@pytest.mark.slow
@pytest.mark.tells_secrets
def test_what_is_masked_or_told_on_purpose_or_shown_by_a_failure_is_no_find(tmp_path):
    assert "2 passed, 1 xfailed" in run(tmp_path, HARMLESS, "-n0")
