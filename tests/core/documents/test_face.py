"""Face verification: the code alone decides; scores, risk and files (655/32052)."""

import json
from datetime import timedelta

import pytest

from kycourier.core.causes import Cause
from kycourier.core.documents.face import Face
from kycourier.core.documents.recognition import Recognition
from kycourier.core.errors import MalformedReplyError
from kycourier.core.fingerprints import FingerprintKey
from kycourier.core.redaction import ReplyBody, Secret
from kycourier.core.result_codes import CodeClass, Rejected
from kycourier.core.wire.signature import sign
from support.leaks.canaries import FINGERPRINT_KEY, ID_NUMBER
from support.rigs.document_replies import VIDEO_BASE64, face_members

KEY = FingerprintKey("v1", Secret(FINGERPRINT_KEY))
ORDER = "face1"
TICKET, NONCE = "t" * 64, "n" * 32


def parse(files="photo", code="0", **changes):
    reply = {"code": code, "msg": "m", "result": face_members(ORDER, **changes)}
    body = ReplyBody(json.dumps(reply).encode())
    return Face().parse_reply(body, {"face_files": files})


def face(**changes):
    return Face().mask(parse(**changes), KEY)["face"]


@pytest.mark.parametrize(
    ("files", "get_file", "cap"),
    [("photo", "2", None), ("photo_and_video", "1", 32 * 2**20), ("none", "0", None)],
)
def test_query_is_a_signed_post_that_names_the_order_twice(files, get_file, cap):
    request = Face().build_request(
        app_id="SANDBOX1",
        order_no=ORDER,
        ticket=Secret(TICKET),
        nonce=NONCE,
        options={"face_files": files},
    )

    assert request.path == "/api/v2/base/queryfacerecord"
    assert dict(request.query.expose()) == {"orderNo": ORDER}
    assert request.max_reply_bytes == cap
    assert json.loads(request.body.expose()) == {
        "appId": "SANDBOX1",
        "orderNo": ORDER,
        "getFile": get_file,
        "queryVersion": "1.0",
        "nonce": NONCE,
        "version": "1.0.0",
        "sign": sign(("SANDBOX1", ORDER, "1.0.0", TICKET, NONCE)).expose(),
    }
    assert TICKET not in repr(request)


def test_documented_sample_is_masked():
    parsed = parse()

    assert isinstance(parsed, Recognition)
    assert (parsed.order_no, parsed.refusal) == (ORDER, None)
    assert parsed.biz_seq_no == "25011520001184410000000000000001"
    assert Face().mask(parsed, KEY) == {
        "face": {
            "verified": True,
            "live_rate": 99,
            "similarity": 92.4,
            "occurred_at": "2025-01-15T10:15:30+08:00",
            "sdk_version": "1.0.0",
            "risk": None,
        }
    }


@pytest.mark.parametrize("code", ["0", 0])
def test_code_0_is_success_as_text_and_number(code):
    assert isinstance(parse(code=code), Recognition)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        *(("90.0", 90.0), ("0", 0), (88, 88), (88.5, 88.5), ("100", 100)),
        *(("", None), (None, None), ("high", None), ("1e3", None), (True, None)),
        *(("-1", None), ("NaN", None), ([99], None)),
    ],
)
def test_scores_are_read_leniently_and_decide_nothing(sent, shown):
    found = face(liveRate=sent, similarity=sent)
    assert (found["live_rate"], found["similarity"]) == (shown, shown)
    assert found["verified"] is True


@pytest.mark.parametrize(
    ("risk", "shown"),
    [
        (
            {
                "deviceInfoLevel": "1",
                "deviceInfoTag": "3,5",
                "riskInfoLevel": 2,
                "riskInfoTag": "7",
            },
            {"device_level": "1", "risk_level": "2"},
        ),
        ({"deviceInfoLevel": "1"}, {"device_level": "1", "risk_level": None}),
        ({"deviceInfoLevel": "a very long level"}, None),
        ({}, None),
        ("high", None),
    ],
)
def test_of_the_risk_only_levels_are_shown(risk, shown):
    assert face(riskInfo=risk)["risk"] == shown


def test_everything_sent_is_sealed():
    risk = {"deviceInfoLevel": "1", "deviceInfoTag": "3,5"}
    assert Face().reveal(parse(riskInfo=risk, similarity=None)) == {
        "face": {
            "live_rate": "99",
            "similarity": None,
            "occurred_at": "20250115101530",
            "sdk_version": "1.0.0",
            "trtc_flag": None,
            "device_level": "1",
            "device_tag": "3,5",
            "risk_level": None,
            "risk_tag": None,
        }
    }


@pytest.mark.parametrize(
    ("sent", "shown"),
    [("v6.6.2-3_1", "v6.6.2-3_1"), ("6225880000001234", None), ("a b", None)],
)
def test_version_that_might_be_a_personal_number_is_null(sent, shown):
    assert face(sdkVersion=sent)["sdk_version"] == shown


@pytest.mark.parametrize(
    "number", ["622588000000123", "62258800000012345678", ID_NUMBER]
)
def test_number_of_a_call_that_might_be_a_personal_number_is_null(number):
    assert parse(bizSeqNo=number).biz_seq_no is None


@pytest.mark.parametrize("text", ["20250230101530", "2025-01-15 10:15:30", "2", None])
def test_time_that_does_not_exist_is_null(text):
    assert face(occurredTime=text)["occurred_at"] is None


