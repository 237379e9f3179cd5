"""Makes the AWS calls that create a stack in moto and describe it.

moto's CloudFormation ignores secrets and alarms and stores a role's policy as the text
of a Python dict, so these are created by calls of their own.
"""

import ast
import json
from collections.abc import Mapping
from typing import Any

import boto3

from kycourier.adapters.aws.credentials import mute_sdk
from kycourier_devkit.emulators.aws.cloudformation import evaluate
from kycourier_devkit.errors import StackCreationError

Document = dict[str, Any]
Texts = Mapping[str, str]


class StackCalls:
    """The calls for one stack; `environ` has moto's address and keys."""

    def __init__(self, stack: str, environ: Texts) -> None:
        mute_sdk()
        self._stack, self._environ = stack, environ
        self._session = boto3.Session(
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
            region_name=environ["AWS_REGION"],
        )

    def create_bucket(self, name: str) -> None:
        """Creates the bucket for the zips."""
        region = self._environ["AWS_REGION"]
        location = {"LocationConstraint": region}
        self._client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration=location
        )

    def create_secrets(self, template: Document, parameters: Texts) -> dict[str, str]:
        """Creates the secrets, empty or generated; returns ARNs by logical id."""
        manager = self._client("secretsmanager")
        arns = {}
        evaluated = evaluate(template, parameters)
        for logical, resource in evaluated["Resources"].items():
            if resource["Type"] != "AWS::SecretsManager::Secret":
                continue
            content = {}
            if options := resource["Properties"].get("GenerateSecretString"):
                generated = manager.get_random_password(**options)
                content["SecretString"] = generated["RandomPassword"]
            created = manager.create_secret(Name=f"{self._stack}-{logical}", **content)
            arns[logical] = created["ARN"]
        return arns

    def create(self, template: Document, parameters: Texts) -> None:
        """Creates the stack. Raises StackCreationError."""
        self._client("cloudformation").create_stack(
            StackName=self._stack,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        status = self._describe()["StackStatus"]
        if status != "CREATE_COMPLETE":
            raise StackCreationError(f"moto reports the stack as {status}")

    def create_alarms(
        self, template: Document, parameters: Texts, *, resources: Texts
    ) -> None:
        """Creates the alarms, which refer to queues and functions by name."""
        names = {
            f"{logical}.QueueName": physical.rpartition("/")[2]
            for logical, physical in resources.items()
        }
        evaluated = evaluate(template, parameters, known={**resources, **names})
        cloudwatch = self._client("cloudwatch")
        for logical, resource in evaluated["Resources"].items():
            if resource["Type"] == "AWS::CloudWatch::Alarm":
                name = f"{self._stack}-{logical}"
                properties = resource["Properties"]
                cloudwatch.put_metric_alarm(AlarmName=name, **properties)

    def rewrite_policies(self, role: str) -> tuple[Document, ...]:
        """Rewrites a role's policies as JSON, as AWS stores them; returns them."""
        identity = self._client("iam")
        documents = []
        for name in identity.list_role_policies(RoleName=role)["PolicyNames"]:
            found = identity.get_role_policy(RoleName=role, PolicyName=name)
            stored = found["PolicyDocument"]
            document = ast.literal_eval(stored) if isinstance(stored, str) else stored
            statements = [each for each in document["Statement"] if each]
            document["Statement"] = statements  # a false condition leaves an empty one
            identity.put_role_policy(
                RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document)
            )
            documents.append(document)
        return tuple(documents)

    def resources(self) -> dict[str, str]:
        """Returns physical ids by logical ids."""
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self._stack)
            for each in page["StackResourceSummaries"]
            if each["PhysicalResourceId"]
        }

    def outputs(self) -> dict[str, str]:
        """Returns the stack's outputs."""
        outputs = self._describe()["Outputs"]
        return {each["OutputKey"]: each["OutputValue"] for each in outputs}

    def configuration(self, function: str) -> Document:
        """Returns a function's configuration."""
        awslambda = self._client("lambda")
        found: Document = awslambda.get_function_configuration(FunctionName=function)
        return found

    def _describe(self) -> Document:
        formation = self._client("cloudformation")
        found = formation.describe_stacks(StackName=self._stack)
        stack: Document = found["Stacks"][0]
        return stack

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 is not typed here
        url = self._environ["AWS_ENDPOINT_URL"]
        return self._session.client(service, endpoint_url=url)
