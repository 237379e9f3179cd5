"""The demo: the acceptance of the whole on one machine, and honest about itself."""

import json
import re
import signal
import sqlite3
from contextlib import closing

import pytest

from kycourier_devkit.demo import run as demo
from kycourier_devkit.demo.files import remove_earlier
from kycourier_devkit.demo.script import Seen, Step, watch
from kycourier_devkit.demo.steps import STEPS
from kycourier_devkit.errors import FunctionDied, UsageProblem
from kycourier_devkit.evidence.check import check_manifest, find_manifests
from kycourier_devkit.local_lock import hold

HOSTILE = {
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


def test_it_plays_on_one_cloud_at_a_time(shell):
    both = shell("demo", "--aws", "--tencent")

    assert both.code == 2
    assert "--aws or --tencent, not both" in both.err


@pytest.mark.slow
def test_it_runs_in_an_empty_folder_and_again_afresh(shell, root):
    first = shell("demo", **HOSTILE)
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
def test_ctrl_c_ends_it_with_one_line_and_no_process_left(start, root):
    running = start("demo")
    running.wait_for(" 3  ")
    children = running.children()
    assert len(children) == 4
    ended = running.end(signal.SIGINT)
    assert (ended.code, ended.err) == (130, "kycourier: stopped\n")
    assert not [pid for pid in children if running.is_alive(pid)]
    assert (root / "events.jsonl").exists()


@pytest.mark.enable_socket
def test_a_step_that_does_not_give_what_it_says_fails_the_demo(kycourier, monkeypatch):
    lie = Step("A step.", lambda _: iter([Seen("the moon is green", holds=False)]))
    monkeypatch.setattr(demo, "STEPS", (STEPS[0], STEPS[1], lie))
    ended = kycourier("demo")
    assert ended.code == 1
    assert "    ok  refresh_ticket bought the first ticket pair\n" in ended.out
    assert "    NO  the moon is green\n" in ended.out
    assert ended.err == "1 of these did not give what they say.\n"


def raises(error):
    def play(_):
        yield Seen("so far so good", holds=True)
        raise error

    return play


@pytest.mark.parametrize(
    "error", [FunctionDied("orders_api", -9), KeyError("state"), TypeError("None")]
)
def test_a_step_that_breaks_off_is_not_taken_for_good(error):
    seen = watch(Step("A step.", raises(error)), None)
    assert [each.holds for each in seen] == [True, False]


def write_state(root, *apps):
    with closing(sqlite3.connect(root / "state.db")) as state, state:
        state.execute("CREATE TABLE orders (app_id)")
        state.execute("CREATE TABLE tickets (app_id)")
        state.executemany("INSERT INTO orders VALUES (?)", [(app,) for app in apps])


def write_traces(root):
    """Leave what a demo leaves, and what it does not."""
    (root / "evidence/SANDBOX1/2026").mkdir(parents=True)
    (root / "evidence/SANDBOX1/2026/photo.jpg").write_text("photo")
    for name in ("events.jsonl", "functions.log", "queue.db", "fingerprint.key"):
        (root / name).write_text("text")
    write_state(root, "SANDBOX1")
    (root / "notes.txt").write_text("mine")


def test_only_the_traces_of_an_earlier_demo_are_removed(root):
    write_traces(root)
    remove_earlier(root)
    left = {path.name for path in root.iterdir()}
    assert left == {"fingerprint.key", "notes.txt"}
    remove_earlier(root)
    remove_earlier(root.parent / "absent")


def test_a_folder_with_another_apps_orders_is_refused_whole(root):
    write_traces(root)
    (root / "state.db").unlink()
    write_state(root, "SANDBOX1", "PARTNER1")
    with pytest.raises(UsageProblem, match="orders of another app than SANDBOX1"):
        remove_earlier(root)
    assert (root / "events.jsonl").exists()


def test_a_folder_with_another_apps_evidence_is_refused_whole(root):
    write_traces(root)
    (root / "evidence/PARTNER1").mkdir()
    with pytest.raises(UsageProblem, match="evidence of another app than SANDBOX1"):
        remove_earlier(root)
    assert (root / "state.db").exists()


@pytest.mark.parametrize("name", ["events.jsonl", "state.db"])
def test_a_link_in_a_traces_place_is_refused(root, name):
    write_traces(root)
    outside = root.parent / "outside"
    (root / name).rename(outside)
    (root / name).symlink_to(outside)
    with pytest.raises(UsageProblem, match="not a plain file"):
        remove_earlier(root)
    assert outside.exists()


def test_evidence_behind_a_link_is_refused(root, tmp_path):
    root.mkdir()
    (tmp_path / "photos").mkdir()
    (root / "evidence").symlink_to(tmp_path / "photos")
    with pytest.raises(UsageProblem, match="not a folder"):
        remove_earlier(root)


def test_a_folder_that_is_a_link_or_a_file_is_refused(root, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    root.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageProblem, match="is not a folder"):
        remove_earlier(root)
    root.unlink()
    root.write_text("a file")
    with pytest.raises(UsageProblem, match="is not a folder"):
        remove_earlier(root)


def test_a_state_file_that_is_none_is_refused(root):
    root.mkdir()
    (root / "state.db").write_text("not a database at all, but long enough " * 50)
    with pytest.raises(UsageProblem):
        remove_earlier(root)


def test_it_refuses_a_folder_that_is_in_use(kycourier, root):
    with hold(root):
        ended = kycourier("demo")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        "kycourier: another kycourier command is running on this .kycourier\n"
    )
