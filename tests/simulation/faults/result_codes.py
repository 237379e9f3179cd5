"""Faults 23, 24 and 26-29: result codes that reject, delay or stop orders."""

import json

from simulation.engine.plan import Plan
from simulation.environment.platform import NEVER, CardScan, build_result, result_code
from simulation.faults.actions import reply, respond
from simulation.faults.registry import FaultRun, fault, without_registration
from support.rigs.fake_platform import error_reply


def _respond_with_code(run: FaultRun, *codes: str, end: str) -> None:
    """Respond to each query of a scan with one of the codes."""
    for scan in run.scans:
        scan.fixed_response = result_code(run.rng.choice(codes))
        scan.expect_end(end)
    run.count_each_response()


def _never_ready(plan: Plan) -> None:
    plan.never_ready = True


@fault(23, "66660011 or 66660020", configure=_never_ready)
def not_ready(run: FaultRun) -> None:
    run.context.ttl_seconds = 7200.0
    for scan in run.scans:
        scan.ready_at = run.rng.choice((40.0, 300.0, NEVER))
        scan.not_ready = run.rng.choice(("66660011", "66660020"))
        if scan.ready_at == NEVER:
            scan.expect_end("expired")
    run.count_each_response()


@fault(
    24,
    "-9011 … -9014",
    check=lambda run: run.expect(
        all(scan.query_count <= 1 for scan in run.scans), "a rejection was retried"
    ),
)
def rejected(run: FaultRun) -> None:
    _respond_with_code(run, "-9011", "-9012", "-9013", "-9014", "9011", end="rejected")


@fault(
    26,
    "unknown code",
    check=lambda run: run.expect(
        all(scan.query_count <= 2 for scan in run.scans), "more than two queries"
    ),
)
def unknown_code(run: FaultRun) -> None:
    _respond_with_code(run, "987654", "-1", "1", "0x0", end="parked")


@fault(
    27,
    "code as int, null, 0.0, ' 0'",
    check=lambda run: run.expect(
        all((scan.query_count == 1) == (scan.odd_code == 0) for scan in run.scans),
        "an odd code counted as success, or int 0 did not",
    ),
)
def odd_code(run: FaultRun) -> None:
    """Only int 0 and "0" are success: any other code is queried again."""
    for scan in run.scans:
        scan.odd_code = run.rng.choice((0, None, 0.0, "0.0", " 0", "00", True, [], "٠"))
        if isinstance(scan.odd_code, float | bool):
            scan.odd_code = str(scan.odd_code)
        scan.scripted_responses.append(_with_code(scan.odd_code, run))
    run.count_each_response()


def _with_code(odd: object, run: FaultRun):
    def make(scan: CardScan):
        whole = json.loads(
            build_result(scan, now=run.context.scheduler.now).body.expose()
        )
        text = json.dumps(whole | {"code": odd}).encode()
        return reply(text)

    return make


def _one_alarm_and_resume(run: FaultRun) -> None:
    run.expect(len(run.log_events("app_stopped")) == 1, "not exactly one alarm")
    run.expect(
        run.context.findings.observed["app resumed by an operator"] == 1,
        "no operator had to resume",
    )


@fault(
    28,
    "unknown or expired app",
    configure=without_registration,
    check=_one_alarm_and_resume,
)
def app_is_stopped(run: FaultRun) -> None:
    run.plan.may_park = True
    code = run.rng.choice(("66660001", "66660002"))
    run.during("kyc.query", respond(lambda: error_reply(code)),
        starts_at=0.0, ends_at=100.0
    )  # fmt: skip


@fault(
    29,
    "too frequent, concurrency control",
    configure=without_registration,
    check=lambda run: run.expect(
        bool(run.log_events("breaker_opened")), "the circuit breaker never opened"
    ),
    expects=("half-open call", "breaker_closed"),
)
def too_frequent(run: FaultRun) -> None:
    code = run.rng.choice(("400501", "400504", "400506", "66660012", "999995"))
    calls = run.rng.choice(("kyc.query", "kyc.*", "kyc.token"))
    run.during(calls, respond(lambda: error_reply(code)))
