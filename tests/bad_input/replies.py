"""Every class of bad input that the platform can send."""

import base64
import json
from collections.abc import Iterator

from hypothesis import strategies as st

from bad_input.strategies import json_values, spell, texts

CARD = "6225880000012345678"  # no response, event or log line may show it
PHOTO = b"\xff\xd8\xff\xe0 photo-canary-51d0 " + bytes(range(63))
PHOTO_TEXT = base64.b64encode(PHOTO).decode()
TOKEN = "token-canary-83b1"
RESULT: dict[str, object] = {
    "bizSeqNo": "21062120001184412617492807497465",
    "transactionTime": "20210621174928",
    "orderNo": "order1",
    "bankCardNo": CARD,
    "bankCardValidDate": "12/2024",
    "originBankcardPhoto": PHOTO_TEXT,
    "bankcardCropPhoto": PHOTO_TEXT,
    "bankcardNoPhoto": PHOTO_TEXT,
    "warnCode": "0",
    "multiWarnCode": "0",
    "operateTime": "2021-06-21 17:40:06",
    "clarity": "79",
    "success": False,
}
OTHER_NAMES = ("bankcardNo", "orginBankcardPhoto", "warningCode", "multiWarningCode")
FIELDS = [*RESULT, *OTHER_NAMES]
HUGE = 200_000
ODD_VALUES: list[object] = [
    None, "", " ", 0, -1, 1.5, True, False, [], {}, [None], {"a": {}}, [[[[]]]],
    10**60, 1e300, "x" * HUGE, "1 " * HUGE, "9" * HUGE, CARD, [CARD] * 40,
    "\ud800", "\x00", "\u202e", "\uff11\uff12", "@0", "null", "0\n", PHOTO_TEXT[:-1],
]  # fmt: skip

# A reply with every field absent, null, of another type, huge


def reply(**changes: object) -> dict[str, object]:
    """Build a good reply with some fields of the result changed."""
    return {"code": "0", "msg": "synthetic", "result": RESULT | changes}


def without(name: str) -> dict[str, object]:
    """Build a good reply without a field of the result."""
    rest = {key: RESULT[key] for key in RESULT if key != name}
    return {"code": "0", "result": rest}


def changed_replies() -> Iterator[dict[str, object]]:
    """Yield a reply for every field and odd value, nested and flat."""
    for name in FIELDS:
        yield without(name)
        for value in ODD_VALUES:
            yield reply(**{name: value})
            yield {"code": "0", **RESULT, name: value}
    for value in ODD_VALUES:
        yield {"code": value, "result": RESULT}
        yield {"code": "0", "result": value}
        yield {"code": "0", "msg": value, CARD: value, "result": RESULT}
    yield {"result": RESULT}


# Base64: junk, blanks, other alphabets, padding, spare bits, data URIs, size

