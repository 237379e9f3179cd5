"""Planted bugs of webhooks: signature, schedule, time and what counts as taken."""

from datetime import timedelta

from mutants.catalogue import replaces

SINK = "tests/adapters/webhook/test_sink.py"
DELIVERIES = "tests/usecases/test_webhook_deliveries.py"


@replaces("kycourier.adapters.webhook.sink:sign", "fault 61", SINK)
def signature_covers_the_body_alone(sign, _event_id, _timestamp, body, keys):
    """The signature covers neither the id nor the time."""
    return sign("", 0, body, keys)


@replaces("kycourier.adapters.webhook.client:ReceiverClient._call", "fault 61", SINK)
def redirect_is_taken_for_success(call, self, connection, request):
    """A redirect counts as taken."""
    reply = call(self, connection, request)
    return type(reply)(200, reply.headers) if reply.status // 100 == 3 else reply


@replaces(
    "kycourier.usecases.publish_events:webhook_delay",
    "I20",
    f"{DELIVERIES} -k given_up",
)
def schedule_never_ends(delay, attempts, **options):
    """A receiver that is gone for ever is called for ever."""
    return delay(attempts, **options) or timedelta(hours=12)


@replaces("kycourier.usecases.deadlines:SharedTime.seconds", "I20", DELIVERIES)
def deliveries_have_no_budget(_seconds, _self):
    """Each order of a batch waits three seconds for the receiver."""
    return 0.0


@replaces(
    "kycourier.usecases.publish_events:WebhookPublisher._handle_failures",
    "I20",
    DELIVERIES,
)
def pause_of_the_receiver_is_ignored(handle, self, record, failed):
    """A receiver that asks for a pause is called by the next order."""
    try:
        return handle(self, record, failed)
    finally:
        self._paused = None


@replaces("kycourier.core.orders.follow_up:give_up", "I1", DELIVERIES)
def event_that_was_given_up_is_dropped(give_up, record, event_ids, **options):
    """An event that nobody takes is removed from the row."""
    changed = give_up(record, event_ids, **options)
    return type(changed)(
        **{
            name: () if name == "events" else getattr(changed, name)
            for name in changed.__struct_fields__
        }
    )
