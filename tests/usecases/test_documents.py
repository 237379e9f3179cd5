"""Every document goes through the whole flow; a made-up one needs one module only."""

import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from kycourier.core.causes import Cause
from kycourier.core.documents import registry
from kycourier.core.documents.photos import decode_photo
from kycourier.core.documents.recognition import Document, Recognition
from kycourier.core.errors import ApiProblemError, EvidenceUnavailableError
from kycourier.core.orders.record import OrderState, Reason
from kycourier.core.result_codes import OK_CODE, load_codes
from kycourier.core.wire.lenient_fields import Fields, parse_code, parse_object
from kycourier.core.wire.requests import build_signed_query
from support.failing_ports import raising
from support.openapi_check import load_schema
from support.rigs import api_client
from support.rigs.api_client import ApiClient
from support.rigs.document_replies import VIDEO_BASE64, face_reply, id_card_reply
from support.rigs.fake_platform import PHOTO_BASE64, error_reply, json_reply
from support.rigs.in_memory import APP, InMemoryApp, expected_order

EVENT = Draft202012Validator(
    load_schema("event.schema.json"), format_checker=FormatChecker()
)
ID_CARD, FACE = Document("id_card"), Document("face")
WITH_VIDEO = {"face_files": "photo_and_video"}


@pytest.fixture
def app():
    return InMemoryApp()


def only_event(app):
    [event] = app.bodies()
    EVENT.validate(event)
    return event


def test_id_card_is_collected_with_its_photos(app):
    app.upstream.scripts["a"] = [id_card_reply("a", backCrop="")]
    record = app.worker().collect("a", document=ID_CARD)

    assert record.state is OrderState.COLLECTED
    assert app.upstream.queries["a"] == 1  # an empty crop is not asked for again
    event = only_event(app)
    assert event["type"] == "kycourier.id_card.collected.v1"
    data = event["data"]
    assert (data["document"], data["sealed"]) == ("id_card", None)
    kinds = [photo["kind"] for photo in data["photos"]]
    assert kinds == ["front", "front_crop", "portrait", "back"]
    assert data["photos_missing"] == ["back_crop"]
    stored = {f"file:///evidence/{key}" for key in app.evidence.objects}
    named = {each["uri"] for each in (*data["photos"], data["manifest"])}
    assert named == stored


@pytest.mark.parametrize(
    ("wanted", "state"),
    [("both", OrderState.REJECTED), ("front", OrderState.COLLECTED)],
)
def test_failed_side_rejects_the_order_if_it_is_wanted(app, wanted, state):
    app.upstream.scripts["a"] = [id_card_reply("a", backCode="66661003")]
    worker = app.worker_with({"id_card_sides": wanted})
    assert worker.collect("a", document=ID_CARD).state is state

    event = only_event(app)
    if wanted == "both":
        assert event["data"]["reason"] == {"code": "66661003", "name": "card_expired"}
        assert not app.evidence.objects


def test_missing_original_is_waited_for_and_comes(app):
    app.upstream.scripts["a"] = [
        *[id_card_reply("a", frontPhoto="")] * 4,
        id_card_reply("a"),
    ]
    worker = app.worker()
    record = worker.collect("a", document=ID_CARD)
    assert (record.state, record.reason) == (OrderState.WAITING, Reason.PHOTOS_PENDING)
    app.clock.sleep(60)

    record = worker.collect("a")  # a message need not name the document again
    assert record.state is OrderState.COLLECTED
    assert only_event(app)["data"]["photos_missing"] == []


def test_verified_face_is_collected(app):
    app.upstream.scripts["a"] = [face_reply("a")]
    record = app.worker().collect("a", document=FACE)

    assert (record.state, record.reason) == (OrderState.COLLECTED, None)
    event = only_event(app)
    assert event["type"] == "kycourier.face.collected.v1"
    assert event["data"]["face"]["verified"] is True


def test_refused_face_is_rejected_with_its_evidence(app):
    app.upstream.scripts["a"] = [face_reply("a", code="66660004")]
    record = app.worker().collect("a", document=FACE)

    assert (record.state, record.reason) == (OrderState.REJECTED, "not_same_person")
    event = only_event(app)
    assert event["type"] == "kycourier.face.rejected.v1"
    data = event["data"]
    assert data["reason"] == {"code": "66660004", "name": "not_same_person"}
    assert data["face"]["verified"] is False
    [photo] = data["photos"]
    assert len(app.evidence.objects) == 2
    [manifest] = [
        json.loads(content)
        for key, content in app.evidence.objects.items()
        if "manifest" in key
    ]
    assert manifest["code"] == "66660004"
    assert [each["sha256"] for each in manifest["objects"]] == [photo["sha256"]]
    link = ApiClient(app).call("GET", "/v1/orders/a/photos/photo")
    assert link.status == 302


