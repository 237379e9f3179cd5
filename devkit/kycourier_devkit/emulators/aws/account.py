"""An AWS account in moto, with keys for the operator and for each function's role.

After `enforce`, moto rejects every call that the caller's policies do not allow.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
import requests

from kycourier.adapters.aws.credentials import mute_sdk

REGION = "eu-west-1"
OPERATOR = "operator"
_UNLIMITED = 10**9
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


class AwsAccount:
    """Creates clients and keys; `environ` is the operator's environment."""

    def __init__(self, url: str) -> None:
        mute_sdk()
        self.url = url
        self.environ = _environ(url, "testing", "synthetic")
        iam = self.client("iam")
        iam.create_user(UserName=OPERATOR)
        iam.put_user_policy(
            UserName=OPERATOR,
            PolicyName="everything",
            PolicyDocument=json.dumps(_EVERYTHING),
        )
        key = iam.create_access_key(UserName=OPERATOR)["AccessKey"]
        self.environ = _environ(url, key["AccessKeyId"], key["SecretAccessKey"])

    def client(self, service: str, keys: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - boto3 builds its classes at run time
        """Creates a client, by default with the operator's keys."""
        environ = keys or self.environ
        return boto3.Session(
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environ.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        ).client(service, endpoint_url=self.url)

    def assume(
        self, role: str, policies: Sequence[Mapping[str, Any]]
    ) -> dict[str, str]:
        """Returns an environment with temporary keys of a role, as Lambda sets it.

        moto checks the actions of policies, but resources of S3 alone, so the role gets
        its policies in a form that moto can check.
        """
        for number, policy in enumerate(policies):
            statements = [_checkable(each) for each in policy["Statement"]]
            self.client("iam").put_role_policy(
                RoleName=role,
                PolicyName=f"checkable-{number}",
                PolicyDocument=json.dumps({**policy, "Statement": statements}),
            )
        arn = self.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        assumed = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="demo")
        keys = assumed["Credentials"]
        environ = _environ(self.url, keys["AccessKeyId"], keys["SecretAccessKey"])
        return environ | {"AWS_SESSION_TOKEN": keys["SessionToken"]}

    def enforce(self) -> None:
        """Starts to check every call against the caller's policies."""
        self._set_unchecked_calls(0)

    @contextmanager
    def relaxed(self) -> Iterator[None]:
        """Checks no call within the block.

        moto cannot verify signatures of Lambda's API and of links.
        """
        self._set_unchecked_calls(_UNLIMITED)
        try:
            yield
        finally:
            self._set_unchecked_calls(0)

    def _set_unchecked_calls(self, calls: int) -> None:
        address = f"{self.url}/moto-api/reset-auth"
        requests.post(address, data=str(calls), timeout=10).raise_for_status()


def _checkable(statement: Mapping[str, Any]) -> dict[str, Any]:
    actions = statement["Action"]
    first = actions if isinstance(actions, str) else actions[0]
    kept = {name: member for name, member in statement.items() if name != "Condition"}
    return kept if first.startswith("s3:") else {**kept, "Resource": "*"}


def _environ(url: str, key_id: str, key: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": key,
    }
