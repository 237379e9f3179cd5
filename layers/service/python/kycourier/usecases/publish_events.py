"""Publishes the events in an order's outbox, and records that they were accepted.

A webhook's receiver belongs to somebody else: while orders are collected its deliveries
take WEBHOOK_INVOCATION_SECONDS of an invocation at most, and the sweep sends the rest.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

from kycourier.core.causes import Cause
from kycourier.core.errors import (
    OutOfTimeError,
    SinkUnavailableError,
    StaleOwnerError,
    StoreUnavailableError,
)
from kycourier.core.orders import follow_up
from kycourier.core.orders.delivery import sink_delay, webhook_delay
from kycourier.core.orders.record import OrderRecord, OutboxEvent
from kycourier.core.redaction import error_fields
from kycourier.core.timing import (
    WEBHOOK_INVOCATION_SECONDS,
    WEBHOOK_MIN_SECONDS,
    WEBHOOK_REMINDER_MAX,
    WEBHOOK_SECONDS,
)
from kycourier.ports import EventSink, RuntimeDeps, Stores, WebhookPort, WorkQueue
from kycourier.usecases.deadlines import Deadline


class EventPublisher:
    """Publishes a row's unsent events: the same bytes and ids, however often."""

    def __init__(self, sink: EventSink, *, stores: Stores, deps: RuntimeDeps) -> None:
        self.sink, self._orders = sink, stores.orders
        self._clock, self._random = deps.clock, deps.random
        self._event_log = deps.event_log

    def is_paused(self) -> bool:
        """Checks whether nothing may be sent now."""
        return False

    def publish(self, record: OrderRecord, deadline: Deadline) -> OrderRecord:
        """Publishes after an attempt; returns the row afterwards.

        If sink or store fail, the events stay in the outbox and are due again soon.
        """
        return self.publish_due(record, deadline)

    def publish_due(self, record: OrderRecord, _: Deadline) -> OrderRecord:
        """Publishes what the sweep found due; returns the row afterwards."""
        if not record.unsent:
            return record
        try:
            self.sink.publish(record.unsent)
        except SinkUnavailableError as error:
            self._log_failure(record, error)
            attempts = record.delivery.attempts if record.delivery else 0
            delay = sink_delay(attempts + 1, draw=self._random.draw())
            return self._publish_later(record, error, delay)
        for event in record.unsent:
            self._log_success(record, event)
        sent = follow_up.mark_sent(record, now=self._orders.now())
        return self._commit(record, sent)

    def _log_success(self, record: OrderRecord, event: OutboxEvent) -> None:
        self._event_log.emit(
            "event_published", order_no=record.order_no, state=event.type
        )

    def _log_failure(self, record: OrderRecord, error: SinkUnavailableError) -> None:
        self._event_log.emit(
            "event_publish_failed", order_no=record.order_no, **error_fields(error)
        )

    def _publish_later(
        self, record: OrderRecord, error: SinkUnavailableError, delay: timedelta
    ) -> OrderRecord:
        if not record.state.is_final:
            return record
        later = follow_up.publish_later(
            record, delay=delay, now=self._orders.now(), problem=error.word
        )
        return self._commit(record, later)

    def _commit(self, record: OrderRecord, changed: OrderRecord) -> OrderRecord:
        """Commits, or leaves the row to the sweep: publishing again is harmless."""
        try:
            self._orders.commit(changed, expected=record)
        except (StaleOwnerError, StoreUnavailableError):
            return record
        return changed


