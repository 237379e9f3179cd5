"""A pytest plugin that fails a passed test whose output contains a canary.

It scans standard output and error (of child processes too), log records from DEBUG,
pipes of child processes, and `*.log` files below `tmp_path`. A test that must write a
canary is marked `@pytest.mark.leaks_on_purpose`.
"""

import logging
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from support.leaks.canaries import CANARIES, PATTERNS
from support.leaks.leak_scan import find_leaks

LOGS = "*.log"


class OutputCapture(logging.Handler):
    """Output since the last test ended, by its source."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self._captured: dict[str, list[bytes]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Capture a whole record, including attributes that no format prints."""
        texts = [record.getMessage(), repr(vars(record)), self.format(record)]
        self.add(f"logger {record.name}", "\n".join(texts))

    def add(self, source: str, text: str | bytes | None) -> None:
        """Add output of a source."""
        if text:
            content = text.encode(errors="replace") if isinstance(text, str) else text
            self._captured.setdefault(source, []).append(content)

    def take(self) -> dict[str, bytes]:
        """Return the captured output by source, and starts anew."""
        captured, self._captured = self._captured, {}
        return {source: b"\n".join(texts) for source, texts in captured.items()}


def find(sinks: dict[str, bytes]) -> list[str]:
    """Return one line for each canary or pattern found in a sink."""
    found = [f"{sink}: a canary, {name}" for sink, name in find_leaks(CANARIES, sinks)]
    return found + [
        f"{sink}: {name}"
        for sink, content in sinks.items()
        for name, pattern in PATTERNS.items()
        if pattern.search(content)
    ]


_capture = OutputCapture()
_failed = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Capture log records, child pipes and captured output until the session ends."""
    config.addinivalue_line("markers", "leaks_on_purpose: writes a canary on purpose")
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    root = logging.getLogger()
    root.addHandler(_capture)
    config.add_cleanup(lambda: root.removeHandler(_capture))
    config.add_cleanup(partial(root.setLevel, root.level))
    root.setLevel(logging.DEBUG)
    _capture_streams(patch, subprocess.Popen, "communicate", "a child's pipe")
    _capture_streams(patch, pytest.CaptureFixture, "readouterr", "captured output")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Keep failure reports at WARNING although the root logger is at DEBUG."""
    logging_plugin = session.config.pluginmanager.get_plugin("logging-plugin")
    logging_plugin.report_handler.setLevel(logging.WARNING)


def _capture_streams(
    patch: pytest.MonkeyPatch, owner: type, name: str, source: str
) -> None:
    """Capture both streams that a method returns."""
    method = getattr(owner, name)

    def captured(self: object, *args: object, **options: object) -> object:
        streams = method(self, *args, **options)
        for text in streams:
            _capture.add(source, text)
        return streams

    patch.setattr(owner, name, captured)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Iterator[None]:
    """Fail a passed test that leaked, after its teardown."""
    report: pytest.TestReport = yield
    item.stash[_failed] = item.stash.get(_failed, False) or not report.passed
    if report.when != "teardown":
        return report
    captured = _capture.take()
    if item.stash[_failed] or item.get_closest_marker("leaks_on_purpose"):
        return report
    if leaks := find({**captured, **_captured_by(report), **_log_files_of(item)}):
        report.outcome = "failed"
        report.longrepr = "\n".join(["The test's output contains secrets:", *leaks])
    return report


def _log_files_of(item: pytest.Item) -> dict[str, bytes]:
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if not isinstance(folder, Path):
        return {}
    files = [path for path in sorted(folder.rglob(LOGS)) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _captured_by(report: pytest.TestReport) -> dict[str, bytes]:
    """Return what pytest captured in all phases of a test."""
    captured: dict[str, bytes] = {}
    for name, text in report.sections:
        captured[name] = captured.get(name, b"") + text.encode(errors="replace")
    return captured
