"""Faults 36-40: pairs, secrets and clocks that change while the service runs."""

from simulation.environment.machine import Machine
from simulation.faults.registry import FaultRun, fault, without_registration
from simulation.faults.ticket_refresh import (
    at_rotation_for_odd_seeds,
    check_no_sign_error,
)


@fault(36, "pair revoked upstream mid-life", expects=("forced refresh",))
def revoked(run: FaultRun) -> None:
    def revoke() -> None:
        run.context.platform.revoke_pairs()
        run.count()

    run.at(run.rng.uniform(12, 40), revoke)


@fault(37, "app secret changed")
def secret_changes(run: FaultRun) -> None:
    """Two minutes after the new secret is known, no order may still wait."""
    changed_at, known_at = run.rng.uniform(12, 30), run.rng.uniform(60, 300)
    run.plan.extend_faults_to(known_at)

    def change() -> None:
        run.context.platform.secret = f"{run.context.platform.secret}new"
        run.context.platform.revoke_pairs()
        run.count()

    def publish() -> None:
        run.context.secret.value = run.context.platform.secret

    def check_recovery() -> None:
        late = [
            row.order_no
            for row in run.context.stores.rows()
            if row.attempts and not row.state.is_final
        ]
        run.expect(not late, f"no recovery in two minutes: {late}")

    run.at(changed_at, change)
    run.at(known_at, publish)
    if run.plan.is_single_fault:
        run.at(known_at + 120, check_recovery)


def _lifetimes_are_valid(run: FaultRun) -> None:
    lifetimes = [fields["seconds"] for fields in run.log_events("ticket_refreshed")]
    run.expect(all(0 < each <= 7200 for each in lifetimes), f"lifetimes of {lifetimes}")


@fault(
    38,
    "odd expires_in",
    configure=at_rotation_for_odd_seeds,
    check=_lifetimes_are_valid,
)
def odd_lifetime(run: FaultRun) -> None:
    odd = ("", 0, -1, 1e12, "3600s", None, "1e3", [])
    starts_at = max(0.0, run.plan.arrival_from)

    def set_odd() -> None:
        run.context.platform.lifetimes = (
            run.rng.choice((*odd, 7200)),
            run.rng.choice((*odd, "3600")),
        )
        run.context.platform.on_token_issued.append(run.count)

    def set_valid() -> None:
        run.context.platform.lifetimes = ("7200", "3600")
        run.context.platform.on_token_issued.clear()

    run.at(starts_at, set_odd)
    run.at(starts_at + 90, set_valid)
    run.plan.extend_faults_to(starts_at + 95)


@fault(
    39,
    "clock ± 10 min, step, frozen sandbox thaws",
    configure=at_rotation_for_odd_seeds,
    check=check_no_sign_error,
)
def clocks_are_wrong(run: FaultRun) -> None:
    def set_wrong(machine: Machine) -> None:
        run.count()
        machine.skew = run.rng.uniform(-600, 600)
        machine.monotonic_stops = run.rng.random() < 0.5
        if not machine.monotonic_stops:  # one of the two clocks is right
            step, at = run.rng.uniform(-600, 600), run.rng.uniform(0, 200)
            run.context.scheduler.after(at, lambda: setattr(machine, "skew", step))

    run.context.on_new_machine.append(set_wrong)


def _one_retry_each(run: FaultRun) -> None:
    run.expect(bool(run.log_events("ticket_renewal_forced")), "no log event")
    most = max(each.refused for each in run.scans)
    run.expect(most <= 2, "more than one retry of an order")


@fault(
    40,
    "someone else refreshes the same app id",
    configure=without_registration,
    check=_one_retry_each,
)
def foreign_refresh(run: FaultRun) -> None:
    run.context.checker.tickets.allows_superseded_pairs = True

    def refresh() -> None:
        run.context.platform.refresh_elsewhere()
        run.count()

    at = run.rng.uniform(11, 20)
    run.at(at, refresh)
    run.plan.arrival_from, run.plan.arrival_seconds = at + 62, 90.0
    run.plan.extend_faults_to(at + 200)
