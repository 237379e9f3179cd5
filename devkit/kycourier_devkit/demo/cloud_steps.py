"""Steps that need a cloud: deployment, secrets, permissions, credentials, redrive."""

from collections.abc import Iterator

from kycourier_devkit.demo.environments.environment import (
    CloudEnvironment,
    DeadLetterEnvironment,
    Environment,
    RenewingEnvironment,
    events_of,
    wait_until,
)
from kycourier_devkit.demo.queue_steps import build_message, check_collected
from kycourier_devkit.demo.runner import Check
from kycourier_devkit.errors import FunctionStartError

RENEWED, NO_STATE, NO_EVIDENCE, NO_EVENTS = (
    f"DEMO00{number}" for number in range(21, 25)
)


def deploy(environment: CloudEnvironment) -> Iterator[Check]:
    """Deploys the packages."""
    yield from environment.deploy()


def start_without_secret(environment: CloudEnvironment) -> Iterator[Check]:
    """Starts a function while its app secret is empty, then stores the secret."""
    message = "the function started"
    try:
        environment.start("refresh_ticket")
    except FunctionStartError as error:
        message = str(error)
    explained = message.startswith("KYCOURIER_APP_SECRET: ")
    yield Check(
        "the start fails, names KYCOURIER_APP_SECRET and what to do",
        explained and "put its value" in message,
    )
    yield Check("the secret's value is stored", environment.put_secrets())


def renew_credentials(environment: RenewingEnvironment) -> Iterator[Check]:
    """Renews the role's credentials, then delivers a message."""
    pid = environment.start("collect_results").pid
    yield Check("the former ones are rejected", environment.renew_credentials())
    returned = environment.deliver(build_message(RENEWED))
    yield Check("the message is acknowledged", not returned)
    same = environment.start("collect_results").pid == pid
    yield Check("the same process used the new credentials", same)
    yield check_collected(environment, RENEWED)


def deny_state(environment: DeadLetterEnvironment) -> Iterator[Check]:
    """Delivers a message while the function may not write to the table."""
    environment.purge_dead_letters()
    with environment.deny("state"):
        environment.deliver(build_message(NO_STATE))
    kept = environment.dead_letters() == [build_message(NO_STATE)]
    yield Check("the message is in the dead-letter queue, not lost", kept)
    yield _check_log_names(environment, environment.traits.permissions["state"])


def redrive(environment: DeadLetterEnvironment) -> Iterator[Check]:
    """Moves the dead letter back to the queue."""
    moved, returned = environment.redrive(), environment.deliver()
    yield Check("one message moved back and acknowledged", (moved, returned) == (1, []))
    yield check_collected(environment, NO_STATE)


def deny_evidence(environment: CloudEnvironment) -> Iterator[Check]:
    """Delivers a message while the function may not store photos."""
    with environment.deny("evidence"):
        returned = environment.deliver(build_message(NO_EVIDENCE))
        yield Check("the message is acknowledged", not returned)
        yield _check_log_names(environment, environment.traits.permissions["evidence"])
        waits = _state(environment, NO_EVIDENCE) == "waiting"
    unsent = not events_of(environment, NO_EVIDENCE)
    yield Check("the order is waiting, no event is published", waits and unsent)


def deny_events(environment: CloudEnvironment) -> Iterator[Check]:
    """Delivers a message while the function may not publish events."""
    with environment.deny("events"):
        returned = environment.deliver(build_message(NO_EVENTS))
        yield Check("the message is acknowledged", not returned)
        yield _check_log_names(environment, environment.traits.permissions["events"])
        collected = _state(environment, NO_EVENTS) == "collected"
    unsent = not events_of(environment, NO_EVENTS)
    yield Check(
        "the order is collected, its event stored in its row", collected and unsent
    )


def recover(environment: CloudEnvironment) -> Iterator[Check]:
    """Retries what was denied."""
    wait_until(
        environment,
        lambda: bool(events_of(environment, NO_EVIDENCE)),
        act=environment.retry_due_orders,
    )
    wait_until(
        environment,
        lambda: bool(events_of(environment, NO_EVENTS)),
        act=lambda: environment.fire_timer("sweep_orders"),
    )
    for order in (NO_EVIDENCE, NO_EVENTS):
        yield check_collected(environment, order)


def _state(environment: Environment, order_no: str) -> object:
    return environment.request("GET", f"/v1/orders/{order_no}").members["state"]


def _check_log_names(environment: Environment, action: str) -> Check:
    problems = [str(line.get("problem")) for line in environment.log_lines()]
    named = any(problem.startswith(f"denied_{action}_on_a_") for problem in problems)
    return Check(f"the log names the missing permission: {action}", named)