def test_refused_face_waits_for_the_evidence_store_and_is_rejected_then(app):
    app.upstream.scripts["a"] = [face_reply("a", code="66660004")]
    worker, put = app.worker(), app.evidence.put
    app.evidence.put = raising(EvidenceUnavailableError("denied"))
    record = worker.collect("a", document=FACE)
    assert record.last_problem.cause is Cause.EVIDENCE_UNAVAILABLE
    assert (record.state, app.bodies()) == (OrderState.WAITING, [])

    app.evidence.put = put
    app.clock.sleep(10)
    assert worker.collect("a").state is OrderState.REJECTED
    assert len(only_event(app)["data"]["photos"]) == 1


def test_refused_face_without_evidence_has_its_reason_alone(app):
    app.upstream.scripts["a"] = [error_reply("66660017")]
    app.worker().collect("a", document=FACE)

    data = only_event(app)["data"]
    assert data == {
        "app_id": APP,
        "order_no": "a",
        "document": "face",
        "reason": {"code": "66660017", "name": "attempts_exceeded"},
    }


def test_face_without_a_record_is_not_ready_and_expires(app):
    app.upstream.scripts["a"] = [error_reply("66660011")]
    worker = app.worker()
    record = worker.collect("a", document=FACE)
    assert (record.state, record.reason) == (OrderState.WAITING, Reason.NOT_READY)
    app.clock.sleep(3 * 24 * 3600)

    assert worker.collect("a").state is OrderState.EXPIRED
    assert only_event(app)["type"] == "kycourier.face.expired.v1"


@pytest.mark.parametrize("minutes", [9, 10])
def test_video_is_waited_for_ten_minutes(app, minutes):
    app.upstream.scripts["a"] = [face_reply("a")]
    worker = app.worker_with(WITH_VIDEO)
    assert worker.collect("a", document=FACE).reason == Reason.PHOTOS_PENDING
    for _ in range(minutes):
        app.clock.sleep(60)
        record = worker.collect("a")

    if minutes < 10:
        assert record.reason == Reason.PHOTOS_PENDING
        app.upstream.scripts["a"] = [face_reply("a", video=VIDEO_BASE64)]
        app.clock.sleep(60)
        record = worker.collect("a")
    assert record.state is OrderState.COLLECTED
    data = only_event(app)["data"]
    assert data["photos_missing"] == (["video"] if minutes == 10 else [])
    assert [each["kind"] for each in data["photos"]] == (
        ["photo"] if minutes == 10 else ["photo", "video"]
    )


class TestMismatch:
    @pytest.fixture
    def api(self, app):
        app.worker().register.register(expected_order("a", ID_CARD))
        return ApiClient(app)

    @pytest.mark.parametrize(
        ("method", "path"),
        [("PUT", "/v1/orders/a"), ("POST", "/v1/orders/a/collection")],
    )
    @pytest.mark.parametrize("document", ["bank_card", "face"])
    def test_call_for_another_document_is_409(self, app, api, method, path, document):
        before = app.load("a")
        response = api.call(method, path, body=json.dumps({"document": document}))

        assert (response.status, response.code) == (409, "document_mismatch")
        assert app.load("a") == before
        assert not app.upstream.queries

    @pytest.mark.parametrize("body", ["", "{}", '{"document": "id_card"}'])
    def test_call_for_the_same_or_no_document_is_taken(self, app, api, body):
        app.upstream.scripts["a"] = [id_card_reply("a")]
        assert api.call("PUT", "/v1/orders/a", body=body).status == 200
        response = api.call("POST", "/v1/orders/a/collection", body=body)
        assert (response.status, response.members["state"]) == (200, "collected")

    @pytest.mark.usefixtures("api")
    def test_message_for_another_document_is_poison(self, app):
        before = app.load("a")
        message = json.dumps({"order_no": "a", "document": "face"})
        queue = app.worker().orders_queue()
        batch = {
            "Records": [{"eventSource": "aws:sqs", "messageId": "m1", "body": message}]
        }

        returned = queue.handle(batch, app.time())
        assert returned == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
        direct = {"order_no": "a", "document": "face"}
        assert queue.handle(direct, app.time()) == {
            "code": "document_mismatch",
            "status": 400,
        }
        notification = {"detail-type": "x", "source": "partner", "detail": direct}
        with pytest.raises(ApiProblemError):
            queue.handle(notification, app.time())

        assert app.load("a") == before
        assert not app.upstream.queries
        problems = {problem for _, _, problem in app.stores.orders.poison}
        assert problems == {"document_mismatch"}

    def test_final_order_is_of_its_document_too(self, app):
        app.upstream.scripts["a"] = [face_reply("a")]
        worker = app.worker()
        worker.collect("a", document=FACE)
        with pytest.raises(ApiProblemError):
            worker.collect("a", document=ID_CARD)
        assert worker.collect("a").state is OrderState.COLLECTED


