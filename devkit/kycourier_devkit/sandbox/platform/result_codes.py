"""Names the platform's result codes; `codes/` has the documented lists.

The same number can mean different things for different documents.
"""

import json
from functools import lru_cache
from importlib.resources import files
from typing import Literal

DocumentName = Literal["bank_card", "id_card", "face"]
CodeScope = Literal["platform", "bank_card", "id_card", "face"]

OK = "0"
TOKEN_EXPIRED = "15"  # noqa: S105 - a result code
SIGN_REJECTED = "400101"
TOKEN_REJECTED = "400103"  # noqa: S105 - a result code
AUTHENTICATION_FAILED = "400105"
BAD_VERSION = "400502"
BAD_ORDER_NO = "66660000"
UNKNOWN_APP = "66660001"
SERVICE_EXPIRED = "66660002"
NO_SUCH_RESULT = "66660011"
BAD_PARAMETER = "66660013"
OCR_RESULT_NOT_FOUND = "66660020"
PARAMETER_TOO_LONG = "-1304"
WARNING_CARD_EXPIRED = "66661009"
UNLISTED = "70007000"


class PlatformError(Exception):
    """The call is rejected with a result code other than 0."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@lru_cache(maxsize=4)
def meanings(scope: CodeScope = "bank_card") -> dict[str, str]:
    """Returns the meaning of each code that is documented for a document.

    A document's list extends that of the platform, and prevails where both have a code.
    """
    listed = _read_list("platform")
    return listed if scope == "platform" else {**listed, **_read_list(scope)}


def message_for(code: str, scope: CodeScope = "bank_card") -> str:
    """Returns the `msg` of a code in the replies of a document."""
    return "请求成功" if code == OK else meanings(scope).get(code, "unlisted code")


def _read_list(scope: CodeScope) -> dict[str, str]:
    source = files(__package__).joinpath(f"codes/{scope}.json")
    text = source.read_text(encoding="utf-8")
    return {entry["code"]: entry["meaning"] for entry in json.loads(text)["codes"]}
