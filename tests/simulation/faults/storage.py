"""Faults 54-60: event sink, state store, evidence store and settings."""

from typing import cast

from kycourier.core.errors import EvidenceConflictError, StaleOwnerError
from kycourier.core.orders.pages import Page
from kycourier.core.orders.record import OrderRecord
from simulation.environment.interceptor import PortCall
from simulation.faults.actions import Proceed, die, lose_response, refuse
from simulation.faults.registry import FaultRun, fault

SECRET_VALUE = "s3kret-value-of-a-setting"


@fault(54, "stored but publish fails", expects=("event_publish_failed",))
def publish_fails(run: FaultRun) -> None:
    action = run.rng.choice((refuse, lose_response))
    chance = run.rng.choice((0.5, 1.0))
    run.during("sink.publish*", action, ends_at=120, chance=chance)


def _marks_sent(call: PortCall) -> bool:
    record = cast("OrderRecord", call.args[0])
    return bool(record.events) and not record.unsent


@fault(55, "published but mark fails", expects=("outbox re-sent",))
def mark_fails(run: FaultRun) -> None:
    action = run.rng.choice((refuse, die(after=False), lose_response))
    run.plan.extend_faults_to(125)
    run.add_rule("orders.commit", action, ends_at=120, chance=0.7, only=_marks_sent)


@fault(
    56,
    "partial failure in a 200 response",
    expects=("event_publish_failed", "outbox re-sent"),
)
def partial_failure(run: FaultRun) -> None:
    """Accept a call or not, and fail in both cases: all entries are sent again."""

    def action(call: PortCall, proceed: Proceed) -> object:
        if run.rng.random() < 0.5:
            proceed()
        raise call.error()

    run.during("sink.publish*", action, ends_at=120, chance=0.6)
    run.during("queue.enqueue", action, ends_at=120, chance=0.6)


@fault(57, "store throttles, condition fails, torn read", expects=("rows_unreadable",))
def store_throttles(run: FaultRun) -> None:
    run.plan.extend_faults_to(200)
    pages: dict[str, Page] = {}

    def read(call: PortCall, proceed: Proceed) -> object:
        page = cast("Page", proceed())
        stale = pages.get(call.verb, page)
        pages[call.verb] = page
        return stale if run.rng.random() < 0.5 else _torn(page)

    def action(call: PortCall, proceed: Proceed) -> object:
        if call.verb == "commit" and run.rng.random() < 0.3:
            raise StaleOwnerError("synthetic fault")
        return run.rng.choice((refuse, lose_response))(call, proceed)

    for verb in ("list_due", "list_unsent"):
        run.add_rule(f"orders.{verb}", read, ends_at=195, chance=0.6)
    for port in ("orders", "tickets", "leases", "breakers"):
        run.add_rule(f"{port}.*", action, ends_at=195, chance=0.15)


def _torn(page: Page) -> Page:
    """Return the page without its first row, which counts as unreadable."""
    if not page.records:
        return page
    return Page(page.records[1:], page.next, unreadable=page.unreadable + 1)


@fault(58, "put returned 409, 412, 503, or done but timed out")
def put_in_doubt(run: FaultRun) -> None:
    run.plan.may_park = True

    def action(call: PortCall, proceed: Proceed) -> object:
        if run.rng.random() < 0.2:
            key = cast("str", call.args[0])
            objects = run.context.stores.evidence.objects
            if objects.setdefault(key, b"other bytes") == b"other bytes":
                raise EvidenceConflictError
        return run.rng.choice((refuse, lose_response))(call, proceed)

    run.during("evidence.put", action, ends_at=110, chance=0.4)


@fault(59, "bit flipped on the way to the bucket", expects=("evidence_unavailable",))
def bit_flipped(run: FaultRun) -> None:
    def action(call: PortCall, proceed: Proceed) -> object:
        del proceed
        key, content = cast("tuple[str, bytes]", call.args)
        corrupt = bytearray(content)
        corrupt[run.rng.randrange(len(corrupt))] ^= 1
        return run.context.stores.evidence.put(key, bytes(corrupt), **call.named)

    run.during("evidence.put", action, ends_at=110, chance=0.5)


WRONG = {
    "KYCOURIER_STATE": f"sqlite:/{SECRET_VALUE}",
    "KYCOURIER_EVIDENCE": f"ftp://{SECRET_VALUE}",
    "KYCOURIER_APP_SECRET": SECRET_VALUE,
    "KYCOURIER_MAX_IN_FLIGHT": SECRET_VALUE,
    "KYCOURIER_KYC_URL": f"http://{SECRET_VALUE}.example",
    "KYCOURIER_FINGERPRINT_KEY": None,
    "KYCOURIER_APP_ID": None,
}


def _names_the_variable(run: FaultRun) -> None:
    problems = run.context.start_problems
    run.expect(bool(problems), "it started")
    run.expect(
        all(min(run.context.injected_values) in each for each in problems),
        "the message lacks the name",
    )
    run.expect(
        not any(SECRET_VALUE in each for each in problems),
        "the message contains the value",
    )


@fault(60, "bad configuration", check=_names_the_variable)
def bad_configuration(run: FaultRun) -> None:
    variable = run.rng.choice(sorted(WRONG))
    right, wrong = run.context.environ.get(variable), WRONG[variable]
    run.context.injected_values.add(variable)

    def set_value(value: str | None) -> None:
        run.context.environ.pop(variable, None)
        if value is not None:
            run.context.environ[variable] = value

    set_value(wrong)
    run.count_each_machine()
    run.plan.first_refresh = 100.0
    run.at(60.0, lambda: set_value(right))
