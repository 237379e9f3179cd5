"""The ID card: its query, the fields of its replies, its data and its photos."""

import base64
import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from devkit.sandbox.behaviours.id_card_checks import (
    BACK,
    BOTH,
    FRONT,
    PHOTOS,
    check_character,
)
from devkit.sandbox.document_calls import ID_CARD, query_parameters
from devkit.sandbox.kyc_client import HttpResponse, KycClient, SandboxRig
from kycourier_devkit.sandbox import Sandbox, draw_id_card, id_card_for
from kycourier_devkit.sandbox.documents.id_card import (
    personal_values,
    with_check_character,
)
from kycourier_devkit.sandbox.platform.parameters import Profile
from support.leaks import leak_scan

ORDER_NO = "idcard0000000000000000000000001"
ORDER_NUMBERS = st.from_regex("[A-Za-z0-9]{1,32}", fullmatch=True)
Changes = dict[str, str | None]


@pytest.fixture
def id_card(rig: SandboxRig) -> SandboxRig:
    return rig.of(ID_CARD)


def get(rig: SandboxRig, changes: Changes | None = None) -> HttpResponse:
    parameters: Changes = dict(query_parameters(ORDER_NO, ticket=rig.ticket))
    parameters |= changes or {}
    given = {name: text for name, text in parameters.items() if text is not None}
    return rig.client.get(ID_CARD.path, **given)


@pytest.mark.enable_socket
def test_reply_has_documented_fields(id_card: SandboxRig) -> None:
    reply = get(id_card, {"get_file": "1", "get_native": "1"})

    assert reply.json.keys() == {
        *("code", "msg", "bizSeqNo", "result", "transactionTime")
    }
    assert (reply.code, reply.json["msg"]) == ("0", "请求成功")
    assert reply.result.keys() == FRONT | BACK | BOTH | {"nativePlace"}
    values = {name: reply.result[name] for name in reply.result if name != "success"}
    assert all(isinstance(value, str) for value in values.values())
    assert reply.result["orderNo"] == ORDER_NO
    assert reply.result["operateTime"] == "2023-11-15 06:12:50"
    assert reply.result["transactionTime"] == "20231115061320"
    assert reply.result["frontWarnCode"] == reply.result["backWarnCode"] == "0"
    assert reply.result["frontMultiWarning"] == "00000000"
    assert reply.result["bizSeqNo"] == reply.json["bizSeqNo"]


@pytest.mark.enable_socket
@pytest.mark.parametrize("get_file", [None, "", "0", "2"])
def test_photos_come_only_with_get_file_1(
    id_card: SandboxRig, get_file: str | None
) -> None:
    reply = get(id_card, {"get_file": get_file})

    assert reply.result.keys() == (FRONT | BACK | BOTH) - PHOTOS


@pytest.mark.enable_socket
@pytest.mark.parametrize("get_native", [None, "", "0", "2"])
def test_native_place_comes_only_with_get_native_1(
    id_card: SandboxRig, get_native: str | None
) -> None:
    assert "nativePlace" not in get(id_card, {"get_native": get_native}).result
    place = get(id_card, {"get_native": "1"}).result["nativePlace"]
    assert place.startswith("测试省")


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"app_id": None}, "400101"),
        ({"app_id": None, "appId": "SANDBOX1"}, "400101"),
        ({"app_id": "SANDBOX2"}, "66660001"),
        ({"version": None}, "400101"),
        ({"version": "1.0.1"}, "400502"),
        ({"order_no": None}, "66660013"),
        ({"order_no": ""}, "66660000"),
        ({"order_no": "a-b"}, "66660000"),
        ({"order_no": "a" * 33}, "66660000"),
        ({"nonce": None}, "66660013"),
        ({"nonce": "n" * 31}, "66660013"),
        ({"nonce": "n" * 33}, "66660013"),
        ({"nonce": "-" * 32}, "66660013"),
        ({"nonce": "n" * 32}, "400101"),
        ({"sign": None}, "66660013"),
        ({"sign": "0" * 40}, "400101"),
        ({"get_file": "11"}, "66660013"),
        ({"get_native": "11"}, "66660013"),
        ({"getFile": "1"}, "66660013"),
    ],
    ids=str,
)
def test_wrong_query_gets_documented_code(
    id_card: SandboxRig, changes: Changes, code: str
) -> None:
    reply = get(id_card, changes)

    assert (reply.status, reply.code) == (200, code)
    assert "result" not in reply.json


@pytest.mark.enable_socket
def test_repeated_parameter_is_rejected(id_card: SandboxRig) -> None:
    request = id_card.request(ORDER_NO)
    for repeated in ("get_file=0", f"order_no={ORDER_NO}"):
        reply = id_card.client.send("GET", f"{request.target}&{repeated}")
        assert reply.code == "66660013"


