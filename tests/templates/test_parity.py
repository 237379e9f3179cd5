"""serverless.yml and template.yaml render the same stack."""

from itertools import product

import pytest

from support.rendered_templates import APP_ID, NEEDS_TOOLS, differences

pytestmark = NEEDS_TOOLS

RESTORED = {"RestoredTable": "kycourier-restored"}
EVIDENCE_KEY = {"EvidenceKey": "arn:aws:kms:eu-west-1:123456789012:key/ours"}
RECIPIENT_KEY = {"RecipientKey": "aws-ssm:///kyc/recipient.jwk"}
WEBHOOK = {"WebhookUrl": "https://partner.example/hook"}
VPC = {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1"}
CAPS = ("10", "20", "50", "100", "200")
TICKETS = ("owned", "aws-secretsmanager://kyc/ticket", "aws-ssm:///kyc/ticket")
SETS = [
    {"Architecture": architecture, "ApiAccess": access, "Ticket": ticket}
    for architecture, access, ticket in product(
        ("arm64", "x86_64"), ("iam", "url"), TICKETS
    )
] + [
    *({"UpstreamCap": cap} for cap in CAPS),
    {"EvidenceRetentionDays": "30", "LogRetentionDays": "7"},
    {"AlarmTopic": "arn:aws-cn:sns:cn-north-1:123456789012:alarms"},
    {"KycProfile": "kyc1", "KycUrl": "https://kyc.example"},
    RESTORED,
    EVIDENCE_KEY,
    VPC,
    EVIDENCE_KEY | VPC,
    RECIPIENT_KEY,
    WEBHOOK,
    {"RecipientKey": "aws-secretsmanager://kyc?key=jwk", "Architecture": "x86_64"},
]


@pytest.mark.parametrize("parameters", SETS, ids=lambda each: "-".join(each.values()))
def test_both_templates_render_the_same_stack(renderer, parameters):
    ours = renderer.resolve("sam", **parameters)
    theirs = renderer.resolve("osls", **parameters)

    assert differences(ours, theirs) == []
    assert len(ours["Resources"]) > 50
    assert {"ApiUrl", "QueueUrl", "EvidenceUri"} <= ours["Outputs"].keys()


def test_osls_passes_every_parameter_to_cloudformation(renderer):
    parameters = {
        **APP_ID,
        "KycProfile": "kyc1",
        "KycUrl": "https://kyc.example",
        "Ticket": "aws-ssm:///kyc/ticket",
        "UpstreamCap": "50",
        "ApiAccess": "url",
        "LogRetentionDays": "7",
        "EvidenceRetentionDays": "30",
        "AlarmTopic": "arn:aws:sns:eu-west-1:123456789012:alarms",
        **RESTORED,
        **EVIDENCE_KEY,
        **RECIPIENT_KEY,
        **WEBHOOK,
        "IdCardSides": "front",
        "FaceFiles": "none",
        **VPC,
    }

    assert renderer.passed_parameters(**parameters) == parameters
    assert renderer.osls(**parameters)["Parameters"].keys() == parameters.keys()
    assert renderer.sam()["Parameters"].keys() == {*parameters, "Architecture"}


def test_both_templates_have_the_same_defaults(renderer):
    ours = {
        name: str(each["Default"])
        for name, each in renderer.sam()["Parameters"].items()
        if "Default" in each
    }

    del ours["Architecture"]  # osls resolves it; compared above
    assert renderer.passed_parameters() == ours | APP_ID


def test_comparison_finds_every_difference():
    one = {"a": [1, {"b": 2}], "c": [1], "d": 4}
    other = {"a": [1, {"b": 3}], "c": [1, 1], "e": 4}

    assert differences(one, one) == []
    assert differences(one, other) == ["/a/1/b", "/c", "/d", "/e"]
