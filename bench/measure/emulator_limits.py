"""Measures how many calls each emulator can serve, so that it is not the bottleneck."""

import time
from concurrent.futures import ThreadPoolExecutor

from bench.environment.bench_environment import BenchEnvironment
from bench.environment.emulator_process import CPU, Emulator
from bench.measure import raw_http
from bench.measure.raw_http import RawConnection

THREADS = 4


def measure_limits(environment: BenchEnvironment) -> dict[str, dict[str, float]]:
    """Returns each emulator's calls and MB a second, cores and CPU a call."""
    environment.set_latency(0)
    platform, s3, aws = (
        environment.kyc_platform,
        environment.s3,
        environment.aws_services,
    )
    calls = {
        "KYC platform, 2 MB replies": (platform, raw_http.query(500_000), 2.0),
        "KYC platform, 4 KB replies": (platform, raw_http.query(1000), 0.004),
        "S3, 1.5 MB objects": (s3, raw_http.put(1_500_000), 1.5),
        "S3, 1 KB objects": (s3, raw_http.put(1000), 0.001),
        "table": (aws, raw_http.get_item(), 0),
        "bus": (aws, raw_http.put_events(), 0),
    }
    seconds = 0.2 if environment.is_smoke else 2.0
    return {
        name: _saturate(emulator, request, megabytes, seconds)
        for name, (emulator, request, megabytes) in calls.items()
    }


def _saturate(
    emulator: Emulator, request: bytes, megabytes: float, seconds: float
) -> dict[str, float]:
    """Calls an emulator from several threads for some seconds."""
    connections = [RawConnection(emulator) for _ in range(THREADS)]
    ends_at = time.perf_counter() + seconds

    def call(connection: RawConnection) -> int:
        count = 0
        while time.perf_counter() < ends_at:
            connection.call(request)
            count += 1
        return count

    cpu_before, started = emulator.counters()[CPU], time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        count = sum(pool.map(call, connections))
    elapsed = time.perf_counter() - started
    cpu = emulator.counters()[CPU] - cpu_before
    for connection in connections:
        connection.close()
    return {
        "calls_per_second": round(count / elapsed, 1),
        "megabytes_per_second": round(count * megabytes / elapsed, 1),
        "cores": round(cpu / elapsed, 2),
        "cpu_ms_per_call": round(cpu / count * 1000, 3),
    }
