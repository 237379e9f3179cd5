"""Environment variables of the measured processes, all with the same emulators."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.environment.certificate import Certificate

APP_ID = "BENCH001"
SECRET = "s" * 64
FINGERPRINT_KEY = "synthetic-fingerprint-key-of-the-bench"


class Endpoints(NamedTuple):
    """URLs of the emulators, and the certificate of the KYC platform."""

    kyc_platform: str
    s3: str
    aws_services: str
    certificate: Certificate


def aws_settings(endpoints: Endpoints, settings: Mapping[str, str]) -> dict[str, str]:
    """Returns the settings of template.yaml, overridden by `settings`."""
    return {
        **_platform_settings(endpoints),
        "SSL_CERT_FILE": str(endpoints.certificate.certificate),
        "KYCOURIER_APP_ID": APP_ID,
        "KYCOURIER_APP_SECRET": "aws-secretsmanager://app-secret",
        "KYCOURIER_KYC_URL": endpoints.kyc_platform,
        "KYCOURIER_TICKET": "owned",
        "KYCOURIER_STATE": "dynamodb://state",
        "KYCOURIER_EVIDENCE": "s3://evidence/evidence",
        "KYCOURIER_EVENTS": "eventbridge://bus",
        "KYCOURIER_QUEUE": "sqs://orders",
        "KYCOURIER_FINGERPRINT_KEY": "aws-secretsmanager://fingerprint-key",
        "KYCOURIER_API_AUTH": "gateway",
        **settings,
    }


def local_settings(endpoints: Endpoints, folder: Path) -> dict[str, str]:
    """Returns the settings of the local commands, with all files below `folder`."""
    return {
        "SSL_CERT_FILE": str(endpoints.certificate.certificate),
        "BENCH_SECRET": SECRET,
        "BENCH_KEY": FINGERPRINT_KEY,
        "KYCOURIER_APP_ID": APP_ID,
        "KYCOURIER_APP_SECRET": "env:BENCH_SECRET",
        "KYCOURIER_KYC_URL": endpoints.kyc_platform,
        "KYCOURIER_STATE": f"sqlite:///{folder}/state.db",
        "KYCOURIER_EVIDENCE": f"file://{folder}/evidence",
        "KYCOURIER_EVENTS": f"file://{folder}/events.jsonl",
        "KYCOURIER_QUEUE": f"sqlite:///{folder}/queue.db",
        "KYCOURIER_FINGERPRINT_KEY": "env:BENCH_KEY",
        "KYCOURIER_API_AUTH": "none",
    }


def peer_settings(endpoints: Endpoints, folder: Path) -> dict[str, str]:
    """Returns the variables that the peers read."""
    return {
        **_platform_settings(endpoints),
        "REQUESTS_CA_BUNDLE": str(endpoints.certificate.bundle),
        "SSL_CERT_FILE": str(endpoints.certificate.certificate),
        "APP_ID": APP_ID,
        "APP_SECRET": SECRET,
        "KYC_URL": endpoints.kyc_platform,
        "BUCKET": "evidence",
        "BUS": "bus",
        "FOLDER": str(folder / "loop"),
    }


def _platform_settings(endpoints: Endpoints) -> dict[str, str]:
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "synthetic",
        "AWS_SESSION_TOKEN": "synthetic",
        "AWS_ENDPOINT_URL": endpoints.aws_services,
        "AWS_ENDPOINT_URL_S3": endpoints.s3,
    }
