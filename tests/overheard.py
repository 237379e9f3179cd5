"""A pytest plugin that listens to everything written while a test runs.

A test that passed, but let a canary out, fails: on standard output and error (a child's
too), in a log record at DEBUG, in what a child printed to a pipe, in a file `*.log` of
its folder. A test that lets one out on purpose says so: `@pytest.mark.tells_secrets`.
"""

import logging
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from canaries import CANARIES, PATTERNS
from leak_scan import find_leaks

LOGS = "*.log"


class Overheard(logging.Handler):
    """What was heard since the last test ended, by where it was heard."""

    def __init__(self) -> None:
        super().__init__(logging.NOTSET)
        self._heard: dict[str, list[bytes]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Hear all of a record, also what no format shows."""
        told = [record.getMessage(), repr(vars(record)), self.format(record)]
        self.hear(f"logger {record.name}", "\n".join(told))

    def hear(self, where: str, text: str | bytes | None) -> None:
        """Keep what was written."""
        if text:
            content = text.encode(errors="replace") if isinstance(text, str) else text
            self._heard.setdefault(where, []).append(content)

    def take(self) -> dict[str, bytes]:
        """Give what was heard, and listen anew."""
        heard, self._heard = self._heard, {}
        return {where: b"\n".join(texts) for where, texts in heard.items()}


def find(sinks: dict[str, bytes]) -> list[str]:
    """Name each sink, and what stands in it."""
    found = [f"{sink}: a canary, {name}" for sink, name in find_leaks(CANARIES, sinks)]
    return found + [
        f"{sink}: {name}"
        for sink, content in sinks.items()
        for name, pattern in PATTERNS.items()
        if pattern.search(content)
    ]


_listener = Overheard()
_failed = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    """Listen until the end, at DEBUG, to whatever passes a log, a pipe or a fixture."""
    config.addinivalue_line("markers", "tells_secrets: lets canaries out on purpose")
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    root = logging.getLogger()
    root.addHandler(_listener)
    config.add_cleanup(lambda: root.removeHandler(_listener))
    config.add_cleanup(partial(root.setLevel, root.level))
    root.setLevel(logging.DEBUG)
    _listen_to(patch, subprocess.Popen, "communicate", "a child's pipe")
    _listen_to(patch, pytest.CaptureFixture, "readouterr", "captured output")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Show no more of a failure's log than before."""
    shown = session.config.pluginmanager.get_plugin("logging-plugin")
    shown.report_handler.setLevel(logging.WARNING)


def _listen_to(patch: pytest.MonkeyPatch, owner: type, name: str, where: str) -> None:
    """Hear both streams that a method gives, and give them on."""
    method = getattr(owner, name)

    def heard(self: object, *args: object, **options: object) -> object:
        streams = method(self, *args, **options)
        for text in streams:
            _listener.hear(where, text)
        return streams

    patch.setattr(owner, name, heard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Iterator[None]:
    """Judge a test once it has ended."""
    report: pytest.TestReport = yield
    item.stash[_failed] = item.stash.get(_failed, False) or not report.passed
    if report.when != "teardown":
        return report
    heard = _listener.take()
    if item.stash[_failed] or item.get_closest_marker("tells_secrets"):
        return report
    if leaks := find({**heard, **_shown_by(report), **_logs_of(item)}):
        report.outcome = "failed"
        report.longrepr = "\n".join(["It let something secret out:", *leaks])
    return report


def _logs_of(item: pytest.Item) -> dict[str, bytes]:
    folder = getattr(item, "funcargs", {}).get("tmp_path")
    if not isinstance(folder, Path):
        return {}
    files = [path for path in sorted(folder.rglob(LOGS)) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def _shown_by(report: pytest.TestReport) -> dict[str, bytes]:
    """Give what pytest captured in all phases of a test."""
    shown: dict[str, bytes] = {}
    for name, text in report.sections:
        shown[name] = shown.get(name, b"") + text.encode(errors="replace")
    return shown