class Passport:
    """A made-up document: all that it needs is in this class."""

    name = Document("passport")
    photo_kinds = ("page",)

    def build_request(self, *, app_id, order_no, ticket, nonce, options):
        return build_signed_query(
            "/api/server/getPassport",
            app_id=app_id,
            order_no=order_no,
            ticket=ticket,
            nonce=nonce,
            unsigned=dict(options),
        )

    def parse_reply(self, body, options):  # noqa: ARG002 - of the protocol
        reply = parse_object(body)
        if (code := parse_code(reply.get("code"))) != OK_CODE:
            return load_codes().classify(code)
        fields = Fields(reply["result"])
        page = decode_photo("page", fields.first("page"))
        return Recognition(
            order_no=fields.text("orderNo"),
            fields=fields.text("visa"),
            photos=(page,) if page else (),
            photos_missing=() if page else ("page",),
            is_incomplete=page is None,
        )

    def mask(self, recognition, key):  # noqa: ARG002 - of the protocol
        return {"passport": {"has_visa": bool(recognition.fields)}}

    def reveal(self, recognition):
        return {"passport": {"visa": recognition.fields}}

    def identity(self, masked):
        return masked["passport"]

    def headline(self, masked):
        return "a visa" if masked["passport"]["has_visa"] else None


def test_no_document_has_more_photos_than_threads_are_made_for():
    kinds = [registry.document_type(each).photo_kinds for each in registry.documents()]
    assert max(map(len, kinds)) == registry.MAX_PHOTOS
    for document, of_it in zip(registry.documents(), kinds, strict=True):
        assert registry.document_type(document).name == document
        assert len(set(of_it)) == len(of_it)


def test_made_up_document_goes_through_the_whole_flow(app, monkeypatch):
    monkeypatch.setitem(registry.TYPES, Passport.name, Passport)
    # The published description lists the real documents only.
    monkeypatch.setattr(
        api_client, "check_response", lambda *call: json.loads(call[2]["body"] or "{}")
    )
    result = {"orderNo": "a", "visa": "V1", "page": PHOTO_BASE64}
    late = {**result, "page": ""}
    app.upstream.scripts["a"] = [
        *[json_reply({"code": "0", "result": late})] * 4,
        json_reply({"code": "0", "result": result}),
    ]
    api = ApiClient(app)

    registered = api.call("PUT", "/v1/orders/a", body='{"document": "passport"}')
    assert (registered.status, registered.members["document"]) == (201, "passport")
    app.clock.sleep(600)
    app.worker().sweeper.sweep(app.time())
    assert app.load("a").reason == Reason.PHOTOS_PENDING
    app.clock.sleep(60)
    app.worker().sweeper.sweep(app.time())

    [event] = app.bodies()
    assert event["type"] == "kycourier.passport.collected.v1"
    assert event["data"]["passport"] == {"has_visa": True}
    assert [photo["kind"] for photo in event["data"]["photos"]] == ["page"]
    listed = api.call("GET", "/v1/orders", query="document=passport&state=collected")
    assert [each["order_no"] for each in listed.members["orders"]] == ["a"]
    assert api.call("GET", "/v1/orders", query="document=face").members["orders"] == []
    assert api.call("GET", "/v1/orders/a/photos/page").status == 302
    monkeypatch.delitem(registry.TYPES, Passport.name)
    assert api.call("GET", "/v1/orders/a").status == 503  # of a newer release
