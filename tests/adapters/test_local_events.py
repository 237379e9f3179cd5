"""What only the event file has: its mode, what it refuses, and failures."""

import fcntl
import stat
import threading
from pathlib import Path

import pytest

from kycourier.adapters.local.events import FileEventSink
from kycourier.core.errors import SinkUnavailable
from kycourier.core.order_record import OutboxEvent
from watching import watch_flushes


def event(body: str) -> OutboxEvent:
    return OutboxEvent(id="e1", type="kycourier.ocr.parked.v1", body=body)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_file_and_folders_are_made_at_the_start_for_their_owner_alone(tmp_path):
    path = tmp_path / "made" / "here" / "events.jsonl"

    FileEventSink(path)

    assert path.read_bytes() == b""
    assert mode(path) == 0o600
    assert {mode(path.parent), mode(path.parent.parent)} == {0o700}


def test_line_is_flushed_to_the_disk(tmp_path, monkeypatch):
    path = tmp_path / "events.jsonl"
    sink = FileEventSink(path)
    flushed = watch_flushes(monkeypatch, path)

    sink.publish([event('"one"')])

    assert flushed == [(path.stat().st_ino, True)]


def test_earlier_lines_are_kept(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text('"before"\n')

    FileEventSink(path).publish([event('"after"')])

    assert path.read_text() == '"before"\n"after"\n'


def test_file_that_was_moved_away_is_begun_anew(tmp_path):
    path = tmp_path / "events.jsonl"
    sink = FileEventSink(path)
    sink.publish([event("1")])
    path.rename(tmp_path / "events.1")

    sink.publish([event("2")])

    assert (tmp_path / "events.1").read_text() == "1\n"
    assert path.read_text() == "2\n"
    assert mode(path) == 0o600


@pytest.mark.parametrize("torn", ["", '"torn', '"torn of\u8bc6'])
def test_line_that_was_cut_off_is_closed_first(tmp_path, torn):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'"whole"\n' + torn.encode()[: len(torn.encode()) - bool(torn)])
    before = path.read_bytes()

    FileEventSink(path).publish([event("1"), event("2")])

    assert path.read_bytes() == before + (b"\n" if torn else b"") + b"1\n2\n"


def test_publishing_waits_while_another_writes(tmp_path):
    path = tmp_path / "events.jsonl"
    sink = FileEventSink(path)
    thread = threading.Thread(target=lambda: sink.publish([event("mine")]))
    with path.open("ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"the ot")
        thread.start()
        thread.join(0.2)
        other.write(b"her's\n")
    thread.join()

    assert path.read_text() == "the other's\nmine\n"


@pytest.mark.parametrize("body", ["", "{\n}", "{}\n", "{}\r", '"\ud800"'])
def test_body_that_is_no_line_is_refused_and_none_of_its_batch_is_written(
    tmp_path, body
):
    path = tmp_path / "events.jsonl"
    sink = FileEventSink(path)

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event("1"), event(body)])

    assert failure.value.__context__ is None
    assert path.read_bytes() == b""


def below_a_file(folder: Path) -> Path:
    (folder / "file").touch()
    return folder / "file" / "events.jsonl"


def folder_in_its_place(folder: Path) -> Path:
    (folder / "events.jsonl").mkdir()
    return folder / "events.jsonl"


@pytest.mark.parametrize("place", [below_a_file, folder_in_its_place])
def test_path_that_cannot_be_written_to_stops_the_start(tmp_path, place):
    path = place(tmp_path)

    with pytest.raises(SinkUnavailable) as failure:
        FileEventSink(path)

    assert failure.value.__context__ is None
    assert str(tmp_path) not in str(failure.value)


def test_folder_that_went_away_is_the_sinks_failure(tmp_path):
    path = tmp_path / "folder" / "events.jsonl"
    sink = FileEventSink(path)
    path.unlink()
    path.parent.rmdir()

    with pytest.raises(SinkUnavailable) as failure:
        sink.publish([event("1")])

    assert failure.value.__context__ is None


def test_file_whose_lock_is_kept_too_long_is_the_sinks_failure(tmp_path, monkeypatch):
    """Whoever keeps it may be frozen."""
    path = tmp_path / "events.jsonl"
    sink = FileEventSink(path)
    monkeypatch.setattr("kycourier.adapters.local.events.LOCK_SECONDS", 0.05)
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SinkUnavailable, match="EAGAIN"):
            sink.publish([event("1")])

    sink.publish([event("2")])

    assert path.read_text() == "2\n"
