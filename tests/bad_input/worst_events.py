"""The most expensive known events of each class, of any size."""

from collections.abc import Callable

from bad_input.http_events import build_event
from bad_input.strategies import SIGNATURE, Event, deep, record

SIGNED = {SIGNATURE: f"t=1767225600,v1={'0' * 64}"}
DEPTH = 100_000  # building deeper ones takes long
HEALTH, COLLECT = ("GET", "/v1/health"), ("POST", "/v1/orders/a1/collection")


def repeated_headers(name: str) -> Callable[[int], Event]:
    """Return a builder of events that repeat an empty header."""

    def build(size: int) -> Event:
        event = build_event("rest_v1", *HEALTH)
        return event | {"multiValueHeaders": {name: [""] * (size // 4)}}

    return build


REQUESTS: dict[str, Callable[[int], Event]] = {
    "headers without a name": repeated_headers(""),
    "one repeated header": repeated_headers("a"),
    "a long header": lambda size: build_event(
        "http_v2", *HEALTH, headers={"a": "b" * size}
    ),
    "many headers": lambda size: build_event(
        "scf_url", *HEALTH, headers={f"a{number}": "" for number in range(size // 12)}
    ),
    "a query of pairs": lambda size: build_event(
        "http_v2", *HEALTH, headers=SIGNED, query="a&" * (size // 2)
    ),
    "a query of escapes": lambda size: build_event(
        "http_v2", *HEALTH, headers=SIGNED, query="%41" * (size // 3)
    ),
    "a path of segments": lambda size: build_event(
        "http_v2", "GET", "/v1" + "/a" * (size // 2)
    ),
    "a long segment": lambda size: build_event(
        "http_v2", "GET", "/v1/orders/" + "a" * size
    ),
    "unclosed quotes": lambda size: build_event(
        "http_v2", *COLLECT, headers={"Prefer": '"' + '\\"' * min(8_000, size // 2)}
    ),
    "preferences": lambda size: build_event(
        "http_v2", *COLLECT, headers={"Prefer": "," * min(16_000, size)}
    ),
    "a long signature": lambda size: build_event(
        "http_v2", *HEALTH, headers={SIGNATURE: "t=1," * (size // 4)}
    ),
    "a long body": lambda size: build_event(
        "http_v2", "PUT", "/v1/orders/a1", body=b"[" * size
    ),
    "a long body in Base64": lambda size: build_event(
        "http_v2", "PUT", "/v1/orders/a1", body=b"[" * size, in_base64=True
    ),
    "a deep body": lambda size: (
        build_event(*("http_v2", *COLLECT)) | {"body": deep(min(DEPTH, size // 2))}
    ),
}
BATCHES: dict[str, Callable[[int], Event]] = {
    "one long body": lambda size: {"Records": [record("m1", "[" * size)]},
    "one deep body": lambda size: {
        "Records": [record("m1", deep(min(DEPTH, size // 2)))]
    },
    "bodies at their limit": lambda size: {
        "Records": [
            record(f"m{number}", "[" * 16_384) for number in range(size // 16_384)
        ]
    },
    "records without an id": lambda size: {"Records": [{}] * min(10_000, size // 3)},
    "numbers": lambda size: {"Records": [5] * min(10_000, size // 2)},
}
