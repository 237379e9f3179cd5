"""Bugs in stores, triggers, the API and masking."""

import hashlib
from unittest.mock import ANY

from msgspec.structs import replace

from kycourier.core.errors import ApiProblemError, StoreUnavailableError
from kycourier.core.orders.outcomes import Delivery
from mutants.catalogue import edits, replaces

ORDERS = "tests/ports/test_order_store.py"
QUEUE = "tests/triggers/test_queue.py"
RUNTIME = "tests/ports/test_runtime_ports.py"
FINGERPRINTS = "tests/core/test_fingerprints.py"
ORDERS_QUEUE = "kycourier.triggers.queue:QueueTrigger"


@replaces("kycourier.adapters.local.orders:_replace", "I11", f"{ORDERS} -k sqlite")
def sqlite_commits_without_fencing(write, state, record, *, expected):
    """A stale owner replaces the row of a newer one (SQLite)."""
    row = state.execute(
        "SELECT version, fence FROM orders WHERE app_id = ? AND order_no = ?",
        (expected.app_id, expected.order_no),
    ).fetchone()
    stored = replace(expected, version=row["version"], fence=row["fence"])
    write(state, record, expected=stored)


@edits("kycourier.adapters.redis.orders:_WRITE", "I11", f"{ORDERS} -k redis")
def redis_commits_without_fencing(script):
    """A stale owner replaces the row of a newer one (Redis)."""
    return script.replace("then return 0 end", "then end")


@replaces(
    "kycourier.adapters.local.tickets:_fence",
    "I6",
    "tests/ports/test_ticket_store.py -k sqlite",
)
def ticket_is_saved_without_the_lease(_fence, _state, _name):
    """A refresher that lost its lease saves its pair."""
    return ANY


@replaces(
    "kycourier.adapters.aws.dynamodb.clock:DateClock.now",
    "I6",
    "tests/adapters/aws/test_store_clock.py",
)
def lease_is_judged_by_the_clock_of_the_worker(_now, self):
    """A worker whose clock is ahead takes a lease that has not expired (DynamoDB)."""
    return self._clock.now()


@replaces(f"{ORDERS_QUEUE}._deliver", "I1", QUEUE)
def message_id_is_the_key(deliver, self, message, deadline):
    """A record that was returned counts as done when it is delivered again."""
    seen = self.__dict__.setdefault("_seen", set())
    if message.id in seen:
        return Delivery.ACKNOWLEDGE
    seen.add(message.id)
    return deliver(self, message, deadline)


@replaces(f"{ORDERS_QUEUE}._handle_batch", "I10", QUEUE)
def bad_record_returns_the_batch(handle, self, messages, unknown, deadline):
    """One bad record of ten returns all ten."""
    if not handle(self, messages, unknown, deadline)["batchItemFailures"]:
        return {"batchItemFailures": []}
    every = [{"itemIdentifier": message.id} for message in messages]
    return {"batchItemFailures": every}


@replaces(f"{ORDERS_QUEUE}._record_poison", "I10", "tests/triggers/test_ckafka.py")
def poison_is_returned_for_ever(_record_poison, _self, _source, error):
    """A record that cannot be parsed makes the trigger retry its whole batch."""
    raise StoreUnavailableError(error.problem)


@replaces(
    "kycourier.triggers.http.order_routes:OrderRoutes.link_photo",
    "I14",
    "tests/triggers/test_no_existence_oracle.py tests/triggers/http/test_orders_api.py",
)
def unknown_order_is_answered_apart(link_photo, self, order_no, kind):
    """A photo of an unknown order and one of another order are refused differently."""
    if self._orders.get(self._key(order_no)) is None:
        raise ApiProblemError("unknown_order")
    return link_photo(self, order_no, kind)


@replaces(
    "kycourier.core.orders.replay_guard:is_repeated",
    "authentication",
    "tests/triggers/http/test_replays.py",
)
def replayed_request_is_accepted(_is_repeated, _record, **_options):
    """A signed call that is sent again counts again."""
    return False


@replaces("kycourier.core.fingerprints:fingerprint", "I5", FINGERPRINTS)
def fingerprint_is_a_bare_sha_256(fingerprint, digits, key):
    """The card number can be computed from its fingerprint within a minute."""
    bare = hashlib.sha256(digits.encode()).hexdigest()
    return fingerprint(digits, key) and f"{key.version}:{bare}"


@replaces("support.fakes.runtime:FakeRandom.__init__", "I15", RUNTIME)
def simulation_ignores_the_seed(init, self, seed=0):
    """Simulated workers draw from randomness that the seed does not determine."""
    init(self, seed + id(self))
