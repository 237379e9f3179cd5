"""Every class of bad input that clients and the queue can send.

Free text contains the canary, which no response and no log line may repeat.
"""

import copy
import json

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

CANARY = "canary7c1f9e42"
ORDER = "bankcardPic5923ab9a3bc34488b51"
SIGNATURE = "x-kycourier-signature"

Event = dict[str, object]

# Text: Unicode digits, line ends, NUL, paths, escapes, bidi, surrogates, control codes

SPECIAL = (
    "\n", "\r\n", "\x00", "\x1b[2J", " ", "../", "..\\", "%2e%2e%2f", "%00", "%", "+",
    "\u202e", "\u2028", "\ufeff", "\ud800", "\udfff", "\u0661", "\uff11", "\u00e9",
    "\u0130", "\U0001f4b3", "'", '"', "<svg onload=1>", "${jndi:x}", "{{7*7}}", "-", "",
)  # fmt: skip
texts = st.builds(
    "".join,
    st.lists(
        st.sampled_from(SPECIAL) | st.text(max_size=9) | st.just(CANARY), max_size=6
    ),
)
long_texts = st.builds(
    lambda unit, times: unit * times,
    st.sampled_from(["a", "0", "\uff11", "../", "%2e", "\ud800", CANARY]),
    st.sampled_from([33, 1_000, 10_000]),
)

# Order numbers: never a valid one


def _is_bad(text: str) -> bool:
    return not (text.isascii() and text.isalnum() and len(text) <= 32)


bad_order_texts = texts.filter(_is_bad) | long_texts
json_values: SearchStrategy[object] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.sampled_from([10**400, -0.0, 1e308, 2**63]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=6,
)
bad_order_numbers = bad_order_texts | json_values.filter(
    lambda value: not isinstance(value, str) or _is_bad(value)
)


def deep(levels: int) -> list[object]:
    """Nest lists."""
    value: list[object] = []
    for _ in range(levels):
        value = [value]
    return value


# API bodies: wrong types, extra members, duplicates, NaN, digits, depth, encoding, size

NO_JSON = {
    "cut": b'{"document":"bank_card"',
    "trailing": b"{} {}",
    "duplicate keys": f'{{"{CANARY}":1,"{CANARY}":2}}'.encode(),
    "duplicate keys by escape": b'{"reopen":true,"reop\\u0065n":false}',
    "NaN": b'{"reopen":NaN}',
    "infinity": b'{"reopen":-Infinity}',
    "5 000 digits": b'{"reopen":' + b"9" * 5_000 + b"}",
    "200 digits": b'{"reopen":' + b"9" * 200 + b"}",
    "depth 16 000": b"[" * 16_000,
    "depth of objects": b'{"a":' * 3_000,
    "byte order mark": b"\xef\xbb\xbf{}",
    "utf-16": '{"document":"bank_card"}'.encode("utf-16"),
    "utf-32": b"\x00\x00\x00{\x00\x00\x00}",
    "gbk": '{"document":"银行卡"}'.encode("gbk"),
    "no utf-8": b'{"document":"\xff\xfe"}',
    "control character": b'{"document":"\x00"}',
    "null": b"null",
    "blank": b" ",
}
LONG = {
    "depth 200 000": b"[" * 200_000,
    "10 MB": b'{"reopen":"' + CANARY.encode() * 750_000 + b'"}',
    "10 MB of blanks": b" " * 10_000_000 + b"{}",
    "one byte too many": b"{}" + b" " * 16_383,
}
not_null = json_values.filter(lambda value: value is not None)  # null is absent
no_object = json_values.filter(lambda value: not isinstance(value, dict))
wrong_members = (
    st.dictionaries(texts.filter(bool), json_values, min_size=1, max_size=3).filter(
        lambda members: not members.keys() <= {"document", "app_id", "reopen"}
    )
    | st.fixed_dictionaries({"document": not_null})
    | st.fixed_dictionaries({"app_id": not_null})
    | st.fixed_dictionaries(
        {"reopen": not_null.filter(lambda value: not isinstance(value, bool))}
    )
    | st.fixed_dictionaries({CANARY: json_values, "document": st.just("bank_card")})
)


def spell(value: object) -> bytes:
    """Encode JSON as Python does, with NaN and lone surrogates."""
    return json.dumps(value).encode()


bad_bodies = (
    (no_object | wrong_members).map(spell)
    | st.sampled_from([*NO_JSON.values(), *LONG.values()])
    | st.binary(min_size=1, max_size=60).map(lambda body: body + b"!")
)

# Headers: control characters, 16 KB, names of every case, repeats

CONTROLS = [chr(code) for code in (*range(9), *range(0x0A, 0x20), 0x7F)]
control_values = st.builds(
    lambda before, control, after: f"{CANARY}{before}{control}{after}",
    st.text(max_size=9),
    st.sampled_from(CONTROLS),
    st.sampled_from(["", "x-kycourier-signature: t=1", " folded"]),
)
odd_headers = st.dictionaries(
    st.sampled_from(["Prefer", "traceparent", "TRACEPARENT", SIGNATURE, "X-\u0130", ""])
    | texts,
    texts
    | st.sampled_from(
        ['respond-async="', "respond-async; a=\x09", '"' * 99, "\\" * 99, ",;=" * 99]
    ),
    max_size=5,
)

# Queue envelopes: none, broken bodies, mixed sources

FOREIGN_RECORDS: list[Event] = [
    {"EventSource": "aws:sns", "Sns": {"MessageId": "s", "Message": CANARY}},
    {"eventSource": "aws:s3", "s3": {"object": {"key": CANARY}}},
    {"eventSource": "aws:kinesis", "kinesis": {"data": CANARY}, "eventID": "k"},
    {"eventSource": "aws:dynamodb", "dynamodb": {"Keys": {"a": {"S": CANARY}}}},
    {"messageId": "", "body": CANARY},
    {"body": f'{{"order_no":"{CANARY}"}}'},
]
bad_messages = (
    st.fixed_dictionaries({"order_no": bad_order_numbers}).map(
        lambda members: spell(members).decode()
    )
    | st.sampled_from(sorted(NO_JSON.values())).map(lambda body: body.decode("latin-1"))
    | bad_bodies.map(lambda body: body.decode("latin-1"))
    | json_values.filter(lambda value: not isinstance(value, str))
)


def record(identity: str, body: object, **more: object) -> Event:
    """Build a record of an SQS event."""
    return {"messageId": identity, "body": body, "eventSource": "aws:sqs", **more}


# Message ids: the response repeats them, so that they hold no canary.
identities = st.sampled_from(["m1", "m2", "", " ", "\n", "\ud800", None, 5, [], {}])
envelopes = st.fixed_dictionaries({"Records": json_values}) | st.fixed_dictionaries(
    {
        "Records": st.lists(
            st.builds(record, identities, bad_messages)
            | st.sampled_from(FOREIGN_RECORDS).map(copy.deepcopy)
            | json_values,
            max_size=6,
        )
    }
)
