"""The face: its query, the fields of its replies, and its files."""

import base64
import io
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from devkit.sandbox.behaviours.face_checks import FIELDS, FILES
from devkit.sandbox.document_calls import FACE, JSON_TYPE, NONCE, face_body, sign
from devkit.sandbox.kyc_client import HttpResponse, KycClient, SandboxRig
from devkit.sandbox.mp4_boxes import read_mp4
from kycourier_devkit.sandbox import APP_ID, Sandbox, draw_face, face_for
from kycourier_devkit.sandbox.documents.mp4 import padded, write_mp4
from kycourier_devkit.sandbox.platform.parameters import Profile

ORDER_NO = "face000000000000000000000000001"
Changes = dict[str, object]


@pytest.fixture
def face(rig: SandboxRig) -> SandboxRig:
    return rig.of(FACE)


def post(
    rig: SandboxRig,
    changes: Changes | None = None,
    *,
    url: str | None = None,
    content_type: str = "application/json",
) -> HttpResponse:
    """Query with changed fields of the body; None leaves a field out."""
    fields: Changes = {**face_body(ORDER_NO, ticket=rig.ticket), **(changes or {})}
    body = {name: value for name, value in fields.items() if value is not None}
    return post_text(rig, json.dumps(body), url=url, content_type=content_type)


def post_text(
    rig: SandboxRig,
    text: str,
    *,
    url: str | None = None,
    content_type: str = "application/json",
) -> HttpResponse:
    target = f"{FACE.path}?{urlencode({'orderNo': ORDER_NO}) if url is None else url}"
    headers = {"Content-Type": content_type}
    return rig.client.send("POST", target, text.encode(), headers)


@pytest.mark.enable_socket
def test_reply_has_documented_fields(face: SandboxRig) -> None:
    reply = post(face, {"getFile": "1", "queryVersion": "1.0"})

    assert reply.json.keys() == {
        *("code", "msg", "bizSeqNo", "result", "transactionTime")
    }
    assert (reply.code, reply.json["msg"]) == ("0", "请求成功")
    assert reply.result.keys() == FIELDS | FILES | {"sdkVersion", "trtcFlag"}
    assert reply.result["orderNo"] == ORDER_NO
    assert reply.result["appId"] == APP_ID
    assert reply.result["occurredTime"] == "20231115061250"  # UTC+8
    assert reply.json["transactionTime"] == "20231115061320"
    assert reply.result["riskInfo"].keys() == {
        *("deviceInfoLevel", "deviceInfoTag", "riskInfoLevel", "riskInfoTag")
    }
    scores = face_for(ORDER_NO)
    assert reply.result["liveRate"] == scores.live_rate
    assert reply.result["similarity"] == scores.similarity


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("get_file", "files"),
    [
        ("1", {"photo", "video"}),
        ("2", {"photo"}),
        ("3", {"video"}),
        ("0", set()),
        ("4", set()),
        ("", set()),
        (None, set()),
    ],
)
def test_get_file_selects_the_files(
    face: SandboxRig, get_file: str | None, files: set[str]
) -> None:
    assert post(face, {"getFile": get_file}).result.keys() == FIELDS | files


