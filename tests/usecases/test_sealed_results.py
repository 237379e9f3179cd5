"""A result is sealed once, and its clear values are nowhere else."""

import json

import pytest

from kycourier.core.errors import EvidenceUnavailableError
from kycourier.core.orders.record import describe
from support.rigs.in_memory import InMemoryApp
from support.rigs.recipient import make_sealer, unseal

ORDER = "order1"


class FailingSealer:
    def seal(self, _):
        raise EvidenceUnavailableError("sealing failed")


@pytest.fixture
def app():
    return InMemoryApp()


def test_event_row_and_api_carry_the_same_sealed_result(app):
    app.sealer = make_sealer()
    row = app.worker().collect(ORDER)

    [event] = app.bodies()
    sealed = event["data"]["sealed"]
    assert row.result.sealed == describe(row)["result"]["sealed"] == sealed
    content = unseal(sealed)
    assert content["order_no"] == ORDER
    assert content["card"]["number"] == "4111111111111111"
    assert "4111111111111111" not in json.dumps(app.bodies())


def test_manifest_holds_nothing_sealed(app):
    app.sealer = make_sealer()
    app.worker().collect(ORDER)

    [manifest] = [
        content for key, content in app.evidence.objects.items() if "manifest" in key
    ]
    assert b"number_masked" in manifest
    assert b"sealed" not in manifest


def test_without_a_key_nothing_is_sealed(app):
    row = app.worker().collect(ORDER)

    [event] = app.bodies()
    assert event["data"]["sealed"] is row.result.sealed is None


def test_order_waits_and_nothing_is_published_if_sealing_fails(app):
    app.sealer = FailingSealer()
    row = app.worker().collect(ORDER)

    assert (row.state.value, row.last_problem.cause.value) == (
        "waiting",
        "evidence_unavailable",
    )
    assert app.bodies() == []
    assert app.evidence.objects == {}
    app.sealer = make_sealer()
    app.clock.sleep(300)
    assert app.worker().collect(ORDER).state.value == "collected"


def test_another_sealing_of_the_same_result_is_no_conflict(app):
    """Two workers seal the same card; whoever commits second only yields."""
    app.sealer = make_sealer()
    first, second = app.worker(), app.worker()
    commit = app.stores.orders.commit

    def commit_late(record, *, expected):
        app.stores.orders.commit = commit
        app.clock.sleep(120)
        second.collect(ORDER)
        commit(record, expected=expected)

    app.stores.orders.commit = commit_late
    row = first.collect(ORDER)

    assert [each["id"] for each in app.bodies()] == [row.events[0].id]
    assert "stale_owner_refused" in app.log_events()
    assert "result_conflict" not in app.log_events()
