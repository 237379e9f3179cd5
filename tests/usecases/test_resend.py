"""Events that are published again."""

from kycourier.core.errors import SinkUnavailableError
from support.rigs.in_memory import InMemoryApp


def test_event_whose_response_was_lost_is_sent_again_with_same_id_and_bytes(
    monkeypatch,
):
    app = InMemoryApp()
    publish = app.sink.publish

    def publish_and_fail(events):
        publish(events)
        raise SinkUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(app.sink, "publish", publish_and_fail)
        app.worker().collect("order1")
    app.clock.sleep(6)
    app.worker().sweeper.sweep(app.time())

    first, again = app.sink.events
    assert again == first
    assert app.load("order1").unsent == ()
