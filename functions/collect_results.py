"""Queue → result, photos, event.

Takes an SQS batch, or one order directly: `{"order_no": "…"}`. Settings: those of
refresh_ticket, and KYCOURIER_EVIDENCE, _EVENTS, _FINGERPRINT_KEY, _QUEUE.
"""

from kycourier.bootstrap import start_collect_results

_function = start_collect_results()


def handler(event: object, context: object) -> object:
    """Collect the orders that `event` names, side by side.

    Gives `{"batchItemFailures": […]}` for a batch, the order for a direct call. Raises
    HandlerFailed alone.
    """
    return _function.invoke(event, context)