@pytest.mark.enable_socket
@pytest.mark.parametrize("version", [None, "", "2.0", "1.0.0"])
def test_fields_of_the_sdk_come_only_with_query_version_1_0(
    face: SandboxRig, version: str | None
) -> None:
    assert post(face, {"queryVersion": version}).result.keys() == FIELDS


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"appId": None}, "400101"),
        ({"appId": None, "app_id": APP_ID}, "400101"),
        ({"appId": "SANDBOX2"}, "66660001"),
        ({"version": None}, "400101"),
        ({"version": "1.0"}, "400502"),
        ({"orderNo": None}, "66660013"),
        ({"orderNo": ""}, "66660000"),
        ({"orderNo": "a-b"}, "66660000"),
        ({"orderNo": "a" * 33}, "66660000"),
        ({"orderNo": "another1"}, "66660000"),
        ({"nonce": None}, "66660013"),
        ({"nonce": "n" * 31}, "66660013"),
        ({"nonce": "n" * 33}, "66660013"),
        ({"nonce": "n" * 32}, "400101"),
        ({"sign": None}, "66660013"),
        ({"sign": "0" * 40}, "400101"),
        ({"sign": "\ud800" * 40}, "66660013"),
        ({"getFile": "11"}, "66660013"),
        ({"getFile": 1}, "66660013"),
        ({"queryVersion": "1.0.0.0.0"}, "66660013"),
        ({"get_file": "1"}, "66660013"),
        ({"unknown": None, "order_no": ORDER_NO}, "66660013"),
    ],
    ids=ascii,
)
def test_wrong_body_gets_documented_code(
    face: SandboxRig, changes: Changes, code: str
) -> None:
    reply = post(face, changes)

    assert (reply.status, reply.code) == (200, code)
    assert "result" not in reply.json


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("", "66660013"),
        ("order_no=face1", "66660013"),
        ("orderNo=another1", "66660000"),
        (f"orderNo={ORDER_NO}&orderNo={ORDER_NO}", "66660013"),
        (f"orderNo={ORDER_NO}&appId={APP_ID}", "66660013"),
        (f"orderNo={ORDER_NO}&nonce={NONCE}", "66660013"),
    ],
)
def test_url_has_the_order_number_of_the_body_and_nothing_else(
    face: SandboxRig, url: str, code: str
) -> None:
    assert post(face, url=url).code == code


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("application/json", "0"),
        ("Application/JSON; charset=UTF-8", "0"),
        ("", "66660013"),
        ("text/plain", "66660013"),
        ("application/x-www-form-urlencoded", "66660013"),
    ],
)
def test_content_type_must_be_json(
    face: SandboxRig, content_type: str, code: str
) -> None:
    assert post(face, content_type=content_type).code == code


@pytest.mark.enable_socket
def test_form_data_is_rejected(face: SandboxRig) -> None:
    form = urlencode(face_body(ORDER_NO, ticket=face.ticket))

    for content_type in ("application/x-www-form-urlencoded", "application/json"):
        assert post_text(face, form, content_type=content_type).code == "66660013"


@pytest.mark.enable_socket
@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 60_000])
def test_body_that_is_no_json_object_is_rejected(face: SandboxRig, text: str) -> None:
    assert post_text(face, text).code == "66660013"


@pytest.mark.enable_socket
def test_name_that_is_repeated_in_the_body_is_rejected(face: SandboxRig) -> None:
    body = json.dumps(face_body(ORDER_NO, ticket=face.ticket))

    assert post_text(face, body[:-1] + f',"nonce":"{NONCE}"}}').code == "66660013"


@pytest.mark.enable_socket
@pytest.mark.parametrize("method", ["GET", "PUT", "HEAD"])
def test_other_method_than_post_gets_405(face: SandboxRig, method: str) -> None:
    request = face.request(ORDER_NO)

    reply = face.client.send(method, request.target, request.body, JSON_TYPE)

    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    assert face.sandbox.report().queries_total == 0


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("profile", "name"), [("miniprogram", "app_id"), ("kyc1", "appId")]
)
def test_app_id_is_spelled_alike_on_every_profile(profile: Profile, name: str) -> None:
    with Sandbox(profile=profile) as sandbox:
        client = KycClient(sandbox)
        ticket = client.refresh(app_id_name=name)

        assert client.query("a1", ticket=ticket, document=FACE).code == "0"


@pytest.mark.enable_socket
def test_signature_is_accepted_in_both_cases_and_counted_as_secret(
    face: SandboxRig,
) -> None:
    signature = sign(APP_ID, ORDER_NO, "1.0.0", face.ticket, NONCE).upper()

    assert post(face, {"sign": signature, "getFile": "1"}).code == "0"
    assert {signature, face.ticket} <= face.sandbox.canaries()


