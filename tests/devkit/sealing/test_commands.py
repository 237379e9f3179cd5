"""`keys new` and `unseal`: a pair is made, and what is sealed to it is opened."""

import json
import stat

import pytest
from jwcrypto.jwk import JWK

from kycourier.adapters.sealing.jwe import open_sealer
from kycourier.core.events.sealed_content import SealedContent
from kycourier.core.redaction import Secret

pytestmark = pytest.mark.leaks_on_purpose  # to open a result is to show it
IDENTITY = {"app_id": "SANDBOX1", "order_no": "order1", "document": "bank_card"}
CONTENT = {**IDENTITY, "card": {"number": "6200000000000005"}}
FILE = "recipient.private.jwk"


@pytest.fixture
def new_key(kycourier, tmp_path):
    """Make a pair; return the public key as printed, and the private key's file."""

    def make(*options):
        result = kycourier("keys", "new", *options)
        assert result.code == 0, result.err
        return json.loads(result.out), tmp_path / FILE

    return make


def seal(public, content=CONTENT):
    sealer = open_sealer(Secret(json.dumps(public)))
    return sealer.seal(SealedContent(json.dumps(content).encode()))


def event(sealed, **identity):
    return {"id": "e1", "data": {**IDENTITY, **identity, "sealed": sealed}}


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("p256", {"kty": "EC", "crv": "P-256", "alg": "ECDH-ES+A256KW"}),
        ("X25519", {"kty": "OKP", "crv": "X25519", "alg": "ECDH-ES+A256KW"}),
        ("rsa", {"kty": "RSA", "alg": "RSA-OAEP-256"}),
    ],
)
def test_new_pair_seals_and_unseals(kycourier, new_key, kind, members):
    public, private = new_key("--kind", kind)

    assert public.items() >= {**members, "use": "enc"}.items()
    assert public["kid"] == JWK(**public).thumbprint()
    assert "d" not in public
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    result = kycourier("unseal", stdin=json.dumps(event(seal(public))))
    assert (result.code, result.err) == (0, "")
    assert json.loads(result.out) == CONTENT


def test_new_key_prints_guidance_that_json_omits(kycourier):
    guided = kycourier("keys", "new")
    bare = kycourier("keys", "new", "--json", "--out", "other.jwk")

    assert "KYCOURIER_RECIPIENT_KEY" in guided.err
    assert (bare.code, bare.err) == (0, "")
    assert json.loads(bare.out).keys() == json.loads(guided.out).keys()


def test_private_key_is_never_replaced(kycourier, new_key):
    _, private = new_key()
    before = private.read_bytes()

    result = kycourier("keys", "new")

    assert (result.code, result.out) == (2, "")
    assert "exists already" in result.err
    assert private.read_bytes() == before


@pytest.mark.parametrize(
    "write",
    [
        lambda jwe: jwe,
        lambda jwe: f"\n{jwe}\n",
        lambda jwe: json.dumps(event(jwe)),
        lambda jwe: json.dumps({**IDENTITY, "result": {"sealed": jwe}}),
        lambda jwe: json.dumps({"orders": [{**IDENTITY, "result": {"sealed": jwe}}]}),
        lambda jwe: f"{json.dumps(event(None))}\n\n{json.dumps(event(jwe))}\n",
    ],
    ids=["jwe", "line", "event", "order", "orders", "lines of events"],
)
def test_every_form_of_input_is_read(kycourier, new_key, tmp_path, write):
    public, _ = new_key()
    file = tmp_path / "input"
    file.write_text(write(seal(public)))

    result = kycourier("unseal", str(file))

    assert result.code == 0, result.err
    assert json.loads(result.out) == CONTENT


def test_values_are_printed_unchanged_and_with_json_in_one_line(kycourier, new_key):
    """An ideographic space, a line separator and a control character are escaped."""
    public, _ = new_key()
    text = "6200\u3000\u2028\u202e0005"
    content = {**CONTENT, "card": {"number_text": text}}
    events = f"{json.dumps(event(seal(public, content)))}\n" * 2

    lines = kycourier("unseal", "-", "--json", stdin=events).out.splitlines()
    indented = kycourier("unseal", stdin=seal(public, content))

    assert [json.loads(line) for line in lines] == [content, content]
    assert json.loads(indented.out) == content
    assert len(indented.out.splitlines()) > 1
    assert all(each.isprintable() or each == "\n" for each in indented.out)


@pytest.mark.parametrize("content", [b"{}", b"[]", b"null", b"\xff", b'"a"'])
def test_what_others_sealed_to_the_key_is_refused(kycourier, new_key, content):
    public, _ = new_key()
    sealer = open_sealer(Secret(json.dumps(public)))

    result = kycourier("unseal", stdin=sealer.seal(SealedContent(content)))

    assert (result.code, result.out) == (1, "")
    assert "is none of kycourier" in result.err


@pytest.mark.parametrize("form", ["pem", "set"])
def test_private_key_may_be_a_pem_or_in_a_set(kycourier, new_key, tmp_path, form):
    public, private = new_key()
    key, other = JWK.from_json(private.read_text()), JWK.generate(kty="EC", crv="P-256")
    unknown = {"kty": "AKP", "alg": "ML-KEM-768", "pub": "AA"}
    keys = {"keys": [unknown, other.export(as_dict=True), key.export(as_dict=True)]}
    pem = key.export_to_pem(private_key=True, password=None).decode()
    file = tmp_path / "other.key"
    file.write_text(pem if form == "pem" else json.dumps(keys))

    result = kycourier("unseal", "--key", str(file), stdin=seal(public))

    assert json.loads(result.out) == CONTENT


def test_wrong_key_is_named_by_both_ids(kycourier, new_key):
    public, _ = new_key()
    other = JWK.generate(kty="EC", crv="P-256")

    result = kycourier("unseal", stdin=seal(other.export_public(as_dict=True)))

    assert (result.code, result.out) == (1, "")
    assert other.thumbprint() in result.err
    assert public["kid"] in result.err


def test_content_of_another_order_is_refused(kycourier, new_key):
    public, _ = new_key()

    moved = event(seal(public), order_no="order2")
    result = kycourier("unseal", stdin=json.dumps(moved))

    assert (result.code, result.out) == (1, "")
    assert "of another order" in result.err


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        (["unseal"], json.dumps(event(None)), "nothing sealed was found"),
        (["unseal"], "", "nothing sealed was found"),
        (["unseal"], "not json", "neither JSON nor a JWE"),
        (["unseal"], "[" * 100_000, "neither JSON nor a JWE"),
        (["unseal", "absent.json"], "", "absent.json cannot be read"),
        (["unseal", "--key", "absent"], "", "absent cannot be read"),
        (["keys", "new", "--kind", "p521"], "", "--kind"),
        (["keys", "new", "--out", "no/such/folder"], "", "cannot be written"),
    ],
)
def test_wrong_call_exits_with_2_and_names_what_is_wrong(
    kycourier, new_key, arguments, stdin, said
):
    new_key()

    result = kycourier(*arguments, stdin=stdin)

    assert (result.code, result.out) == (2, "")
    assert said in result.err


def test_public_key_opens_nothing(kycourier, new_key, tmp_path):
    public, _ = new_key()
    (tmp_path / "public.jwk").write_text(json.dumps(public))

    result = kycourier("unseal", "--key", "public.jwk", stdin=seal(public))

    assert (result.code, result.out) == (2, "")
    assert "no private" in result.err


def test_bare_keys_prints_its_help(kycourier):
    result = kycourier("keys")

    assert (result.code, result.err) == (0, "")
    assert "new" in result.out
