"""Queue → result, photos, event.

Takes a batch of SQS (AWS) or CKafka (Tencent Cloud), or one order directly:
`{"order_no": "…"}`. Settings: those of refresh_ticket, and KYCOURIER_EVIDENCE, _EVENTS,
_FINGERPRINT_KEY, _QUEUE.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_collect_results

    _function = start_collect_results()


def handler(event: object, context: object) -> object:
    """Collect the orders that `event` names, side by side.

    Gives `{"batchItemFailures": […]}` for a batch, the order for a direct call. Nothing
    of a CKafka batch is named there: all of it is kept in the state store. Raises
    HandlerFailed alone, for such a batch where the store is down.
    """
    return _function.invoke(event, context)
