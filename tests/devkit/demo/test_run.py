"""The local demo passes in an empty folder, passes again, and ends on Ctrl-C."""

import json
import re
import signal

import pytest

from kycourier_devkit.demo import run
from kycourier_devkit.demo.runner import Check, Step
from kycourier_devkit.demo.scenario import STEPS
from kycourier_devkit.evidence.manifests import check_manifest, find_manifests
from kycourier_devkit.workspace.folder_lock import lock_folder

CLOUD_SETTINGS = {
    "KYCOURIER_STATE": "dynamodb://production",
    "KYCOURIER_KYC_URL": "https://kyc1.qcloud.com",
    "AWS_LAMBDA_FUNCTION_NAME": "production",
}
RANDOM = re.compile(r"[A-Za-z0-9]{32}|-[0-9a-f]{16}\.|[ 0-9]{9} bytes")


@pytest.fixture
def root(tmp_path):
    return tmp_path / ".kycourier"


def read_events(root):
    lines = (root / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.slow
def test_demo_passes_in_an_empty_folder_and_again_in_the_same(shell, root):
    first = shell("demo", **CLOUD_SETTINGS)
    assert (first.code, first.err) == (0, "")
    assert first.out.count("\n    ok  ") > len(STEPS)
    assert "NO" not in first.out.split()
    assert max(map(len, first.out.splitlines())) <= 80
    assert "\x1b" not in first.out
    events = read_events(root)
    assert len({event["id"] for event in events}) == len(events) >= 3
    assert {event["type"].split(".")[2] for event in events} == {
        "collected",
        "rejected",
    }
    photos = list((root / "evidence").rglob("*.jpg"))
    assert len(photos) == sum(len(event["data"].get("photos", ())) for event in events)
    assert all(photo.read_bytes().startswith(b"\xff\xd8\xff") for photo in photos)
    manifests = find_manifests(root / "evidence")
    assert len(manifests) * 3 == len(photos)
    assert not any(check_manifest(path).findings for path in manifests)

    second = shell("demo")
    assert second.code == 0
    assert RANDOM.sub("…", second.out) == RANDOM.sub("…", first.out)
    again = read_events(root)
    assert len(again) == len(events)
    assert not {event["id"] for event in events} & {event["id"] for event in again}
    assert not set(photos) & set((root / "evidence").rglob("*.jpg"))


@pytest.mark.slow
def test_ctrl_c_ends_the_demo_with_one_line_and_no_process_left(start, root):
    running = start("demo")
    running.wait_for(" 3  ")
    children = running.children()
    assert len(children) == 4
    ended = running.end(signal.SIGINT)
    assert (ended.code, ended.err) == (130, "kycourier: stopped\n")
    assert not [pid for pid in children if running.is_alive(pid)]
    assert (root / "events.jsonl").exists()


@pytest.mark.enable_socket
def test_failed_check_fails_the_demo(kycourier, monkeypatch):
    refresh = next(step for step in STEPS if step.name == "refresh")
    queue = next(step for step in STEPS if step.name == "queue")
    failing = Step("wrong", "A step.", lambda _: iter([Check("false", passed=False)]))
    monkeypatch.setattr(run, "STEPS", (refresh, queue, failing))

    ended = kycourier("demo")

    assert ended.code == 1
    assert "    ok  refresh_ticket obtained the first ticket pair\n" in ended.out
    assert "    NO  false\n" in ended.out
    assert ended.err == "1 step failed: see NO above.\n"


def test_demo_refuses_a_folder_that_is_in_use(kycourier, root):
    with lock_folder(root):
        ended = kycourier("demo")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "kycourier: another serve or demo uses .kycourier here: stop it first\n"
    )
