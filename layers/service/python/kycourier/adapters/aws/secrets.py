"""Secrets in Secrets Manager or Parameter Store, read anew each time: never kept."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from kycourier.adapters.aws.calls import MISSING, code_of, run
from kycourier.adapters.aws.clients import clients_of
from kycourier.adapters.secret_text import read_written_secret
from kycourier.adapters.surroundings import Surroundings
from kycourier.core.errors import StoreUnavailable, forgetful
from kycourier.core.hidden import Secret

EMPTY = "secret is empty: put its value"
ABSENT = "no such secret in this region"


class SecretsManagerSecret:
    """The secret `aws-secretsmanager://name`, by its name or ARN; text or UTF-8."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self._name, self._clients = name, clients_of(around)

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        return run(
            self._read,
            action="secretsmanager:GetSecretValue",
            kind="secret",
            failure=StoreUnavailable,
        )

    def _read(self) -> Secret:
        """Ask for the value. Also raises what AWS and its SDK raise."""
        client = self._clients.client("secretsmanager")
        kept: Mapping[str, Any] | None = None
        try:
            kept = client.get_secret_value(SecretId=self._name)
        except ClientError as error:
            if code_of(error) not in MISSING:
                raise
        if kept is None:
            raise StoreUnavailable(self._explain(client))
        text, binary = kept.get("SecretString"), kept.get("SecretBinary")
        return read_written_secret(binary or text or "")

    def _explain(self, client: Any) -> str:  # noqa: ANN401 - boto3's
        """Tell a secret that nobody has filled from one that is not there.

        AWS says of both that something is not there, in the same symbol.
        """
        try:
            client.describe_secret(SecretId=self._name)
        except ClientError as error:
            is_known = code_of(error) in MISSING
        else:
            return EMPTY
        return ABSENT if is_known else f"{ABSENT}, or {EMPTY}"


class ParameterSecret:
    """The secret `aws-ssm://name`: a parameter's name, path (`/a/b`) or ARN."""

    def __init__(self, name: str, around: Surroundings) -> None:
        self._name, self._clients = name, clients_of(around)

    @forgetful
    def load(self) -> Secret:
        """Read it now. Raises StoreUnavailable when it is missing or empty."""
        kept = run(
            lambda: self._clients.client("ssm").get_parameter(
                Name=self._name, WithDecryption=True
            ),
            action="ssm:GetParameter",
            kind="parameter",
            failure=StoreUnavailable,
        )
        return read_written_secret(kept.get("Parameter", {}).get("Value", ""))
