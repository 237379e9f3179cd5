"""What the platform's codes mean, read once from codes.json (1007/47902 ff.)."""

from enum import Enum
from functools import cache
from pkgutil import get_data

import msgspec

OK_CODE = "0"
UNKNOWN_NAME = "unknown_code"


class CodeClass(str, Enum):
    """What a result code asks of us; `unknown` is any code not listed."""

    OK = "ok"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    NOT_READY = "not_ready"
    RECOGNITION_FAILED = "recognition_failed"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class Code(msgspec.Struct, frozen=True):
    """One listed result code."""

    code: str
    name: str
    meaning: str
    class_: CodeClass = msgspec.field(name="class")


class _Warning(msgspec.Struct, frozen=True):
    code: str
    name: str


class _Warnings(msgspec.Struct, frozen=True):
    bank_card: list[_Warning]


class _Page(msgspec.Struct, frozen=True):
    codes: list[Code]
    warnings: _Warnings


def find(code: str) -> Code:
    """Look a result code up; old lists drop the minus sign, so both spellings count."""
    listed, _ = _tables()
    return (
        listed.get(code)
        or listed.get(f"-{code}")
        or Code(code, UNKNOWN_NAME, "not listed", CodeClass.UNKNOWN)
    )


def listed() -> tuple[Code, ...]:
    """All result codes on record."""
    return tuple(_tables()[0].values())


def warning_name(code: str) -> str:
    """Name a warning code; one that is not listed is `unknown_warning`."""
    _, names = _tables()
    return names.get(code) or names.get(f"-{code}") or "unknown_warning"


@cache
def _tables() -> tuple[dict[str, Code], dict[str, str]]:
    text = get_data("kycourier.core", "codes.json") or b""
    page = msgspec.json.decode(text, type=_Page)
    codes = {code.code: code for code in page.codes}
    return codes, {warning.code: warning.name for warning in page.warnings.bank_card}
