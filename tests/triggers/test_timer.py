"""Timer events of the refresh and sweep functions."""

from kycourier.triggers.timer import RefreshTimer, SweepTimer
from support.leaks.canaries import APP_SECRET, TICKET, TOKEN
from support.leaks.leak_scan import find_leaks
from support.rigs.fake_platform import json_reply
from support.rigs.in_memory import APP, expected_order


def refresh(app, *, foreign=False):
    worker = app.worker()
    refresher = None if foreign else worker.refresher
    timer = RefreshTimer(APP, refresher=refresher, stores=app.stores, deps=worker.deps)
    return timer.handle(app.time())


def test_refresh_returns_the_present_ticket_and_no_secret(app):
    assert refresh(app) == {"generation": 1, "age_seconds": 0, "ticket": "fresh"}
    app.clock.sleep(300)
    result = refresh(app)
    assert result == {"generation": 1, "age_seconds": 300, "ticket": "fresh"}
    text = repr(result) + repr(app.event_log.entries)
    assert find_leaks([TOKEN, TICKET, APP_SECRET], {"text": text}) == []


def test_refresh_calls_upstream_once_in_twenty_minutes(app):
    for _ in range(13):
        refresh(app)
        app.clock.sleep(300)
    assert app.upstream.tokens == 4


def test_failed_refresh_is_reported_and_keeps_the_pair(app):
    refresh(app)
    app.clock.sleep(1200)
    app.upstream.token_reply = json_reply(b"", status=503)
    result = refresh(app)
    assert (result["generation"], result["ticket"]) == (1, "stale")
    assert result["problem"] == {"cause": "http_status", "http_status": 503}


def test_timer_ignores_a_callers_back_off(app):
    app.random.draw = lambda: 0.99
    app.upstream.token_reply = json_reply(b"", status=503)
    refresh(app)
    app.upstream.token_reply = None
    assert refresh(app)["generation"] == 1


def test_foreign_ticket_is_not_refreshed(app):
    assert refresh(app, foreign=True) == {"ticket": "kept elsewhere"}
    assert not app.upstream.tokens


def test_sweep_returns_its_counts(app):
    worker = app.worker()
    worker.register.register(expected_order("order1"))
    app.clock.sleep(600)
    result = SweepTimer(worker.sweeper).handle(app.time())
    assert result == {"due": 1, "unsent": 0, "skipped": 0}
