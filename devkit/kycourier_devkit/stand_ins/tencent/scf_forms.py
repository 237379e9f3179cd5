"""What SCF takes: the forms of its parameters, and its symbols for what is wrong."""

import base64
import binascii
import io
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from tencentcloud.scf.v20180416 import models

from kycourier_devkit.stand_ins.tencent.tc3 import Refusal

Members = dict[str, Any]
Fetch = Callable[[str, str], bytes | None]
RUNTIMES = {"Python2.7", "Python3.6", "Python3.7", "Python3.9", "Python3.10"}
MOST_ZIPPED = 50 << 20
_MOST_ENVIRONMENT, _MOST_LAYERS, _MOST_SECONDS = 4096, 5, 900
_MEMORIES = {64, *range(128, 3073, 128)}
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]")
_LAYER = re.compile(r"[A-Za-z]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_WORD = r"[A-Za-z]([A-Za-z0-9_-]{0,58}[A-Za-z0-9])"
_HANDLER = re.compile(rf"{_WORD}\.{_WORD}")
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ,.\n\u4e00-\u9fff]{0,1000}")
_SYSTEM = ("SCF_", "QCLOUD_", "TENCENTCLOUD_")


def demand(is_right: object, code: str) -> None:
    """Refuse what is not right, by its symbol."""
    if not is_right:
        raise Refusal(code)


def check_members(action: str, payload: Members) -> None:
    """Refuse a parameter that the official SDK does not know, at any depth."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            getattr(models, f"{action}Request")()._deserialize(payload)  # noqa: SLF001 - the SDK's own reader
        except Warning:
            known = False
        else:
            known = True
    demand(known, "UnknownParameter")


def check_function(payload: Members) -> None:
    """Check the members that making and changing a function share."""
    _demand_match(_FUNCTION, payload.get("FunctionName"), "FunctionName")
    _demand_match(_DESCRIPTION, payload.get("Description", ""), "Description")
    demand(payload.get("MemorySize", 128) in _MEMORIES, "InvalidParameterValue.Memory")
    seconds = payload.get("Timeout", 3)
    demand(isinstance(seconds, int), "InvalidParameter.ParamError")
    demand(1 <= seconds <= _MOST_SECONDS, "LimitExceeded.Timeout")
    _check_environment((payload.get("Environment") or {}).get("Variables") or [])
    demand(len(payload.get("Layers") or []) <= _MOST_LAYERS, "LimitExceeded.Layers")
    network = payload.get("PublicNetConfig") or {}
    status = network.get("PublicNetStatus", "ENABLE")
    demand(status in {"ENABLE", "DISABLE"}, "InvalidParameterValue.PublicNetConfig")


def check_handler(text: object) -> None:
    """Check `file.function`."""
    _demand_match(_HANDLER, text, "Handler")


def check_layer(payload: Members) -> None:
    """Check a layer's name and runtimes."""
    _demand_match(_LAYER, payload.get("LayerName"), "LayerName")
    runtimes = set(payload.get("CompatibleRuntimes") or [])
    right = runtimes and runtimes <= RUNTIMES
    demand(right, "InvalidParameterValue.CompatibleRuntimes")


def _demand_match(form: re.Pattern[str], text: object, name: str) -> None:
    right = isinstance(text, str) and form.fullmatch(text)
    demand(right, f"InvalidParameterValue.{name}")


def _check_environment(variables: list[Members]) -> None:
    for each in variables:
        right = each.get("Key") and each.get("Value")
        demand(right, "InvalidParameterValue.Environment")
        is_system = str(each["Key"]).startswith(_SYSTEM)
        demand(not is_system, "InvalidParameterValue.EnvironmentSystemProtect")
    size = sum(len(f"{each['Key']}{each['Value']}".encode()) for each in variables)
    right = size <= _MOST_ENVIRONMENT
    demand(right, "InvalidParameterValue.EnvironmentExceededLimit")


def read_code(code: Members, fetch: Fetch) -> bytes:
    """Give the zip that a request brings or points at."""
    if "ZipFile" in code:
        content = _decode(code["ZipFile"])
    else:
        demand(code.get("CosObjectName"), "MissingParameter.Code")
        name, key = code.get("CosBucketName", ""), code["CosObjectName"]
        demand(key.startswith("/"), "InvalidParameterValue.CosObjectName")
        appid = re.search(r"-[0-9]{5,}$", name)
        demand(name and not appid, "InvalidParameterValue.CosBucketName")
        found = fetch(name, key[1:])
        demand(found is not None, "ResourceNotFound.CosObject")
        content = found or b""
    demand(len(content) <= MOST_ZIPPED, "InvalidParameter.RequestTooLarge")
    is_zip = zipfile.is_zipfile(io.BytesIO(content))
    demand(is_zip, "InvalidParameterValue.ZipFile")
    return content


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise Refusal("InvalidParameterValue.ZipFileBase64BinasciiError")
