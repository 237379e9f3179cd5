"""AWS's calls that make a stack in moto and tell what stands in it.

moto's CloudFormation passes over secrets and alarms, and keeps a role's policy as
Python's text: those are made by their own calls.
"""

import ast
import json
from collections.abc import Mapping
from typing import Any

import boto3

from kycourier.adapters.aws.silence import silence_libraries
from kycourier_devkit.errors import StackNotMade
from kycourier_devkit.stand_ins.cloudformation import settle

Document = dict[str, Any]
Texts = Mapping[str, str]


class StackCalls:
    """The calls for one stack. `environ` leads to moto."""

    def __init__(self, stack: str, environ: Texts) -> None:
        silence_libraries()
        self._stack, self._environ = stack, environ
        self._session = boto3.Session(
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
            region_name=environ["AWS_REGION"],
        )

    def make_bucket(self, name: str) -> None:
        """Make the bucket that the zips go to."""
        region = self._environ["AWS_REGION"]
        place = {"LocationConstraint": region}
        self._client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)

    def make_secrets(self, template: Document, parameters: Texts) -> dict[str, str]:
        """Make the secrets, empty or generated as is said; give their ARNs."""
        manager = self._client("secretsmanager")
        arns = {}
        for logical, made in settle(template, parameters)["Resources"].items():
            if made["Type"] != "AWS::SecretsManager::Secret":
                continue
            content = {}
            if wanted := made["Properties"].get("GenerateSecretString"):
                generated = manager.get_random_password(**wanted)
                content["SecretString"] = generated["RandomPassword"]
            created = manager.create_secret(Name=f"{self._stack}-{logical}", **content)
            arns[logical] = created["ARN"]
        return arns

    def make(self, template: Document, parameters: Texts) -> None:
        """Create the stack. Raises StackNotMade."""
        self._client("cloudformation").create_stack(
            StackName=self._stack,
            TemplateBody=json.dumps(template),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value}
                for name, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
        )
        status = self._described()["StackStatus"]
        if status != "CREATE_COMPLETE":
            raise StackNotMade(f"the stack's state is {status}")

    def make_alarms(
        self, template: Document, parameters: Texts, *, resources: Texts
    ) -> None:
        """Make the alarms, which watch queues and functions by their names."""
        names = {
            f"{logical}.QueueName": physical.rpartition("/")[2]
            for logical, physical in resources.items()
        }
        settled = settle(template, parameters, known={**resources, **names})
        watch = self._client("cloudwatch")
        for logical, made in settled["Resources"].items():
            if made["Type"] == "AWS::CloudWatch::Alarm":
                name = f"{self._stack}-{logical}"
                watch.put_metric_alarm(AlarmName=name, **made["Properties"])

    def mend_policies(self, role: str) -> tuple[Document, ...]:
        """Write a role's policies as JSON, as AWS keeps them; give them."""
        identity = self._client("iam")
        documents = []
        for name in identity.list_role_policies(RoleName=role)["PolicyNames"]:
            found = identity.get_role_policy(RoleName=role, PolicyName=name)
            kept = found["PolicyDocument"]
            document = ast.literal_eval(kept) if isinstance(kept, str) else kept
            statements = [each for each in document["Statement"] if each]
            document["Statement"] = statements  # without what a condition left out
            identity.put_role_policy(
                RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document)
            )
            documents.append(document)
        return tuple(documents)

    def resources(self) -> dict[str, str]:
        """Give logical → physical ids."""
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self._stack)
            for each in page["StackResourceSummaries"]
            if each["PhysicalResourceId"]
        }

    def outputs(self) -> dict[str, str]:
        """Give the outputs."""
        outputs = self._described()["Outputs"]
        return {each["OutputKey"]: each["OutputValue"] for each in outputs}

    def configuration(self, function: str) -> Document:
        """Give a function's settings as Lambda tells them."""
        awslambda = self._client("lambda")
        found: Document = awslambda.get_function_configuration(FunctionName=function)
        return found

    def _described(self) -> Document:
        formation = self._client("cloudformation")
        found = formation.describe_stacks(StackName=self._stack)
        described: Document = found["Stacks"][0]
        return described

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3 is not typed here
        url = self._environ["AWS_ENDPOINT_URL"]
        return self._session.client(service, endpoint_url=url)
