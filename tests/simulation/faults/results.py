"""Faults 18-22 and 25: results that lack photos, or are about another card."""

import json
from itertools import pairwise

from simulation.environment.platform import NEVER, PHOTO_FIELDS, CardScan
from simulation.faults.actions import freeze
from simulation.faults.registry import FaultRun, fault, without_registration


def last_event_data(run: FaultRun, scan: CardScan) -> dict[str, object]:
    """Return the data of the order's last event."""
    row = run.context.stores.row(scan.order_no)
    assert row is not None
    return json.loads(row.events[-1].body)["data"]


@fault(18, "success:false with code 0")
def success_is_false(run: FaultRun) -> None:
    for scan in run.scans:
        scan.changes["success"] = run.rng.choice((False, "false", None))
    run.count_each_response()


def _photos_are_complete_or_missing(run: FaultRun) -> None:
    kinds = dict(zip(PHOTO_FIELDS, ("original", "cropped", "number"), strict=True))
    for scan in run.scans:
        data = last_event_data(run, scan)
        never = {kinds[k] for k, after in scan.photos_after.items() if after == NEVER}
        late = max(scan.photos_after.values(), default=0.0)
        in_place = scan.query_times[:4]
        gaps = [b - a for a, b in pairwise(in_place)]
        run.expect(
            set(data["photos_missing"]) == never,
            "the event does not name a missing photo",
        )
        run.expect(late > 2.5 or len(scan.query_times) <= 4, "queried too often")
        run.expect(
            all(a >= b for a, b in zip(gaps, (1, 2, 4), strict=False)),
            "queried again too soon",
        )


@fault(19, "photos late by 1, 3, 30 s, never", check=_photos_are_complete_or_missing)
def photos_are_late(run: FaultRun) -> None:
    for scan in run.scans:
        after = run.rng.choice((1.0, 3.0, 30.0, NEVER))
        scan.photos_after = dict.fromkeys(PHOTO_FIELDS, after)
    run.count_each_response()


@fault(
    20, "one of three photos late or never there", check=_photos_are_complete_or_missing
)
def one_photo_is_late(run: FaultRun) -> None:
    for scan in run.scans:
        scan.photos_after = {
            run.rng.choice(PHOTO_FIELDS): run.rng.choice((1.0, 3.0, 30.0, NEVER))
        }
        if NEVER in scan.photos_after.values():
            continue
        if "origin" not in next(iter(scan.photos_after)):
            scan.photos_after = dict.fromkeys(scan.photos_after, 2.0)
    run.count_each_response()


@fault(
    21,
    "the reply's orderNo is another",
    check=lambda run: run.expect(
        not run.context.stores.evidence.objects, "something was stored"
    ),
)
def other_order(run: FaultRun) -> None:
    for scan in run.scans:
        scan.changes["orderNo"] = run.rng.choice(("another1", scan.order_no + "0", ""))
        if not scan.changes["orderNo"]:
            scan.changes["orderNo"] = scan.order_no.upper() + "Z"
        scan.expect_end("rejected")
    run.count_each_response()


def _conflict_is_logged(run: FaultRun) -> None:
    run.expect(
        bool(run.log_events("stale_owner_refused")), "no stale owner was refused"
    )
    run.expect(bool(run.log_events("result_conflict")), "the conflict is not logged")


@fault(
    22,
    "second query returns another card number",
    configure=without_registration,
    check=_conflict_is_logged,
    expects=("stale_owner_refused", "result_conflict"),
)
def number_changes(run: FaultRun) -> None:
    """Freeze a worker with the first result; another worker collects the second."""
    for scan in run.scans:
        scan.later_numbers = ["4000056655665556"]
    run.once("evidence.put", freeze(200.0, after=False))
    run.plan.extend_faults_to(420.0)


WARNINGS = {
    "0": [],
    "-9110": ["-9110"],
    "[-9110,-9111]": ["-9110", "-9111"],
    "-90007": ["-90007"],
}


def _warnings_are_in_event(run: FaultRun) -> None:
    for scan in run.scans:
        sent = scan.changes.get("multiWarnCode")
        found = [w["code"] for w in last_event_data(run, scan)["quality"]["warnings"]]
        if isinstance(sent, str) and sent in WARNINGS:
            run.expect(found == WARNINGS[sent], f"{sent} became {found}")


@fault(25, "warnings: one, list, unknown, broken list", check=_warnings_are_in_event)
def warned(run: FaultRun) -> None:
    for scan in run.scans:
        sent = run.rng.choice((*WARNINGS, "[-9110,", "[[]]", "", None, 7, [-9110, "x"]))
        scan.changes |= {"multiWarnCode": sent, "warnCode": "0"}
    run.count_each_response()
