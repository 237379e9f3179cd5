"""Replies of the platform for ID cards and faces, with synthetic values."""

import base64

from kycourier.core.wire.messages import KycResponse
from support.leaks.canaries import ADDRESS, ID_NUMBER, PERSON, PHOTO
from support.rigs.fake_platform import PHOTO_BASE64, json_reply

VIDEO = b"\x00\x00\x00\x18ftypisom" + PHOTO
VIDEO_BASE64 = base64.b64encode(VIDEO).decode()
FRONT = {
    "frontCode": "0",
    "name": PERSON,
    "sex": "女",
    "nation": "汉",
    "birth": "19900307",
    "address": ADDRESS,
    "idcard": ID_NUMBER,
    "frontPhoto": PHOTO_BASE64,
    "frontCrop": PHOTO_BASE64,
    "headPhoto": PHOTO_BASE64,
    "frontWarnCode": "0",
    "frontMultiWarning": "00000000",
    "frontClarity": "64",
}
BACK = {
    "backCode": "0",
    "validDate": "20160725-20360725",
    "authority": "样例市公安局",
    "backPhoto": PHOTO_BASE64,
    "backCrop": PHOTO_BASE64,
    "backWarnCode": "0",
    "backMultiWarning": "10010100",
    "backClarity": "72",
}


def id_card_members(order_no: str, **changes: object) -> dict[str, object]:
    """Return a scan of both sides (1007/35864); `changes` replace its fields."""
    fields = {
        "orderNo": order_no,
        **FRONT,
        **BACK,
        "operateTime": "2024-06-17 17:08:03",
        "success": False,
        "bizSeqNo": "24061720001184410000000000000001",
        "transactionTime": "20240617170810",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def id_card_reply(order_no: str, **changes: object) -> KycResponse:
    result = id_card_members(order_no, **changes)
    return json_reply({"code": "0", "msg": "请求成功", "result": result})


def face_members(order_no: str, **changes: object) -> dict[str, object]:
    """Return a verification with its photo (655/32052)."""
    fields = {
        "orderNo": order_no,
        "liveRate": "99",
        "similarity": "92.4",
        "occurredTime": "20250115101530",
        "appId": "SANDBOX1",
        "photo": PHOTO_BASE64,
        "bizSeqNo": "25011520001184410000000000000001",
        "sdkVersion": "1.0.0",
        "trtcFlag": "",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def face_reply(order_no: str, *, code: object = "0", **changes: object) -> KycResponse:
    result = face_members(order_no, **changes)
    return json_reply({"code": code, "msg": "synthetic", "result": result})
