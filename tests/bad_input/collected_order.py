"""Collects an order whose queries get one reply, and checks every output of it."""

import hashlib
import json

from jsonschema import Draft202012Validator

from bad_input.functions import Functions, assert_no_leaks
from bad_input.replies import CARD, PHOTO
from bad_input.strategies import CANARY, record
from kycourier.core.orders.record import OrderRecord, OrderState
from support.leaks.canaries import ADDRESS, ID_NUMBER, PERSON
from support.leaks.leak_scan import find_leaks
from support.openapi_check import check_response, load_schema
from support.rigs.fake_platform import json_reply
from support.rigs.recipient import make_sealer, unseal

ORDER = "order1"
CANARIES = (CARD, PHOTO[8:26].decode(), CANARY, ID_NUMBER, PERSON, ADDRESS)
IN_PROGRESS = {OrderState.REGISTERED, OrderState.COLLECTING}
EVENT = Draft202012Validator(load_schema("event.schema.json"))
SEALED = Draft202012Validator(load_schema("sealed.schema.json"))


def collect(
    body: object,
    *,
    status: int = 200,
    document: str | None = None,
    is_sealing: bool = False,
) -> OrderRecord:
    """Collect an order whose queries get this reply; return its row.

    Its event and its API response match their schemas, each object of the event is
    stored, what is sealed opens, and no personal value or photo leaks.
    """
    functions = Functions(sealer=make_sealer() if is_sealing else None)
    app = functions.app
    app.upstream.scripts[ORDER] = [json_reply(body, status=status)]
    message = {"order_no": ORDER, "document": document}
    called = functions.call(
        "collect_results", {"Records": [record("m1", json.dumps(message))]}
    )
    assert called.response == {"batchItemFailures": []}
    assert_no_leaks(called, *CANARIES)
    path = f"/v1/orders/{ORDER}"
    fetched = functions.call(
        "orders_api", {"httpMethod": "GET", "path": path, "headers": {}}
    )
    assert_no_leaks(fetched, *CANARIES)
    assert fetched.response["statusCode"] == 200
    check_response("GET", path, fetched.response)
    row = app.load(ORDER)
    assert row.state not in IN_PROGRESS
    failures = {"transient", "throttled", "credentials", "paused", "app_stopped"}
    failed = row.state is OrderState.PARKED or row.reason in failures
    assert (row.last_problem is not None) == failed
    assert len(app.sink.events) == row.state.is_final
    for event in app.bodies():
        EVENT.validate(event)
        assert find_leaks(CANARIES, {"event": json.dumps(event)}) == []
        sealed = event["data"].get("sealed")
        assert (sealed is not None) == (is_sealing and "manifest" in event["data"])
        if sealed is not None:
            SEALED.validate(unseal(sealed))
        for each in event["data"].get("photos", ()):
            key = each["uri"].removeprefix("file:///evidence/")
            content = app.evidence.objects[key]
            assert hashlib.sha256(content).hexdigest() == each["sha256"]
    return row
