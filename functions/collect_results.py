"""Collects the orders that a queue announces: result, photos, one event each.

Settings: those of refresh_ticket, and KYCOURIER_EVIDENCE, _EVENTS, _FINGERPRINT_KEY.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_collect_results

    _function = start_collect_results()


def handler(event: object, context: object) -> object:
    """Collects the orders of an SQS or CKafka batch, or one: `{"order_no": "…"}`.

    Returns `{"batchItemFailures": […]}` for a batch, the order for a single one. Raises
    HandlerFailedError if the state store failed during a CKafka batch.
    """
    return _function.invoke(event, context)
