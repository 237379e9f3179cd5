"""Faults 1-17: the transport to the platform fails."""

import json

from kycourier.core.wire.messages import KycResponse
from simulation.engine.plan import Plan
from simulation.environment.interceptor import FaultAction
from simulation.faults.actions import (
    alter,
    drip,
    lose_with,
    refuse_with,
    repeat,
    reply,
    respond,
    slow,
)
from simulation.faults.registry import FaultRun, fault

# Of orders that did not fail, or that wait for the app or for another worker's refresh.
OTHER_CAUSES = {None, "breaker_open", "ticket_missing"}
CALLS = ("kyc.*", "kyc.query", "kyc.token", "kyc.ticket")
HTML = b"<html><body>Bad Gateway, synthetic</body></html>"


def _inject_in_calls(run: FaultRun, action: FaultAction) -> None:
    """Inject an action for a minute in all calls, or in calls of one kind."""
    calls, chance = run.rng.choice(CALLS), run.rng.choice((0.4, 1.0))
    run.during(calls, action, chance=chance)


def _register(number: int, title: str, cause: str, action: FaultAction) -> None:
    def name_the_cause(run: FaultRun) -> None:
        logged = {fields.get("cause") for fields in run.log_events("order_waiting")}
        others = logged - {cause, *OTHER_CAUSES}
        run.expect(not others, f"orders wait for {others} instead of {cause}")

    fault(number, title, check=name_the_cause)(
        lambda run: _inject_in_calls(run, action)
    )


def _refuse_after(seconds: float, cause: str) -> FaultAction:
    def action(call, proceed):
        slow(seconds)(call, lambda: None)
        return refuse_with(cause)(call, proceed)

    return action


RESOLVE, TLS = "resolve_failed", "tls_failed"
_register(1, "name does not resolve", RESOLVE, _refuse_after(0.05, RESOLVE))
_register(2, "port closed", "connect_failed", refuse_with("connect_failed"))
_register(3, "connect hangs", "timed_out", _refuse_after(2.0, "timed_out"))
_register(4, "bad, expired, wrong-host certificate", TLS, _refuse_after(0.1, TLS))
_register(5, "headers drip", "timed_out", drip)
_register(6, "body drips", "timed_out", drip)
_register(7, "reset mid-body", "connection_reset", lose_with("connection_reset"))
_register(8, "closed too early", "connection_reset", lose_with("connection_reset"))
_register(
    12, "redirect to another host", "http_status", respond(lambda: reply(b"", 302))
)
_register(13, "HTML page with 200", "reply_not_json", respond(lambda: reply(HTML)))
_register(15, "gzip bomb", "reply_encoded", lose_with("reply_encoded"))
_register(16, "endless body", "reply_too_large", lose_with("reply_too_large"))


@fault(9, "stale kept-alive connection")
def stale_connection(run: FaultRun) -> None:
    run.context.checker.tickets.max_queries *= 2  # the platform receives each twice
    _inject_in_calls(run, repeat)


def _opens_soon(run: FaultRun) -> None:
    """Check that the circuit breaker opens within 20 calls of the first failure."""
    lines = run.context.interceptor.trace
    opened = [at for at, line in enumerate(lines) if line.endswith("! breaker_opened")]
    calls = [
        line for line in lines[: opened[0] if opened else 0] if " kyc.query" in line
    ]
    run.expect(bool(opened), "the circuit breaker never opened")
    run.expect(
        len(calls) <= 20, f"{len(calls)} calls before the circuit breaker opened"
    )


def _one_worker(plan: Plan) -> None:
    plan.orders, plan.collectors, plan.channels = 40, 1, ("queue",)
    plan.arrival_seconds = 3.0


@fault(
    10,
    "burst of 500, 503, 504",
    configure=_one_worker,
    check=_opens_soon,
    expects=("half-open call",),
)
def burst(run: FaultRun) -> None:
    action = respond(lambda: reply(HTML, run.rng.choice((500, 503, 504))))
    run.during("kyc.query", action)


def _honours_retry_after(run: FaultRun) -> None:
    durations = [fields["seconds"] for fields in run.log_events("breaker_opened")]
    run.expect(bool(durations), "the circuit breaker never opened")
    run.expect(all(each <= 300.1 for each in durations), "open for more than 5 min")
    run.expect(
        "5" not in run.context.injected_values or durations[0] >= 4.9,
        "Retry-After was not honoured",
    )
    run.expect(
        "1000000000" not in run.context.injected_values or durations[0] >= 299,
        "a huge Retry-After was not honoured up to the cap",
    )


def _soon(plan: Plan) -> None:
    plan.arrival_seconds, plan.channels = 20.0, ("queue", "api")


@fault(11, "429 with Retry-After", configure=_soon, check=_honours_retry_after)
def too_many(run: FaultRun) -> None:
    value = run.rng.choice(("5", "1000000000", "1e9", "soon", "-5", "٥"))
    run.context.injected_values.add(value)
    action = respond(lambda: reply(b"{}", 429, retry_after=value))
    run.during("kyc.query", action, ends_at=40.0)


@fault(14, "JSON as text/plain, GBK bytes")
def gbk(run: FaultRun) -> None:
    text = json.dumps({"code": "0", "msg": "请求成功"}, ensure_ascii=False)
    action = respond(lambda: reply(text.encode("gbk")))
    run.during("kyc.*", action, chance=0.5)


@fault(17, "JSON cut at every offset")
def cut(run: FaultRun) -> None:
    """Cut every reply, so that nothing may be collected."""

    def shorten(whole: KycResponse) -> KycResponse:
        body = whole.body.expose()
        return reply(body[: run.rng.randrange(len(body))])

    def check_nothing_is_collected() -> None:
        rows = [
            row for row in run.context.stores.rows() if row.state.value == "collected"
        ]
        if run.plan.is_single_fault:
            run.expect(not rows, "a cut reply was collected")

    run.during("kyc.query", alter(shorten))
    run.at(69.9, check_nothing_is_collected)
