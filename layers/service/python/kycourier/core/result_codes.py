"""Classifies the platform's result codes (documents/codes/*.json, 1007/47902 ff.)."""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from pkgutil import get_data

import msgspec

OK_CODE = "0"
UNKNOWN_NAME = "unknown_code"
UNKNOWN_WARNING = "unknown_warning"
PLATFORM = "platform"


class CodeClass(str, Enum):
    """What a result code requires; `unknown` is any code that is not listed."""

    OK = "ok"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    TRANSIENT = "transient"
    NOT_READY = "not_ready"
    RECOGNITION_FAILED = "recognition_failed"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


class ResultCode(msgspec.Struct, frozen=True):
    """One listed result code."""

    code: str
    name: str
    meaning: str
    class_: CodeClass = msgspec.field(name="class")


class Rejected(msgspec.Struct, frozen=True):
    """The platform's refusal, classified once: its code, and the name in events."""

    code: str
    class_: CodeClass
    name: str


class _Warning(msgspec.Struct, frozen=True):
    code: str
    name: str


class _Page(msgspec.Struct, frozen=True):
    codes: list[ResultCode]
    warnings: list[_Warning]


class CodeTable(msgspec.Struct, frozen=True):
    """The codes that one kind of call may return. Old lists drop the minus sign."""

    codes: Mapping[str, ResultCode]
    warnings: Mapping[str, str]

    def classify(self, code: str) -> Rejected:
        """Classifies a result code; both spellings of a negative one match."""
        found = self.codes.get(code) or self.codes.get(f"-{code}")
        if found is None:
            return Rejected(code, CodeClass.UNKNOWN, UNKNOWN_NAME)
        return Rejected(code, found.class_, found.name)

    def warning_name(self, code: str) -> str:
        """Returns a warning's name; `unknown_warning` if it is not listed."""
        names = self.warnings
        return names.get(code) or names.get(f"-{code}") or UNKNOWN_WARNING


@cache
def load_codes(document: str = PLATFORM) -> CodeTable:
    """Loads a document's codes beside those of the platform; once per process."""
    pages = [_load_page(name) for name in dict.fromkeys((PLATFORM, document))]
    return CodeTable(
        codes={code.code: code for page in pages for code in page.codes},
        warnings={each.code: each.name for page in pages for each in page.warnings},
    )


def _load_page(name: str) -> _Page:
    text = get_data("kycourier.core", f"documents/codes/{name}.json") or b""
    return msgspec.json.decode(text, type=_Page)
