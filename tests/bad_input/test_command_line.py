"""Arbitrary arguments and settings print at most one line and set an exit code."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bad_input.strategies import CANARY, bad_order_texts, texts
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.kyc.transport import HttpKycTransport
from kycourier.adapters.registry import open_secret
from kycourier.adapters.system import SystemClock
from kycourier.core.errors import SettingError
from kycourier.core.fingerprints import parse_fingerprint_key
from kycourier.core.redaction import Secret
from kycourier.core.request_signature import parse_keys
from kycourier.settings.declarations import SETTINGS
from kycourier.settings.reader import read_settings
from kycourier.settings.resource_url import ResourceUrl
from kycourier_devkit.cli.app import run

URLS = [
    "http://[", "http://[::1/v1", "https://[::::]/v1", "//", "https://x:99999/v1",
    "https://x/v1?\udcff", "https://x/v1#\n", "https://x/%zz/v1/", "\x00", "v1", "",
    "http://127.0.0.1:99999", "http://127.0.0.1:0", "https://[1:2]", "https://[::1]x",
]  # fmt: skip
urls = st.sampled_from(URLS) | texts
ORDERS = bad_order_texts | st.just("")


def is_port(text: str) -> bool:
    """Return whether `serve` would listen on it."""
    with suppress(ValueError):
        return 0 <= int(text) < 1 << 16
    return False


COMMANDS = st.one_of(
    st.tuples(st.sampled_from(["show", "collect", "resume"]), ORDERS),
    st.tuples(st.just("resume"), st.just("A1"), ORDERS),
    st.tuples(st.just("collect"), st.just("--from"), texts),
    st.tuples(st.just("sign"), st.sampled_from(["GET", "PUT"]) | texts, urls),
    st.tuples(st.just("sign"), st.just("GET"), urls, st.just("--key-file"), texts),
    st.tuples(st.just("verify"), urls | st.just("s3://a/b/c.json")),
    st.tuples(
        st.just("serve"), st.just("--port"), texts.filter(lambda t: not is_port(t))
    ),
    st.tuples(
        st.just("serve"),
        st.just("--sweep-seconds"),
        st.sampled_from(["nan", "inf", "-1", "1e400"]),
    ),
    st.tuples(st.just("--stack"), texts, st.just("show"), st.just("A1")),
    st.tuples(st.just("events"), st.just("show"), ORDERS | texts),
    st.tuples(
        st.just("events"),
        st.just("list"),
        st.sampled_from(["--since", "--until", "--type", "--order", "--limit"]),
        texts,
    ),
    st.tuples(st.just("resend"), st.just("A1"), st.just("--to"), urls),
    st.tuples(st.just("resend"), st.just("--since"), texts),
    st.tuples(
        *(st.just("listen"), st.just("--since"), st.just("x")),
        *(st.just("--forward-to"), urls),
    ),
    st.tuples(
        *(st.just("listen"), st.just("--forward-to"), st.just("http://127.0.0.1/")),
        *(st.just("--secret"), texts.filter(lambda text: "whsec" not in text)),
    ),
    st.tuples(st.just("trigger"), texts.filter(bool)),
    st.lists(texts.filter(bool), min_size=1, max_size=3).map(tuple),
)
in_one_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150
)


def assert_one_line(code, caught):
    """Assert one printable line on standard error and no traceback."""
    assert code in {0, 1, 2}
    if code:
        assert "Traceback" not in caught.err
        assert len(caught.err.splitlines()) == 1
    for line in (caught.out + caught.err).splitlines():
        assert line.isprintable()


@pytest.mark.leaks_on_purpose  # `sign` prints a signature
@given(COMMANDS)
@in_one_folder
def test_arbitrary_arguments_print_at_most_one_line(
    tmp_path, monkeypatch, capsys, arguments
):
    monkeypatch.chdir(tmp_path)
    code = run(arguments, {})
    assert_one_line(code, capsys.readouterr())


@pytest.mark.parametrize("url", URLS, ids=ascii)
@pytest.mark.parametrize(
    "command",
    [pytest.param("sign", marks=pytest.mark.leaks_on_purpose), "show", "serve"],
)
@pytest.mark.enable_socket  # serve takes its port first
def test_invalid_url_prints_one_line(tmp_path, monkeypatch, capsys, command, url):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("a-key-of-a-test")
    arguments, environ = {
        "sign": (["sign", "GET", url, "--key-file", "key"], {}),
        "show": (["show", "A1"], {"KYCOURIER_KYC_URL": url}),
        "serve": (["serve", "--port", "0", "--kyc-url", url or "x"], {}),
    }[command]
    code = run(arguments, environ)
    assert_one_line(code, capsys.readouterr())


def read_or_reject(read, variable):
    """Return what `read` returns; None if it names the variable without its value."""
    try:
        return read()
    except SettingError as error:
        rejection = error
    assert rejection.variable == variable
    assert CANARY not in str(rejection)
    return None


@given(
    st.sampled_from(SETTINGS), texts | urls | st.text("0123456789.:/[]sh", max_size=20)
)
def test_setting_is_accepted_or_rejected_without_its_value(setting, text):
    for value in (text, text + CANARY, f"https://{text}", f"redis://{text}#k"):
        environ = {setting.variable: value}
        read = read_or_reject(
            lambda environ=environ: read_settings(environ, needs=frozenset()),
            setting.variable,
        )
        if read is not None and read.kyc_url is not None:
            HttpKycTransport(read.kyc_url, connections=1, max_reply_bytes=1024).close()


@given(texts)
def test_accepted_secret_is_usable(text):
    """The environment can contain bytes that are not UTF-8; they are rejected."""
    context = AdapterContext(clock=SystemClock(), environ={"KEPT": text})
    source = read_or_reject(
        lambda: open_secret("api_keys", ResourceUrl("env", "KEPT"), context),
        "KYCOURIER_API_KEYS",
    )
    if source is not None:
        secret = source.get()
        stripped = text.removeprefix("\ufeff").strip()
        assert secret.expose() == stripped or stripped.startswith("{")
        assert secret.expose().encode().decode() == secret.expose()
        assert all(isinstance(key, Secret) for key in parse_keys(secret) or ())
        parse_fingerprint_key(secret)
