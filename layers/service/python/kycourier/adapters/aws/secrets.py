"""Reads secrets from Secrets Manager or Parameter Store, without a cache."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from kycourier.adapters.aws.client import shared_client
from kycourier.adapters.aws.errors import MISSING, explain
from kycourier.adapters.context import AdapterContext
from kycourier.adapters.http.api_calls import CallFailedError, run
from kycourier.core.errors import StoreUnavailableError
from kycourier.core.redaction import Secret, scrub_traceback
from kycourier.settings.secret_values import decode_secret

EMPTY = "secret is empty: put its value"
ABSENT = "no such secret in this region"


class SecretsManagerSecret:
    """The secret `aws-secretsmanager://name`, by name or ARN: text, or UTF-8 bytes."""

    def __init__(self, name: str, context: AdapterContext) -> None:
        self._name, self._client = name, shared_client("secretsmanager", context)

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        value = run(
            self._read,
            action="secretsmanager:GetSecretValue",
            kind="secret",
            explain=explain,
            failure=StoreUnavailableError,
        )
        if value is None:
            raise StoreUnavailableError(self._explain_absence())
        text, binary = value.get("SecretString"), value.get("SecretBinary")
        return decode_secret(b64decode(binary) if binary else text or "")

    def _read(self) -> Mapping[str, Any] | None:
        """Reads the value; None if there is none. Raises CallFailedError."""
        try:
            return self._client.call("GetSecretValue", SecretId=self._name).members
        except CallFailedError as failed:
            if failed.code not in MISSING:
                raise
        return None

    def _explain_absence(self) -> str:
        """Distinguishes a secret without a value from one that does not exist.

        AWS has the same error code for both.
        """
        try:
            self._client.call("DescribeSecret", SecretId=self._name)
        except CallFailedError as failed:
            is_absent = failed.code in MISSING
        else:
            return EMPTY
        return ABSENT if is_absent else f"{ABSENT}, or {EMPTY}"


class ParameterSecret:
    """The secret `aws-ssm://name`: a parameter's name, path (`/a/b`) or ARN."""

    def __init__(self, name: str, context: AdapterContext) -> None:
        self._name, self._client = name, shared_client("ssm", context)

    @scrub_traceback
    def get(self) -> Secret:
        """Reads it now. Raises StoreUnavailableError if it is missing or empty."""
        response = run(
            lambda: self._client.call(
                "GetParameter", Name=self._name, WithDecryption=True
            ),
            action="ssm:GetParameter",
            kind="parameter",
            explain=explain,
            failure=StoreUnavailableError,
        )
        return decode_secret(response.members.get("Parameter", {}).get("Value", ""))
