"""Every setting: its variable, what it may be, its default, and what it is for."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any

from msgspec import Struct

from kycourier import setting_forms as forms
from kycourier.core.errors import SettingError
from kycourier.core.wire import Profile
from kycourier.setting_forms import Place

PREFIX = "KYCOURIER_"
OWNED = "owned"
NONE = "none"


class Settings(Struct, frozen=True, kw_only=True):
    """What the environment says, checked. None: not set, and not needed here."""

    app_id: str
    app_secret: Place | None
    kyc_profile: Profile
    kyc_url: str | None
    ticket: Place | None
    state: Place
    evidence: Place | None
    events: Place | None
    queue: Place | None
    card_number: str
    fingerprint_key: Place | None
    api_auth: str
    api_keys: Place | None
    order_ttl_seconds: timedelta
    first_sweep_seconds: timedelta
    photo_patience_seconds: timedelta
    max_in_flight: int
    max_reply_bytes: int
    kyc_timeout_seconds: float


class Setting(Struct, frozen=True, kw_only=True):
    """One variable. `local` is what the local commands put in where it is not set."""

    name: str
    help: str
    parse: Callable[[str], Any]
    default: str | None = None
    local: str | None = None

    @property
    def variable(self) -> str:
        """The environment variable's name."""
        return PREFIX + self.name.upper()


def read_settings(environ: Mapping[str, str], *, needs: AbstractSet[str]) -> Settings:
    """Read all settings; those named in `needs` must be there.

    A variable that is set must be right even where it is not needed. Raises
    SettingError with the variable's name and the reason, never its value.
    """
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        text = environ.get(setting.variable) or setting.default
        values[setting.name] = None if text is None else _parse(setting, text)
    if values["ticket"] is not None:
        needs = needs - {"app_secret"}
    for setting in SETTINGS:
        if setting.name in needs and values[setting.name] is None:
            raise SettingError(setting.variable, "is not set")
    return Settings(**values)


def _parse(setting: Setting, text: str) -> object:
    try:
        return setting.parse(text)
    except forms.WrongForm as wrong:
        reason = str(wrong)
    raise SettingError(setting.variable, reason)


_YEAR = 366 * 24 * 3600

SETTINGS = (
    Setting(
        name="app_id",
        help="wbappid",
        parse=forms.pattern("[A-Za-z0-9]{1,32}", "letters and digits"),
        local="SANDBOX1",
    ),
    Setting(
        name="app_secret",
        help="a *secret reference*; not needed when the ticket is someone else's",
        parse=forms.secret,
        local="the sandbox's",
    ),
    Setting(
        name="kyc_profile",
        help="`miniprogram` or `kyc1`: host and parameter names (docs/upstream.md)",
        parse=forms.profile,
        default="miniprogram",
    ),
    Setting(
        name="kyc_url",
        help="base URL instead of the profile's host; `http://` on loopback only",
        parse=forms.kyc_url,
        local="the sandbox",
    ),
    Setting(
        name="ticket",
        help="`owned`, or where somebody else keeps it: a secret reference"
        " or `redis[s]://…#key`",
        parse=forms.place(
            *forms.SECRET_FORMS, "redis://…#key", "rediss://…#key", word=OWNED
        ),
        default=OWNED,
    ),
    Setting(
        name="state",
        help="`sqlite:///path`, `dynamodb://table`, `redis[s]://…`:"
        " tickets, leases, orders",
        parse=forms.place(
            "sqlite:///path", "dynamodb://table", "redis://host", "rediss://host"
        ),
        local="sqlite:///.kycourier/state.db",
    ),
    Setting(
        name="evidence",
        help="`file:///dir`, `s3://bucket/prefix`,"
        " `cos://bucket-appid/prefix?region=…`",
        parse=forms.place(
            "file:///dir", "s3://bucket/prefix", "cos://bucket-appid/prefix?region=…"
        ),
        local="file:///….kycourier/evidence",
    ),
    Setting(
        name="events",
        help="`file:///path.jsonl`, `eventbridge://bus`, `sqs://name`,"
        " `tencent-eb://bus-id?region=…`, `https://…` (later)",
        parse=forms.place(
            "file:///path.jsonl",
            "eventbridge://bus",
            "sqs://name",
            "tencent-eb://bus-id?region=…",
            "https://…",
        ),
        local="file:///….kycourier/events.jsonl",
    ),
    Setting(
        name="queue",
        help="delayed work: `sqlite:///path`, `sqs://name`,"
        " or `none` (the sweep alone)",
        parse=forms.place("sqlite:///path", "sqs://name", word=NONE),
        default=NONE,
        local="sqlite:///.kycourier/queue.db",
    ),
    Setting(
        name="card_number",
        help="`masked`, or `sealed` (later)",
        parse=forms.card_number,
        default="masked",
    ),
    Setting(
        name="fingerprint_key",
        help="a secret reference: one string of 32 characters or more is `v1`,"
        " or lines `v1=…`, `v2=…`, the last one in use",
        parse=forms.secret,
        local="generated",
    ),
    Setting(
        name="api_auth",
        help="`signature` (the function checks the request's HMAC), `gateway`"
        " (the gateway has authenticated; not on SCF), `none` (local only)",
        parse=forms.one_of("signature", "gateway", "none"),
        default="signature",
        local="none",
    ),
    Setting(
        name="api_keys",
        help="a secret reference: one or two live keys, a line each, for `signature`",
        parse=forms.secret,
    ),
    Setting(
        name="order_ttl_seconds",
        help="how long to wait for a result",
        parse=forms.number(1, _YEAR, forms.seconds),
        default="172800",
    ),
    Setting(
        name="first_sweep_seconds",
        help="when a registered order that nobody announced is first asked for",
        parse=forms.number(0, _YEAR, forms.seconds),
        default="600",
    ),
    Setting(
        name="photo_patience_seconds",
        help="how long to wait for late photos before collecting without them",
        parse=forms.number(0, _YEAR, forms.seconds),
        default="300",
    ),
    Setting(
        name="max_in_flight",
        help="upstream calls at once in one process",
        parse=forms.number(1, 1000),
        default="10",
    ),
    Setting(
        name="max_reply_bytes",
        help="cap on a reply's body",
        parse=forms.number(1024, 2**28),
        default="16777216",
    ),
    Setting(
        name="kyc_timeout_seconds",
        help="total deadline of one upstream call, at most 8",
        parse=forms.number(0.1, 8, float),
        default="8",
    ),
)
