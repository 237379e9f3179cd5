"""HTTP → register, collect and read orders.

Takes API Gateway's HTTP v2 and REST v1 events, and those of function URLs on Lambda and
on Tencent SCF, whose URLs are public: there the request is signed. Settings: those of
collect_results without the app's secret, and KYCOURIER_API_AUTH, _API_KEYS.
"""

from kycourier.cold_start import cold_start

with cold_start():
    from kycourier.bootstrap import start_orders_api

    _function = start_orders_api()


def handler(event: object, context: object) -> object:
    """Answer one HTTP request (kycourier/schemas/openapi.json).

    Gives `statusCode`, `headers` and `body`; every failure is a problem detail, also
    that of work which hangs until the time is nearly over.
    """
    return _function.invoke(event, context)
