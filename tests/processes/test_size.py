"""Whatever the platform sends, a function stays small."""

from pathlib import Path

import pytest

from process_size import peak_megabytes

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]
MOST_MEGABYTES = 256


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs /proc to read memory")
@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("big15x1", None),
        ("big16x1", "transient"),
        ("big64x1", "transient"),
        ("bombx1", "transient"),
        ("endlessx1", "transient"),
        ("gzipx1", "transient"),
        ("deepx1", "transient"),
    ],
)
def test_a_function_stays_under_256_mb(house, order, reason):
    process = house.start("collect_results")
    shown = process.invoke({"order_no": order})
    assert shown["reason"] == reason
    assert (shown["state"] == "collected") == (reason is None)
    assert peak_megabytes(process) < MOST_MEGABYTES
    if reason:
        assert not house.objects()