class TestRefusal:
    def test_refusal_with_a_photo_has_evidence(self):
        parsed = parse(code="66660004", liveRate="97", similarity="31.0")

        name = "not_same_person"
        expected = Rejected("66660004", CodeClass.RECOGNITION_FAILED, name)
        assert parsed.refusal == expected
        assert [photo.kind for photo in parsed.photos] == ["photo"]
        assert parsed.is_settled
        shown = Face().mask(parsed, KEY)["face"]
        assert (shown["verified"], shown["similarity"]) == (False, 31.0)

    @pytest.mark.parametrize(
        ("files", "photo"),
        [("photo", None), ("photo", "not Base64!"), ("none", "AAAA")],
    )
    def test_refusal_without_a_photo_is_its_code(self, files, photo):
        assert parse(files, code="66660018", photo=photo) == Rejected(
            "66660018", CodeClass.RECOGNITION_FAILED, "session_timed_out"
        )

    @pytest.mark.parametrize(
        ("code", "class_"),
        [
            ("66660011", CodeClass.NOT_READY),
            ("1607", CodeClass.NOT_READY),
            ("66660021", CodeClass.TRANSIENT),
            ("1506", CodeClass.THROTTLED),
            ("66660001", CodeClass.PERMANENT),
            ("400101", CodeClass.CREDENTIALS),
            ("77777777", CodeClass.UNKNOWN),
        ],
    )
    def test_other_code_is_none_whatever_it_carries(self, code, class_):
        assert parse(code=code).class_ is class_


class TestFiles:
    def test_photo_alone_is_complete_if_no_video_is_wanted(self):
        parsed = parse(video=VIDEO_BASE64)
        assert [each.kind for each in parsed.photos] == ["photo"]
        assert (parsed.photos_missing, parsed.is_incomplete) == ((), False)

    def test_video_is_stored_as_mp4(self):
        _, video = parse("photo_and_video", video=VIDEO_BASE64).photos
        assert (video.kind, video.media_type) == ("video", "video/mp4")

    @pytest.mark.parametrize("video", [None, "", "not Base64!"])
    def test_late_video_has_a_patience_of_its_own(self, video):
        parsed = parse("photo_and_video", video=video)
        assert parsed.photos_missing == ("video",)
        assert (parsed.is_settled, parsed.is_incomplete) == (False, True)
        assert parsed.patience == timedelta(minutes=10)

    def test_late_photo_has_the_deployments_patience(self):
        parsed = parse("photo_and_video", photo=None)
        assert parsed.photos_missing == ("photo", "video")
        assert (parsed.is_incomplete, parsed.patience) == (True, None)

    def test_no_file_is_waited_for_if_none_is_wanted(self):
        parsed = parse("none", photo=None)
        assert (parsed.photos, parsed.photos_missing) == ((), ())
        assert not parsed.is_incomplete

    def test_photo_that_is_no_base64_is_unreadable(self):
        with pytest.raises(MalformedReplyError) as caught:
            parse(photo="not Base64!")
        assert caught.value.cause is Cause.PHOTO_UNREADABLE


def test_success_without_any_result_is_malformed():
    with pytest.raises(MalformedReplyError) as caught:
        Face().parse_reply(ReplyBody(b'{"code":"0","result":{}}'))
    assert (caught.value.cause, caught.value.field) == (Cause.REPLY_MALFORMED, "result")


def test_outcome_is_what_must_be_equal_in_every_query():
    masked = Face().mask(parse(), KEY)
    assert Face().identity(masked) == masked["face"]


@pytest.mark.parametrize(("code", "word"), [("0", "verified"), ("66660004", "refused")])
def test_person_knows_the_result_by_a_word(code, word):
    assert Face().headline(Face().mask(parse(code=code), KEY)) == word


def test_files_are_a_photo_and_a_video():
    assert Face().photo_kinds == ("photo", "video")


@pytest.mark.parametrize(
    ("sent", "kept"), [("20250115101545", "20250115101545"), ("2025-01-15", None)]
)
def test_transaction_time_is_fourteen_digits(sent, kept):
    assert parse(transactionTime=sent).transaction_time == kept


@pytest.mark.parametrize("text", ["x" * 257, "a\nb", "\ud800"])
def test_text_that_is_too_long_or_no_text_is_not_sealed(text):
    risk = {"riskInfoTag": text, "deviceInfoTag": "x" * 256}
    sealed = Face().reveal(parse(trtcFlag=text, riskInfo=risk))["face"]
    assert (sealed["trtc_flag"], sealed["risk_tag"]) == (None, None)
    assert sealed["device_tag"] == "x" * 256


def test_every_flag_and_tag_is_sealed():
    risk = {"riskInfoLevel": "Ab_1-", "riskInfoTag": "7", "deviceInfoTag": "3"}
    parsed = parse(trtcFlag="Y", riskInfo=risk)
    sealed = Face().reveal(parsed)["face"]
    names = ("trtc_flag", "risk_level", "risk_tag", "device_level", "device_tag")
    assert [sealed[name] for name in names] == ["Y", "Ab_1-", "7", None, "3"]
    shown = Face().mask(parsed, KEY)["face"]["risk"]
    assert shown == {"device_level": None, "risk_level": "Ab_1-"}


@pytest.mark.parametrize("member", ["orderNo", "liveRate", "occurredTime", "trtcFlag"])
def test_success_with_any_text_is_a_result(member):
    body = json.dumps({"code": "0", "result": {member: "1"}}).encode()
    assert isinstance(Face().parse_reply(ReplyBody(body)), Recognition)
