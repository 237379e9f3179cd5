"""Secrets in Secrets Manager or Parameter Store, read anew each time: never kept."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from kycourier.adapters.aws.calls import MISSING, NotDone, run
from kycourier.adapters.aws.client import client_of
from kycourier.adapters.secret_text import read_written_secret
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import StoreUnavailable, forgetful
from kycourier.core.hidden import Secret

EMPTY = "secret is empty: put its value"
ABSENT = "no such secret in this region"


class SecretsManagerSecret:
    """The secret `aws-secretsmanager://name`, by its name or ARN; text or UTF-8."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self._name, self._client = name, client_of("secretsmanager", around)

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        kept = run(
            self._read,
            action="secretsmanager:GetSecretValue",
            kind="secret",
            failure=StoreUnavailable,
        )
        if kept is None:
            raise StoreUnavailable(self._explain())
        text, binary = kept.get("SecretString"), kept.get("SecretBinary")
        return read_written_secret(b64decode(binary) if binary else text or "")

    def _read(self) -> Mapping[str, Any] | None:
        """Ask for the value; None where there is none. Raises NotDone."""
        try:
            return self._client.ask("GetSecretValue", SecretId=self._name).members
        except NotDone as not_done:
            if not_done.why not in MISSING:
                raise
        return None

    def _explain(self) -> str:
        """Tell a secret that nobody has filled from one that is not there.

        AWS says of both that something is not there, in the same symbol.
        """
        try:
            self._client.ask("DescribeSecret", SecretId=self._name)
        except NotDone as not_done:
            is_known = not_done.why in MISSING
        else:
            return EMPTY
        return ABSENT if is_known else f"{ABSENT}, or {EMPTY}"


class ParameterSecret:
    """The secret `aws-ssm://name`: a parameter's name, path (`/a/b`) or ARN."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self._name, self._client = name, client_of("ssm", around)

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        kept = run(
            lambda: self._client.ask(
                "GetParameter", Name=self._name, WithDecryption=True
            ),
            action="ssm:GetParameter",
            kind="parameter",
            failure=StoreUnavailable,
        )
        return read_written_secret(kept.members.get("Parameter", {}).get("Value", ""))
