"""Every setting: its variable, what it may be, its default, and its help text."""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from kycourier.settings import parsers

PREFIX = "KYCOURIER_"
OWNED = "owned"
NONE = "none"


class Setting(Struct, frozen=True, kw_only=True):
    """One variable. `local` is the value that local commands use if it is not set."""

    name: str
    help: str
    parse: Callable[[str], Any]
    default: str | None = None
    local: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable's name."""
        return PREFIX + self.name.upper()


_YEAR = 366 * 24 * 3600

SETTINGS = (
    Setting(
        name="app_id",
        help="wbappid",
        parse=parsers.pattern("[A-Za-z0-9]{1,32}", "letters and digits"),
        local="SANDBOX1",
    ),
    Setting(
        name="app_secret",
        help="a *secret reference*; not needed when the ticket is someone else's",
        parse=parsers.secret_reference,
        local="the sandbox's",
    ),
    Setting(
        name="kyc_profile",
        help="`miniprogram` or `kyc1`: host and parameter names (docs/upstream.md)",
        parse=parsers.profile,
        default="miniprogram",
    ),
    Setting(
        name="kyc_url",
        help="base URL instead of the profile's host; `http://` on loopback only",
        parse=parsers.kyc_url,
        local="the sandbox",
    ),
    Setting(
        name="ticket",
        help="`owned`, or where somebody else keeps it: a secret reference"
        " or `redis[s]://…#key`",
        parse=parsers.resource_url(
            *parsers.SECRET_FORMS, "redis://…#key", "rediss://…#key", word=OWNED
        ),
        default=OWNED,
    ),
    Setting(
        name="state",
        help="`sqlite:///path`, `dynamodb://table`, `redis[s]://…`:"
        " tickets, leases, orders",
        parse=parsers.resource_url(
            "sqlite:///path", "dynamodb://table", "redis://host", "rediss://host"
        ),
        local="sqlite:///.kycourier/state.db",
    ),
    Setting(
        name="evidence",
        help="`file:///dir`, `s3://bucket/prefix[?sse=…&kms_key=…]`,"
        " `cos://bucket-appid/prefix?region=…`",
        parse=parsers.resource_url(
            "file:///dir", "s3://bucket/prefix", "cos://bucket-appid/prefix?region=…"
        ),
        local="file:///….kycourier/evidence",
    ),
    Setting(
        name="events",
        help="`file:///path.jsonl`, `https://…` (a webhook; `http://` on loopback),"
        " `eventbridge://bus`, `sqs://name`, `tencent-eb://bus-id?region=…`",
        parse=parsers.events_url(
            "file:///path.jsonl",
            "eventbridge://bus",
            "sqs://name",
            "tencent-eb://bus-id?region=…",
        ),
        local="file:///….kycourier/events.jsonl",
    ),
    Setting(
        name="webhook_secret",
        help="for a webhook, a secret reference: one or two `whsec_…`, a line each;"
        " both sign",
        parse=parsers.secret_reference,
    ),
    Setting(
        name="queue",
        help="delayed work: `sqlite:///path`, `sqs://name`,"
        " or `none` (the sweep alone)",
        parse=parsers.resource_url("sqlite:///path", "sqs://name", word=NONE),
        default=NONE,
        local="sqlite:///.kycourier/queue.db",
    ),
    Setting(
        name="recipient_key",
        help="reference to a public JWK, JWK Set or PEM: P-256, X25519 or RSA; if set,"
        " results carry the clear values sealed to it",
        parse=parsers.secret_reference,
    ),
    Setting(
        name="fingerprint_key",
        help="a secret reference: one string of 32 characters or more is `v1`,"
        " or lines `v1=…`, `v2=…`, the last one in use",
        parse=parsers.secret_reference,
        local="generated",
    ),
    Setting(
        name="id_card_sides",
        help="which sides of an ID card are wanted: `both`, `front`, or `any`",
        parse=parsers.one_of("both", "front", "any"),
        default="both",
    ),
    Setting(
        name="face_files",
        help="which files of a face verification are stored: `photo`,"
        " `photo_and_video`, or `none`",
        parse=parsers.one_of("photo", "photo_and_video", "none"),
        default="photo",
    ),
    Setting(
        name="api_auth",
        help="`signature` (the function checks the request's HMAC), `gateway`"
        " (the gateway has authenticated; not on SCF), `none` (local only)",
        parse=parsers.one_of("signature", "gateway", "none"),
        default="signature",
        local="none",
    ),
    Setting(
        name="api_keys",
        help="a secret reference: one or two live keys, a line each, for `signature`",
        parse=parsers.secret_reference,
    ),
    Setting(
        name="order_ttl_seconds",
        help="how long to wait for a result",
        parse=parsers.number(1, _YEAR, parsers.seconds),
        default="172800",
    ),
    Setting(
        name="first_sweep_seconds",
        help="when a registered order that nobody announced is first asked for",
        parse=parsers.number(0, _YEAR, parsers.seconds),
        default="600",
    ),
    Setting(
        name="photo_patience_seconds",
        help="how long to wait for late photos before collecting without them",
        parse=parsers.number(0, _YEAR, parsers.seconds),
        default="300",
    ),
    Setting(
        name="max_in_flight",
        help="upstream calls at once in one process",
        parse=parsers.number(1, 1000),
        default="10",
    ),
    Setting(
        name="max_reply_bytes",
        help="cap on a reply's body (a face's video has its own)",
        parse=parsers.number(1024, 2**28),
        default="16777216",
    ),
    Setting(
        name="kyc_timeout_seconds",
        help="total deadline of one upstream call, at most 8",
        parse=parsers.number(0.1, 8, float),
        default="8",
    ),
)