BASE64 = {
    "junk": "%%%%",
    "junk inside": f"{PHOTO_TEXT[:8]}*{PHOTO_TEXT[8:]}",
    "dropped by lax decoders": f"{PHOTO_TEXT[:8]}\x00{PHOTO_TEXT[8:]}",
    "line breaks": f"\r\n{PHOTO_TEXT[:8]}\n{PHOTO_TEXT[8:]}\r\n",
    "a blank, which was a plus": f"{PHOTO_TEXT[:8]} {PHOTO_TEXT[9:]}",
    "blanks": f" {PHOTO_TEXT} ",
    "a tab": f"{PHOTO_TEXT[:8]}\t{PHOTO_TEXT[8:]}",
    "url-safe": base64.urlsafe_b64encode(b"\xfb\xff\xfe" * 4).decode(),
    "no padding": PHOTO_TEXT.rstrip("="),
    "padding inside": "QQ==QQ==",
    "more padding": f"{PHOTO_TEXT}====",
    "padding alone": "====",
    "spare bits": "QR==",
    "data URI": f"data:image/jpeg;base64,{PHOTO_TEXT}",
    "two data URIs": f"data:image/png;base64,data:image/png;base64,{PHOTO_TEXT}",
    "data URI of text": f"data:text/html;charset=utf-8,{PHOTO_TEXT}",
    "empty data URI": "data:image/png;base64,",
    "full-width": PHOTO_TEXT.translate({ord("A"): "\uff21"}),
    "nothing": "",
    "null": "null",
    "None": "None",
    "63 bytes": base64.b64encode(PHOTO[:63]).decode(),
    "64 bytes": base64.b64encode(PHOTO[:64]).decode(),
    "20 MB": "QUJD" * (20 * 2**20 // 4),
    "20 MB of junk": "*" * (20 * 2**20),
}
base64_texts = (
    st.sampled_from(sorted(BASE64.values(), key=len)[:-2])
    | st.text(alphabet="ABwxyz0189+/=_- \r\n", max_size=24)
    | st.binary(max_size=40).map(lambda content: base64.b64encode(content).decode())
    | texts
)

# Image bytes: stored as they are, never decoded

PNG = b"\x89PNG\r\n\x1a\n"
IMAGES = {
    "no image": b"not an image",
    "one byte": b"\xff",
    "jpeg, cut": b"\xff\xd8\xff",
    "png": PNG + b"\x00\x00\x00\rIHDR",
    "png, a bomb's head": PNG + b"\x00\x00\x00\rIHDR" + b"\xff" * 8,
    "webp": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
    "riff, cut": b"RIFF\x00\x00",
    "svg": b"<svg onload=alert(1)>",
    "polyglot": b"\xff\xd8\xff\xe0<html><script>alert(1)</script>",
    "pdf": b"%PDF-1.7",
    "executable": b"MZ\x90\x00",
    "zeros": bytes(5_000),
}
images = st.sampled_from(
    sorted(image.ljust(64, b"\x00") for image in IMAGES.values())
) | st.binary(min_size=64, max_size=200)

# Card numbers, validity dates, codes

card_numbers = (
    st.text("0123456789", max_size=40)
    | st.text("0123456789 -x*\uff10\uff19\u0661", max_size=70)
    | st.sampled_from(
        ["4111111111111112", "4111-1111 1111 1111", "x" * 19, "9" * 5_000]
    )
    | texts
)
dates = st.sampled_from(
    ["12/2024", "2024-12", "2024/12", "\u957f\u671f", "", "13/2024", "00/2024", "12/24",
     "12/2024\n", "\uff11\uff12/2024", "2024-12-31", "12/9999", "1/2024", " 12/2024 "]
) | texts  # fmt: skip
codes = (
    st.sampled_from(
        ["0", 0, 0.0, False, " 0", "0 ", "00", "-0", "0\n", "\u0660", "-9011", -9011,
         66660011, "66660011 ", "400101", "1" * 10, "1" * 10_000, [0], {}, None, True]
    )
    | st.integers()
    | texts
)  # fmt: skip
warnings = (
    codes
    | st.lists(codes, max_size=40)
    | st.lists(codes, max_size=5).map(lambda found: json.dumps(found)[:-1])
    | st.text("[]-,0123456789 ", max_size=60)
)
results = st.fixed_dictionaries(
    {},
    optional={
        "code": codes,
        "result": st.fixed_dictionaries(
            {"orderNo": st.just("order1") | texts},
            optional={
                "bankCardNo": card_numbers,
                "bankCardValidDate": dates,
                "originBankcardPhoto": base64_texts,
                "bankcardCropPhoto": base64_texts,
                "bankcardNoPhoto": base64_texts,
                "warnCode": warnings,
                "multiWarnCode": warnings,
                "operateTime": st.sampled_from(["2021-02-30 00:00:00"]) | texts,
                "clarity": codes | st.floats(),
                "bizSeqNo": texts,
                "transactionTime": texts,
            },
        )
        | json_values,
    },
)

# Token and ticket replies

LIFETIMES: list[object] = [
    "", 0, -1, "0", "-1", "3600s", 1e12, 10**12, "9" * 18, "9" * 5_000, None, [], True,
    "\uff13\uff16", " 60", "60\n", 1, "1", 7200,
]  # fmt: skip
lifetimes = st.sampled_from(LIFETIMES) | json_values
values = st.sampled_from(
    [TOKEN, "", None, 5, [], f"{TOKEN}\n", "\u00e9", "\ud800", "t" * 1_000_000]
)
token_replies = st.fixed_dictionaries(
    {"code": st.just("0") | codes},
    optional={"access_token": values, "expire_in": lifetimes, "msg": json_values},
)
entries = st.fixed_dictionaries({}, optional={"value": values, "expire_in": lifetimes})
ticket_replies = st.fixed_dictionaries(
    {"code": st.just("0") | codes},
    optional={"tickets": st.lists(entries | json_values, max_size=3) | json_values},
)

# Bytes: every truncation, random ones, other encodings

WHOLE = spell(reply())
GBK = json.dumps({"code": "0", "msg": "\u8bf7\u6c42"}, ensure_ascii=False).encode("gbk")
MALFORMED = [
    b"", b"null", b"[]", b'"0"', b"0", b"<html>502</html>", b"\xef\xbb\xbf" + WHOLE,
    WHOLE + b"{}", b"[" * HUGE, b'{"a":' * HUGE, b"\x00" * 99, b'{"code":NaN}', GBK,
    b'{"code":"1","code":"0"}', b'{"code":' + b"9" * 5_000 + b"}",
    WHOLE.decode().encode("utf-16"),
]  # fmt: skip
malformed_replies = (
    st.integers(0, len(WHOLE) - 1).map(lambda end: WHOLE[:end])
    | st.binary(max_size=60)
    | st.sampled_from(MALFORMED)
)
any_replies = malformed_replies | results.map(spell)
