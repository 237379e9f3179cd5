"""The most expensive known replies of each class, of any size."""

import base64
from collections.abc import Callable
from functools import partial

Sized = Callable[[int], bytes]
PHOTO = b'{"code":"0","result":{"orderNo":"a","originBankcardPhoto":"'
WARNING = b'{"code":"0","result":{"orderNo":"a","warnCode":"'


def good_reply(size: int) -> bytes:
    """Build a valid reply whose three photos share the size."""
    each = (size - 400) // 3 // 4 * 3
    photo = base64.b64encode(bytes(range(256)) * (each // 256 + 1))
    text = photo[: (size - 400) // 3 // 4 * 4]
    names = (b"originBankcardPhoto", b"bankcardCropPhoto", b"bankcardNoPhoto")
    photos = b",".join(b'"%s":"%s"' % (name, text) for name in names)
    return b'{"code":"0","result":{"orderNo":"a","bankCardNo":"4111",%s}}' % photos


def fill(before: bytes, unit: bytes, after: bytes, size: int) -> bytes:
    """Repeat a unit up to a size."""
    return before + unit * ((size - len(before) - len(after)) // len(unit)) + after


def numbered_keys(size: int) -> bytes:
    """Build as many different keys as are accepted, of any length."""
    count = 12_000
    long = b"k" * max(1, size // count - 12)
    keys = (b'"%06d%s":1' % (number, long) for number in range(count))
    return b'{"code":"0",' + b",".join(keys) + b"}"


REPLIES: dict[str, Sized] = {
    "nested arrays": partial(fill, b'{"code":"0","a":', b"[", b""),
    "nested objects": partial(fill, b'{"code":"0","a":', b'{"a":', b""),
    "a long whole number": partial(fill, b'{"code":"0","a":', b"1", b"}"),
    "a long fraction": partial(fill, b'{"code":"0","a":1.', b"1", b"}"),
    "a long exponent": partial(fill, b'{"code":"0","a":1e', b"1", b"}"),
    "numbers of 4 300 digits": partial(fill, b"[", b"9" * 4300 + b",", b"0]"),
    "long fractions": partial(fill, b"[", b"1." + b"9" * 500 + b",", b"0]"),
    "digits as a card number": partial(
        fill, b'{"code":"0","bankCardNo":"', b"1", b'"}'
    ),
    "digits as a code": partial(fill, b'{"code":"', b"1", b'"}'),
    "digits as a warning": partial(fill, WARNING, b"1", b'"}}'),
    "warnings by the million": partial(fill, WARNING, b"11 ", b'"}}'),
    "short escapes": partial(fill, b'{"code":"0","a":"', b"\\n", b'"}'),
    "escapes": partial(fill, b'{"code":"0","a":"', b"\\u0041", b'"}'),
    "surrogate pairs": partial(fill, b'{"code":"0","a":"', b"\\ud83d\\ude00", b'"}'),
    "blanks": partial(fill, b'{"code":"0",', b" ", b'"a":1}'),
    "line ends": partial(fill, b'{"code":"0",', b"\n", b'"a":1}'),
    "quotes": partial(fill, b"", b'"', b""),
    "many keys": numbered_keys,
    "one repeated key": partial(fill, b'{"code":"0"', b',"a":1', b"}"),
    "a long key": partial(fill, b'{"code":"0","', b"k", b'":1}'),
    "objects by the million": partial(fill, b'{"code":"0","a":[', b"{},", b"0]}"),
    "Base64 that is junk": partial(fill, PHOTO, b"*", b'"}}'),
    "Base64 with blanks": partial(fill, PHOTO, b"\\n QUJD", b'"}}'),
    "Base64 as escapes": partial(fill, PHOTO, b"\\/", b'"}}'),
    "a long media type": partial(fill, PHOTO + b"data:", b"a", b'"}}'),
    "padding": partial(fill, PHOTO, b"=", b'"}}'),
    "no ASCII": partial(fill, PHOTO, "\u00e9".encode(), b'"}}'),
    "bytes": partial(fill, b"", bytes(range(256)), b""),
}
