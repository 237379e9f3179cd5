"""Reads what each place prints of an order that failed: one cell of the page each."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache

import yaml

from kycourier.core.causes import Cause, metric_of
from kycourier_devkit.repository import ROOT
from support.causes.cause_rig import CauseRig, metrics_of
from support.causes.observations import Cell, Observation, normalize

UNREAD = Cell((), None)
_LOGGED = ("order_no", "state", "reason", "cause", "code", "http_status", "detail")
_LOGGED += ("error", "problem", "function")
# In every run; only their values matter, which are not judged here.
_TIMER_METRICS = {"TicketAgeSeconds", "OldestDueSeconds", "OldestUnsentSeconds"}
_TIMER_METRICS |= {"Sweeps"}
_FAILING = "OrderFailingSeconds"

FailedRun = tuple[CauseRig, Sequence[str], Observation]


def observe(
    rig: CauseRig,
    cause: Cause,
    order_no: str,
    how: str,
    *,
    since: int = 0,
    also: str = "",
    http_status: int | None = None,
    **cells: Cell,
) -> Observation:
    """Reads every place of an order that failed for `cause`.

    Args:
        rig: The running service.
        cause: The cause.
        order_no: The order.
        how: What brought it about, for the page.
        since: Where in the log it began.
        also: The first words of other lines of `serve` that belong to it.
        http_status: That of the response.
        cells: Places that were read already, or cannot name the cause.
    """
    word = cause.value
    read = {
        "show": lambda: read_show(rig, cause, order_no),
        "serve": lambda: read_serve(rig, word, order_no, also=also),
        "doctor": lambda: read_doctor(rig, word),
        "log_event": lambda: read_log(rig, word, order_no, since),
        "alarm": lambda: read_alarms(rig, metric_of(cause, http_status), since),
    }
    made = {place: cells.get(place) or read_it() for place, read_it in read.items()}
    named = {place.replace("_", " "): cell for place, cell in made.items()}
    return Observation(cause, how, named)


def read_doctor_when_due(runs: Sequence[FailedRun]) -> Iterator[Observation]:
    """Yields what was observed, completed by `doctor` once the orders are due."""
    for rig, orders, seen in runs:
        rig.wait_until_due(*orders)
        cells = seen.cells | {"doctor": read_doctor(rig, seen.cause.value, is_due=True)}
        yield replace(seen, cells=cells)


def read_show(rig: CauseRig, cause: Cause, order_no: str) -> Cell:
    """Reads what `show` prints of the last problem, and what to do."""
    _, lines = rig.run("show", order_no)
    starts = ("last problem", f"{cause.value}: ")
    return _cell(filter(lambda each: each.startswith(starts), lines), cause.value)


def read_serve(rig: CauseRig, word: str, order_no: str, *, also: str = "") -> Cell:
    """Reads the lines of `serve` on the order; one with the word must come.

    A function's name may stand for the order: it has an underscore, an order has none.
    """
    lines = rig.wait_for_line(rf"{order_no} .*{word}")
    starts = tuple(f"{start} " for start in (order_no, also) if start)
    found = [line for line in lines if line.startswith(starts)]
    shown = order_no if "_" in order_no else "ORDER"
    return _cell([re.sub(rf"^{order_no}\b", shown, each) for each in found], word)


def read_doctor(
    rig: CauseRig, word: str, *, code: int = 1, is_due: bool = False
) -> Cell:
    """Reads the lines of `doctor` that name the word as a problem or warning.

    Unless `is_due`, the order may be due already or not: its line is left out.
    """
    exit_code, lines = rig.run("doctor")
    assert exit_code == code, lines
    found = [line for line in lines if line.startswith(("problem ", "warning "))]
    told = [
        line
        for line in map(normalize, found)
        if word in line and (is_due or " due orders " not in line)
    ]
    return Cell((f"exit code {exit_code}", *told), word)


def read_silent_doctor(rig: CauseRig, cause: Cause, why_not: str) -> Cell:
    """Reads that `doctor` finds nothing; the reason is for the page."""
    exit_code, lines = rig.run("doctor")
    assert exit_code == 0, lines
    assert not any(cause.value in line for line in lines), lines
    return Cell((f"exit code {exit_code}", lines[-1]), None, why_not)


def read_log(rig: CauseRig, word: str, order_no: str, since: int = 0) -> Cell:
    """Reads the log events that name the word, without what differs by run."""
    told = []
    for line in rig.log_lines(since):
        if word in line.values() and line.get("order_no", order_no) == order_no:
            shown = line | {"order_no": "ORDER"} if "order_no" in line else line
            fields = [f"{name}={shown[name]}" for name in _LOGGED if name in shown]
            told.append(f"{line['message']} {' '.join(fields)}")
    return _cell(sorted(told), word)


def read_alarms(rig: CauseRig, metric: str, since: int = 0) -> Cell:
    """Reads the metrics, and the alarms of template.yaml on them.

    The seconds of a failing order begin at zero, and grow while the order waits.

    Args:
        rig: The running service.
        metric: The metric that counts the cause; it must have been written.
        since: Where in the log it began.
    """
    lines, alarms = rig.log_lines(since), _alarms()
    written = {name for line in lines for name in metrics_of(line)}
    counted = (written - _TIMER_METRICS - {_FAILING}) | (written & {metric})
    if any(line.get("message") == "order_waiting" for line in lines):
        assert any(_FAILING in line for line in lines)
        counted.add(_FAILING)
    rings = sorted(counted & alarms.keys())
    silent = sorted(counted & {metric} - alarms.keys())
    told = [f"{name}: {alarms[name]}" for name in rings]
    told += [f"{name}: no alarm of its own" for name in silent]
    return Cell(tuple(told), metric, rings=bool(rings))


def _cell(lines: Iterable[str], word: str) -> Cell:
    return Cell(tuple(dict.fromkeys(map(normalize, lines))), word)


class _Template(yaml.SafeLoader):
    """Reads CloudFormation, whose functions are YAML tags."""


_Template.add_multi_constructor("!", lambda _, __, node: node.value)


@cache
def _alarms() -> dict[str, str]:
    """Returns the alarms on our metrics by the metric's name."""
    text = (ROOT / "template.yaml").read_text("utf-8")
    resources = yaml.load(text, _Template)["Resources"]  # noqa: S506 - a SafeLoader
    return {
        each["Properties"]["MetricName"]: name
        for name, each in resources.items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
        and each["Properties"]["Namespace"] == "kycourier"
    }
