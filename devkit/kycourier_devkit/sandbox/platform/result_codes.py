"""Names the platform's result codes; codes.json has the documented list."""

import json
from functools import lru_cache
from importlib.resources import files

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


@lru_cache(maxsize=1)
def meanings() -> dict[str, str]:
    """Returns the meaning of each documented result code."""
    text = files(__package__).joinpath("codes.json").read_text(encoding="utf-8")
    return {entry["code"]: entry["meaning"] for entry in json.loads(text)["codes"]}


def message_for(code: str) -> str:
    """Returns the `msg` of a code."""
    return "请求成功" if code == OK else meanings().get(code, "unlisted code")
