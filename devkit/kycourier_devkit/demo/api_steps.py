"""Steps in which an API request starts the work, or nothing but the sweep does."""

from collections.abc import Iterator
from http import HTTPStatus

from kycourier_devkit.demo.environments.environment import (
    CloudEnvironment,
    Environment,
    events_of,
    wait_until,
)
from kycourier_devkit.demo.queue_steps import (
    UNREADABLE,
    build_message,
    check_collected,
)
from kycourier_devkit.demo.runner import Check
from kycourier_devkit.emulators.http_call import ApiResponse

REQUESTED, LATER, ALSO_LATER = "DEMO0004", "DEMO0006", "DEMO0007"
FORGOTTEN, NEVER_READY = "DEMO0008", "DEMO0009"
REJECTED_PATH = "/v1/orders?state=rejected"
PHOTO_PATH = f"/v1/orders/{REQUESTED}/photos/original"
_JPEG = b"\xff\xd8\xff"


def reject_unsigned(environment: Environment) -> Iterator[Check]:
    """Sends a request without a signature."""
    response = environment.request("PUT", f"/v1/orders/{REQUESTED}", signed=False)
    yield Check("401", response.status == HTTPStatus.UNAUTHORIZED)


def register(environment: Environment) -> Iterator[Check]:
    """Registers an order."""
    response = environment.request("PUT", f"/v1/orders/{REQUESTED}")
    registered = _is(response, HTTPStatus.CREATED, "registered")
    queries = environment.sandbox.report().queries_per_order[REQUESTED]
    yield Check("201, registered; no query yet", registered and queries == 0)


def collect(environment: Environment) -> Iterator[Check]:
    """Collects a registered order while the caller waits."""
    response = environment.request("POST", f"/v1/orders/{REQUESTED}/collection")
    yield Check(
        "200, collected while the caller waited",
        _is(response, HTTPStatus.OK, "collected"),
    )
    yield check_collected(environment, REQUESTED)


def read_order(environment: Environment) -> Iterator[Check]:
    """Reads a collected order."""
    response = environment.request("GET", f"/v1/orders/{REQUESTED}")
    [event] = events_of(environment, REQUESTED)
    same = (response.status, response.members["event_id"]) == (200, event["id"])
    yield Check("200, with the masked number and the event's id", same)


def list_rejected(environment: Environment) -> Iterator[Check]:
    """Lists the orders that were rejected."""
    response = environment.request("GET", REJECTED_PATH)
    listed = [order["order_no"] for order in response.members["orders"]]
    yield Check("200, the rejected order alone", listed == [UNREADABLE])


def link_photo(environment: Environment) -> Iterator[Check]:
    """Requests a photo."""
    link = _request_photo(environment)
    text = "302 to a signed link that is valid for five minutes"
    yield Check(text, environment.traits.link_parameter in link)


def download_photo(environment: CloudEnvironment) -> Iterator[Check]:
    """Follows the link to a photo."""
    content = environment.download(_request_photo(environment))
    yield Check("the link returns a JPEG", content.startswith(_JPEG))


def retry_not_ready(environment: Environment) -> Iterator[Check]:
    """Collects two orders whose results are not ready, by API and by queue."""
    orders = (LATER, ALSO_LATER)
    for order in orders:
        environment.sandbox.set_order(order, "notready2")
    response = environment.request("POST", f"/v1/orders/{LATER}/collection")
    waits = _is(response, HTTPStatus.ACCEPTED, "waiting")
    waits = waits and response.members["reason"] == "not_ready"
    retry_after = response.headers["Retry-After"]
    yield Check(f"API: 202, not_ready, Retry-After: {retry_after}", waits)
    returned = environment.deliver(build_message(ALSO_LATER))
    yield Check("queue: the message is acknowledged, the order waits", not returned)
    retried = [0]
    wait_until(
        environment,
        lambda: all(events_of(environment, order) for order in orders),
        act=lambda: retried.append(environment.retry_due_orders()),
    )
    text = f"{environment.traits.retry_path} retried each of them once"
    yield Check(text, sum(retried) == len(orders))
    for order in orders:
        yield check_collected(environment, order)


def sweep_forgotten(environment: Environment) -> Iterator[Check]:
    """Registers two orders for which no message comes; one is never ready."""
    orders = (FORGOTTEN, NEVER_READY)
    environment.sandbox.set_order(NEVER_READY, "neverready")
    for order in orders:
        response = environment.request("PUT", f"/v1/orders/{order}")
        queries = environment.sandbox.report().queries_per_order[order]
        created = response.status == HTTPStatus.CREATED and queries == 0
        yield Check(f"201, registered; no query yet: {order}", created)
    expected = ("fresh", len(orders), 0)
    reported = wait_until(environment, lambda: _health(environment) == expected)
    yield Check("/v1/health reports a fresh ticket and two due orders", reported)
    due: list[int] = []  # the clock of a function may be a second behind
    wait_until(
        environment,
        lambda: sum(due) >= len(orders),
        act=lambda: due.append(environment.fire_timer("sweep_orders")["due"]),
    )
    yield Check("sweep_orders found both due orders", sum(due) == len(orders))
    yield check_collected(environment, FORGOTTEN)


def _request_photo(environment: Environment) -> str:
    response = environment.request("GET", PHOTO_PATH)
    return response.headers["Location"] if response.status == HTTPStatus.FOUND else ""


def _health(environment: Environment) -> tuple[object, ...]:
    health = environment.request("GET", "/v1/health").members
    backlog = health["backlog"]
    return health["ticket"]["state"], backlog["due"], backlog["unsent"]


def _is(response: ApiResponse, status: HTTPStatus, state: str) -> bool:
    return (response.status, response.members["state"]) == (status, state)
