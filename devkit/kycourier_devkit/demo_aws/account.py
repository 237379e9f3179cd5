"""An AWS account on loopback: moto, with keys for the operator and for each role.

From `enforce` on, every call is let through only as its role's policies say.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import boto3
import requests

from kycourier.adapters.aws.silence import silence_libraries

REGION = "eu-west-1"
OPERATOR = "operator"
_ALL = 10**9
_EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


class Account:
    """Makes clients and keys; `environ` leads any AWS SDK here as the operator."""

    def __init__(self, url: str) -> None:
        silence_libraries()
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

    def client(self, service: str, keys: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 - boto3 builds its classes as it runs
        """Make a client, the operator's unless other keys are given."""
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
        """Give the environment that a role's own keys make, as Lambda does.

        Of its policies moto can check the actions, and resources for S3 alone.
        """
        for number, policy in enumerate(policies):
            statements = [_as_moto_checks(each) for each in policy["Statement"]]
            self.client("iam").put_role_policy(
                RoleName=role,
                PolicyName=f"as-moto-checks-{number}",
                PolicyDocument=json.dumps({**policy, "Statement": statements}),
            )
        arn = self.client("iam").get_role(RoleName=role)["Role"]["Arn"]
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="demo")
        keys = given["Credentials"]
        environ = _environ(self.url, keys["AccessKeyId"], keys["SecretAccessKey"])
        return environ | {"AWS_SESSION_TOKEN": keys["SessionToken"]}

    def enforce(self) -> None:
        """Let nothing through any more that a policy does not allow."""
        self._let_through(0)

    @contextmanager
    def relaxed(self) -> Iterator[None]:
        """Let all through meanwhile: moto cannot check how Lambda's API is signed."""
        self._let_through(_ALL)
        try:
            yield
        finally:
            self._let_through(0)

    def _let_through(self, calls: int) -> None:
        address = f"{self.url}/moto-api/reset-auth"
        requests.post(address, data=str(calls), timeout=10).raise_for_status()


def _as_moto_checks(statement: Mapping[str, Any]) -> dict[str, Any]:
    actions = statement["Action"]
    first = actions if isinstance(actions, str) else actions[0]
    kept = {name: at for name, at in statement.items() if name != "Condition"}
    return kept if first.startswith("s3:") else {**kept, "Resource": "*"}


def _environ(url: str, key_id: str, key: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": key,
    }
