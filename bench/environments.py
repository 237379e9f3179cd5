"""The environments of those that are measured: all name the same stand-ins."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bench.authority import Authority

APP_ID = "BENCH001"
SECRET = "s" * 64
FINGERPRINT_KEY = "synthetic-fingerprint-key-of-the-bench"


class Places(NamedTuple):
    """URLs of the stand-ins, and what makes the upstream trusted."""

    upstream: str
    bucket: str
    services: str
    authority: Authority


def aws_environ(places: Places, settings: Mapping[str, str]) -> dict[str, str]:
    """Set a function of ours as template.yaml does."""
    return {
        **_platform(places),
        "SSL_CERT_FILE": str(places.authority.certificate),
        "KYCOURIER_APP_ID": APP_ID,
        "KYCOURIER_APP_SECRET": "aws-secretsmanager://app-secret",
        "KYCOURIER_KYC_URL": places.upstream,
        "KYCOURIER_TICKET": "owned",
        "KYCOURIER_STATE": "dynamodb://state",
        "KYCOURIER_EVIDENCE": "s3://evidence/evidence",
        "KYCOURIER_EVENTS": "eventbridge://bus",
        "KYCOURIER_QUEUE": "sqs://orders",
        "KYCOURIER_FINGERPRINT_KEY": "aws-secretsmanager://fingerprint-key",
        "KYCOURIER_API_AUTH": "gateway",
        **settings,
    }


def local_environ(places: Places, folder: Path) -> dict[str, str]:
    """Set a function of ours as the local commands do, below `folder`."""
    return {
        "SSL_CERT_FILE": str(places.authority.certificate),
        "BENCH_SECRET": SECRET,
        "BENCH_KEY": FINGERPRINT_KEY,
        "KYCOURIER_APP_ID": APP_ID,
        "KYCOURIER_APP_SECRET": "env:BENCH_SECRET",
        "KYCOURIER_KYC_URL": places.upstream,
        "KYCOURIER_STATE": f"sqlite:///{folder}/state.db",
        "KYCOURIER_EVIDENCE": f"file://{folder}/evidence",
        "KYCOURIER_EVENTS": f"file://{folder}/events.jsonl",
        "KYCOURIER_QUEUE": f"sqlite:///{folder}/queue.db",
        "KYCOURIER_FINGERPRINT_KEY": "env:BENCH_KEY",
        "KYCOURIER_API_AUTH": "none",
    }


def naive_environ(places: Places, folder: Path) -> dict[str, str]:
    """Set naive peer, floor and loop; each reads what it knows."""
    return {
        **_platform(places),
        "REQUESTS_CA_BUNDLE": str(places.authority.bundle),
        "SSL_CERT_FILE": str(places.authority.certificate),
        "APP_ID": APP_ID,
        "APP_SECRET": SECRET,
        "KYC_URL": places.upstream,
        "BUCKET": "evidence",
        "BUS": "bus",
        "FOLDER": str(folder / "loop"),
    }


def _platform(places: Places) -> dict[str, str]:
    return {
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "synthetic",
        "AWS_SESSION_TOKEN": "synthetic",
        "AWS_ENDPOINT_URL": places.services,
        "AWS_ENDPOINT_URL_S3": places.bucket,
    }
