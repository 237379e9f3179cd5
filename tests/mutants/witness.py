"""A pytest plugin for a run in a copy: it writes down the first failure.

It also proves that our packages are the copy's, and that the changed module imports.
"""

import importlib
import json
from pathlib import Path

import pytest

import kycourier
import kycourier_devkit


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--witness", type=Path, help="the file that takes the failure")
    parser.addoption("--changed", default="kycourier", help="the changed module")


def pytest_configure(config: pytest.Config) -> None:
    for package in (kycourier, kycourier_devkit):
        if config.rootpath not in Path(package.__file__).parents:
            raise pytest.UsageError(f"{package.__name__} is not the copy's")
    importlib.import_module(config.getoption("--changed"))
    config.pluginmanager.register(_Witness(config.getoption("--witness")))


class _Witness:
    def __init__(self, file: Path) -> None:
        self._file = file

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._write(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._write(report)

    def _write(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        crash = getattr(report.longrepr, "reprcrash", None)
        why = crash.message if crash else report.longreprtext
        if not self._file.exists():
            is_test = isinstance(report, pytest.TestReport)
            found = {"test": report.nodeid, "why": why, "is_test": is_test}
            self._file.write_text(json.dumps(found))
