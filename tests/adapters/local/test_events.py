"""File modes, flushes, torn lines and failures of the event file."""

import fcntl
import threading
from pathlib import Path

import pytest

from kycourier.adapters.local.events import FileEventSink
from kycourier.core.errors import SinkUnavailableError
from kycourier.core.orders.record import OutboxEvent
from support.rigs.local_rig import file_mode
from support.spies import spy_on_fsync


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


def event(body: str) -> OutboxEvent:
    return OutboxEvent(id="e1", type="kycourier.bank_card.parked.v1", body=body)


def test_start_creates_file_and_folders_for_the_owner_only(tmp_path):
    path = tmp_path / "made" / "here" / "events.jsonl"

    FileEventSink(path)

    assert path.read_bytes() == b""
    assert file_mode(path) == 0o600
    assert {file_mode(path.parent), file_mode(path.parent.parent)} == {0o700}


def test_publish_flushes_the_line(path, monkeypatch):
    sink = FileEventSink(path)
    flushed = spy_on_fsync(monkeypatch, path)

    sink.publish([event('"one"')])

    assert flushed == [(path.stat().st_ino, True)]


def test_publish_creates_the_file_again_after_it_was_moved(tmp_path, path):
    sink = FileEventSink(path)
    sink.publish([event("1")])
    path.rename(tmp_path / "events.1")

    sink.publish([event("2")])

    assert (tmp_path / "events.1").read_text() == "1\n"
    assert path.read_text() == "2\n"
    assert file_mode(path) == 0o600


@pytest.mark.parametrize("torn", ["", '"torn', '"torn of\u8bc6'])
def test_publish_ends_a_torn_last_line_first(path, torn):
    path.write_bytes(b'"whole"\n' + torn.encode()[: len(torn.encode()) - bool(torn)])
    before = path.read_bytes()

    FileEventSink(path).publish([event("1"), event("2")])

    assert path.read_bytes() == before + (b"\n" if torn else b"") + b"1\n2\n"


def test_publish_waits_for_another_writer(path):
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
def test_body_with_line_breaks_rejects_the_whole_batch(path, body):
    sink = FileEventSink(path)

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event("1"), event(body)])

    assert failure.value.__context__ is None
    assert path.read_bytes() == b""


@pytest.mark.parametrize("name", ["file/events.jsonl", "folder"])
def test_unwritable_path_stops_the_start(tmp_path, name):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()

    with pytest.raises(SinkUnavailableError) as failure:
        FileEventSink(tmp_path / name)

    assert failure.value.__context__ is None
    assert str(tmp_path) not in str(failure.value)


def test_missing_folder_is_sink_unavailable(tmp_path):
    path = tmp_path / "folder" / "events.jsonl"
    sink = FileEventSink(path)
    path.unlink()
    path.parent.rmdir()

    with pytest.raises(SinkUnavailableError) as failure:
        sink.publish([event("1")])

    assert failure.value.__context__ is None


def test_lock_held_too_long_is_sink_unavailable(path, monkeypatch):
    """The process that holds the lock may be frozen."""
    sink = FileEventSink(path)
    monkeypatch.setattr("kycourier.adapters.local.events.EVENT_FILE_LOCK_SECONDS", 0.05)
    with path.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(SinkUnavailableError, match="EAGAIN"):
            sink.publish([event("1")])

    sink.publish([event("2")])

    assert path.read_text() == "2\n"