@pytest.mark.enable_socket
def test_rejection_has_the_meaning_of_the_documents_list(face: SandboxRig) -> None:
    assert face.query("codem1304x1").json["msg"] == "video abnormal"
    assert face.query("code66660015x1").json["msg"] == "name or ID number not legal"
    assert face.query("appunknownx1").json["msg"] == "illegal request"
    face.sandbox.set_fault("query", "codem1304")
    assert face.query("a1").json["msg"] == "video abnormal"


@pytest.mark.enable_socket
def test_queries_are_counted_and_faults_of_queries_apply(face: SandboxRig) -> None:
    face.sandbox.set_fault("query", "http503")

    assert [face.query("a1").status for _ in range(2)] == [503, 200]
    face.client.query("a1", ticket="wrong", document=FACE)
    report = face.sandbox.report()
    assert (report.queries_total, report.queries_per_order) == (3, {"a1": 3})
    assert report.sign_rejections == 1


@pytest.mark.enable_socket
def test_reply_has_the_files_of_the_order(face: SandboxRig) -> None:
    result = face.query("order1", get_file="1").result
    files = draw_face("order1")

    assert base64.b64decode(result["photo"]) == files.photo
    assert base64.b64decode(result["video"]) == files.video


@given(st.from_regex("[A-Za-z0-9]{1,32}", fullmatch=True))
def test_scores_are_those_of_the_same_person(order_no: str) -> None:
    scores = face_for(order_no)

    assert 90 <= float(scores.live_rate) <= 100
    assert 80 <= float(scores.similarity) <= 100
    assert face_for(order_no) == scores


@pytest.mark.parametrize("order_no", ["order1", "W" * 32])
def test_photo_is_a_jpeg_and_video_two_seconds_of_drawn_frames(order_no: str) -> None:
    files = draw_face(order_no)

    with Image.open(io.BytesIO(files.photo)) as photo:
        photo.load()
        assert (photo.format, photo.size) == ("JPEG", (480, 640))
    video = read_mp4(files.video)
    assert (video.seconds, video.size, len(video.frames)) == (2, (240, 320), 16)
    assert 10_000 < len(files.video) < 100_000
    for frame in video.frames:
        with Image.open(io.BytesIO(frame)) as image:
            image.load()
            assert (image.format, image.size) == ("JPEG", video.size)
    assert len(set(video.frames)) > 4


def test_files_differ_between_orders_and_not_between_drawings() -> None:
    drawn = draw_face("order1")
    draw_face.cache_clear()

    assert draw_face("order1") == drawn
    other = draw_face("order2")
    assert other.photo != drawn.photo
    assert other.video != drawn.video


def test_mp4_has_its_boxes_in_order_and_its_frames_as_given() -> None:
    frames = [b"\xff\xd8" + bytes([at]) * at for at in range(1, 6)]

    video = read_mp4(write_mp4(frames, size=(16, 8), frame_milliseconds=40))

    assert video.order == [
        *("ftyp", "moov", "mvhd", "trak", "tkhd", "mdia", "mdhd", "hdlr", "minf"),
        *("vmhd", "dinf", "dref", "stbl", "stsd", "stts", "stsc", "stsz", "stco"),
        "mdat",
    ]
    assert (video.seconds, video.size, video.frames) == (0.2, (16, 8), frames)


def test_padding_is_a_free_box_at_the_end() -> None:
    mp4 = write_mp4([b"frame"], size=(16, 8), frame_milliseconds=40)

    large = padded(mp4, length=100_000)

    assert len(large) == 100_000
    assert large.startswith(mp4)
    assert read_mp4(large).free_bytes == 100_000 - len(mp4) - 8
    assert read_mp4(large).order[-1] == "free"
    assert padded(mp4, length=10) == mp4