class WebhookPublisher(EventPublisher):
    """Sends events to a receiver, by the schedule of webhooks."""

    def __init__(
        self,
        sink: WebhookPort,
        *,
        queue: WorkQueue | None,
        stores: Stores,
        deps: RuntimeDeps,
    ) -> None:
        super().__init__(sink, stores=stores, deps=deps)
        self._receiver, self._queue = sink, queue
        self._paused: tuple[datetime, datetime] | None = None  # from, until

    def is_paused(self) -> bool:
        """Checks whether the receiver asked for a pause that is not over.

        The monotonic clock stands still while a function is frozen. A wall clock that
        was set back ends the pause.
        """
        if self._paused is None:
            return False
        begun, until = self._paused
        return begun <= self._clock.now() < until

    def publish(self, record: OrderRecord, deadline: Deadline) -> OrderRecord:
        """Sends within what is left for deliveries, or leaves the row to the sweep."""
        if not record.unsent:
            return record
        left = WEBHOOK_INVOCATION_SECONDS - deadline.deliveries.seconds()
        if left < WEBHOOK_MIN_SECONDS or self.is_paused():
            return self._leave_to_sweep(record)
        with deadline.deliveries.running():
            return self.publish_due(record, deadline.capped(left))

    def publish_due(self, record: OrderRecord, deadline: Deadline) -> OrderRecord:
        """Sends each event, so that one which is refused delays no other."""
        failed: dict[str, SinkUnavailableError] = {}
        try:
            for event in record.unsent:
                error = self._attempt(record, event, deadline)
                if error is None:
                    record = self._mark_sent(record, event)
                    continue
                failed[event.id] = error
                if error.retry_after is not None:
                    break
        except OutOfTimeError:
            return self._leave_to_sweep(self._give_up_gone(record, failed))
        return self._handle_failures(record, failed)

    def _attempt(
        self, record: OrderRecord, event: OutboxEvent, deadline: Deadline
    ) -> SinkUnavailableError | None:
        """Sends one event; returns why it was refused. Raises OutOfTimeError."""
        try:
            self._send(event, deadline)
        except SinkUnavailableError as error:
            self._log_failure(record, error)
            return error
        self._log_success(record, event)
        return None

    def _mark_sent(self, record: OrderRecord, event: OutboxEvent) -> OrderRecord:
        sent = follow_up.mark_event_sent(record, event.id, now=self._orders.now())
        return self._commit(record, sent)

    def _send(self, event: OutboxEvent, deadline: Deadline) -> None:
        """Sends one event.

        Raises:
            OutOfTimeError: the receiver had less than WEBHOOK_SECONDS to respond.
            SinkUnavailableError: it refused the event, or did not respond.
        """
        seconds = min(WEBHOOK_SECONDS, deadline.seconds())
        if seconds < WEBHOOK_MIN_SECONDS:
            raise OutOfTimeError
        try:
            self._receiver.publish_within((event,), seconds=seconds)
        except SinkUnavailableError as error:
            if error.word != Cause.TIMED_OUT.value or seconds == WEBHOOK_SECONDS:
                raise
        else:
            return
        raise OutOfTimeError

    def _leave_to_sweep(self, record: OrderRecord) -> OrderRecord:
        if not record.state.is_final:
            return record
        due = follow_up.leave_to_sweep(record, now=self._orders.now())
        return self._commit(record, due)

    def _handle_failures(
        self, record: OrderRecord, failed: Mapping[str, SinkUnavailableError]
    ) -> OrderRecord:
        """Gives up what the receiver wants no more, and schedules the rest."""
        record = self._give_up_gone(record, failed)
        retried = {each: error for each, error in failed.items() if not error.is_gone}
        if not retried:
            return record
        error = list(retried.values())[-1]
        if error.retry_after is not None:
            now = self._clock.now()
            self._paused = now, now + error.retry_after
        attempts = record.delivery.attempts if record.delivery else 0
        delay = webhook_delay(
            attempts + 1, draw=self._random.draw(), retry_after=error.retry_after
        )
        if delay is None:
            return self._give_up(record, retried)
        later = self._publish_later(record, error, delay)
        if later is not record and delay <= WEBHOOK_REMINDER_MAX:
            self._remind(record, delay)
        return later

    def _give_up_gone(
        self, record: OrderRecord, failed: Mapping[str, SinkUnavailableError]
    ) -> OrderRecord:
        gone = {each: error for each, error in failed.items() if error.is_gone}
        return self._give_up(record, gone) if gone else record

    def _give_up(
        self, record: OrderRecord, failed: Mapping[str, SinkUnavailableError]
    ) -> OrderRecord:
        word = list(failed.values())[-1].word
        given_up = follow_up.give_up(
            record, failed.keys(), problem=word, now=self._orders.now()
        )
        committed = self._commit(record, given_up)
        if committed is given_up:
            self._event_log.emit(
                "event_undeliverable", order_no=record.order_no, problem=word
            )
        return committed

    def _remind(self, record: OrderRecord, delay: timedelta) -> None:
        """Enqueues a message for when the order is due; else the sweep finds it."""
        if self._queue is not None:
            with suppress(StoreUnavailableError):
                self._queue.enqueue(record.key, delay)
