"""Validates the parameters of SCF's actions, with SCF's error codes."""

import base64
import binascii
import io
import re
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

from tencentcloud.scf.v20180416 import models

from kycourier_devkit.emulators.tencent.tc3 import CallRefusedError

Members = dict[str, Any]
Fetch = Callable[[str, str], bytes | None]
RUNTIMES = {"Python2.7", "Python3.6", "Python3.7", "Python3.9", "Python3.10"}
MAX_ZIP_BYTES = 50 << 20
_MAX_ENVIRONMENT, _MAX_LAYERS, _MAX_SECONDS = 4096, 5, 900
_MEMORIES = {64, *range(128, 3073, 128)}
_FUNCTION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]")
_LAYER = re.compile(r"[A-Za-z]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?")
_WORD = r"[A-Za-z]([A-Za-z0-9_-]{0,58}[A-Za-z0-9])"
_HANDLER = re.compile(rf"{_WORD}\.{_WORD}")
_DESCRIPTION = re.compile(r"[A-Za-z0-9 ,.\n\u4e00-\u9fff]{0,1000}")
_SYSTEM = ("SCF_", "QCLOUD_", "TENCENTCLOUD_")


def require(condition: object, code: str) -> None:
    """Raises CallRefusedError with a code unless the condition holds."""
    if not condition:
        raise CallRefusedError(code)


def check_members(action: str, payload: Members) -> None:
    """Rejects a parameter that the official SDK does not know, at any depth."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            getattr(models, f"{action}Request")()._deserialize(payload)  # noqa: SLF001 - the SDK's own parser
        except Warning:
            known = False
        else:
            known = True
    require(known, "UnknownParameter")


def check_function(payload: Members) -> None:
    """Checks the parameters that creating and updating a function share."""
    _require_match(_FUNCTION, payload.get("FunctionName"), "FunctionName")
    _require_match(_DESCRIPTION, payload.get("Description", ""), "Description")
    require(payload.get("MemorySize", 128) in _MEMORIES, "InvalidParameterValue.Memory")
    seconds = payload.get("Timeout", 3)
    require(isinstance(seconds, int), "InvalidParameter.ParamError")
    require(1 <= seconds <= _MAX_SECONDS, "LimitExceeded.Timeout")
    _check_environment((payload.get("Environment") or {}).get("Variables") or [])
    require(len(payload.get("Layers") or []) <= _MAX_LAYERS, "LimitExceeded.Layers")
    network = payload.get("PublicNetConfig") or {}
    status = network.get("PublicNetStatus", "ENABLE")
    require(status in {"ENABLE", "DISABLE"}, "InvalidParameterValue.PublicNetConfig")


def check_handler(text: object) -> None:
    """Checks the form `file.function`."""
    _require_match(_HANDLER, text, "Handler")


def check_layer(payload: Members) -> None:
    """Checks a layer's name and runtimes."""
    _require_match(_LAYER, payload.get("LayerName"), "LayerName")
    runtimes = set(payload.get("CompatibleRuntimes") or [])
    valid = runtimes and runtimes <= RUNTIMES
    require(valid, "InvalidParameterValue.CompatibleRuntimes")


def _require_match(pattern: re.Pattern[str], text: object, name: str) -> None:
    valid = isinstance(text, str) and pattern.fullmatch(text)
    require(valid, f"InvalidParameterValue.{name}")


def _check_environment(variables: list[Members]) -> None:
    for each in variables:
        valid = each.get("Key") and each.get("Value")
        require(valid, "InvalidParameterValue.Environment")
        is_system = str(each["Key"]).startswith(_SYSTEM)
        require(not is_system, "InvalidParameterValue.EnvironmentSystemProtect")
    size = sum(len(f"{each['Key']}{each['Value']}".encode()) for each in variables)
    valid = size <= _MAX_ENVIRONMENT
    require(valid, "InvalidParameterValue.EnvironmentExceededLimit")


def read_code(code: Members, fetch: Fetch) -> bytes:
    """Returns the zip that a request contains or refers to."""
    if "ZipFile" in code:
        content = _decode(code["ZipFile"])
    else:
        require(code.get("CosObjectName"), "MissingParameter.Code")
        name, key = code.get("CosBucketName", ""), code["CosObjectName"]
        require(key.startswith("/"), "InvalidParameterValue.CosObjectName")
        appid = re.search(r"-[0-9]{5,}$", name)
        require(name and not appid, "InvalidParameterValue.CosBucketName")
        found = fetch(name, key[1:])
        require(found is not None, "ResourceNotFound.CosObject")
        content = found or b""
    require(len(content) <= MAX_ZIP_BYTES, "InvalidParameter.RequestTooLarge")
    is_zip = zipfile.is_zipfile(io.BytesIO(content))
    require(is_zip, "InvalidParameterValue.ZipFile")
    return content


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise CallRefusedError("InvalidParameterValue.ZipFileBase64BinasciiError")