@pytest.mark.enable_socket
def test_rejection_has_the_meaning_of_the_documents_list(id_card: SandboxRig) -> None:
    texts = {
        code: id_card.query(f"code{code}x1").json["msg"]
        for code in ("66660015", "66661008", "66660013")
    }

    assert texts["66660015"] == "the picture or video is abnormal: use another"
    assert texts["66661008"].startswith("name or ID number not recognized")
    assert texts["66660013"] == "request parameter abnormal"


@pytest.mark.enable_socket
@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD"])
def test_other_method_than_get_gets_405(id_card: SandboxRig, method: str) -> None:
    request = id_card.request(ORDER_NO)

    reply = id_card.client.send(method, request.target)

    assert (reply.status, reply.headers["Allow"]) == (405, "GET")


@pytest.mark.enable_socket
def test_signature_in_capitals_and_without_unsigned_values_is_accepted(
    id_card: SandboxRig,
) -> None:
    sign = query_parameters(ORDER_NO, ticket=id_card.ticket)["sign"]

    reply = get(id_card, {"sign": sign.upper(), "get_file": "1", "get_native": "1"})

    assert reply.code == "0"


@pytest.mark.enable_socket
def test_queries_are_counted_and_faults_of_queries_apply(id_card: SandboxRig) -> None:
    id_card.sandbox.set_fault("query", "http503")

    assert [id_card.query("a1").status for _ in range(2)] == [503, 200]
    report = id_card.sandbox.report()
    assert (report.queries_total, report.queries_per_order) == (2, {"a1": 2})


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("profile", "name"), [("miniprogram", "app_id"), ("kyc1", "appId")]
)
def test_app_id_is_spelled_alike_on_every_profile(profile: Profile, name: str) -> None:
    with Sandbox(profile=profile) as sandbox:
        client = KycClient(sandbox)
        ticket = client.refresh(app_id_name=name)

        assert client.query("a1", ticket=ticket, document=ID_CARD).code == "0"


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "order_no",
    ["order1", "changingx1", "badcheckx1", "number15x1", "number17x1", "numberlowerxx"],
)
def test_canaries_contain_the_personal_values(
    id_card: SandboxRig, order_no: str
) -> None:
    found: set[str] = set()
    for _ in range(2):
        result = id_card.query(order_no).result
        found |= {result[name] for name in ("name", "idcard", "address", "authority")}
        found.add(result["birth"])
    id_card.sandbox.reset()

    assert found <= id_card.sandbox.canaries()


@pytest.mark.parametrize("number", ["000000199003070014", "000000198511200028"])
def test_check_character_is_that_of_the_samples(number: str) -> None:
    assert with_check_character(number[:17]) == number


@given(ORDER_NUMBERS)
def test_card_is_synthetic_and_consistent(order_no: str) -> None:
    card = id_card_for(order_no)

    assert (card.number[:6], card.number[6:14]) == ("000000", card.birth)
    assert card.number[-1] == check_character(card.number)
    assert card.sex == ("男" if int(card.number[16]) % 2 else "女")
    assert card.name.startswith("测试")
    assert min(map(len, personal_values(order_no))) >= leak_scan.SHORTEST
    assert card.address.startswith("测试省测试")
    assert card.authority.startswith("测试")
    assert id_card_for(order_no) == card
    begins, ends, born = (
        datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - a date
        for text in (card.valid_from, card.valid_until, card.birth)
    )
    assert born < begins < ends


@pytest.mark.enable_socket
def test_reply_has_the_data_and_the_photos_of_the_order(id_card: SandboxRig) -> None:
    result = id_card.query("order1", get_file="1").result
    card, photos = id_card_for("order1"), draw_id_card("order1")

    assert result["name"] == card.name
    assert result["idcard"] == card.number
    assert result["validDate"] == f"{card.valid_from}-{card.valid_until}"
    drawn = {
        "frontPhoto": photos.front,
        "backPhoto": photos.back,
        "frontCrop": photos.front_crop,
        "backCrop": photos.back_crop,
        "headPhoto": photos.head,
    }
    assert {name: base64.b64decode(result[name]) for name in PHOTOS} == drawn


@pytest.mark.parametrize("order_no", ["order1", "W" * 32])
def test_photos_are_jpegs_and_smaller_the_less_they_show(order_no: str) -> None:
    photos = draw_id_card(order_no)

    for original, crop in (
        (photos.front, photos.front_crop),
        (photos.back, photos.back_crop),
    ):
        assert 50_000 < len(original) < 200_000
        assert len(photos.head) < len(crop) < len(original)
        for photo in (original, crop, photos.head):
            with Image.open(io.BytesIO(photo)) as image:
                image.load()
                assert image.format == "JPEG"


def test_photos_differ_between_orders_sides_and_not_between_drawings() -> None:
    drawn = draw_id_card("order1")
    draw_id_card.cache_clear()

    assert draw_id_card("order1") == drawn
    assert len({drawn.front, drawn.back, draw_id_card("order2").front}) == 3
