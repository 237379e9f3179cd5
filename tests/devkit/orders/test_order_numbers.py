"""Order numbers are read from lists and CSV files; bad lines are named by number."""

import pytest

from kycourier_devkit.errors import UsageError
from kycourier_devkit.orders.order_numbers import read_order_numbers


@pytest.mark.parametrize(
    ("text", "valid", "bad"),
    [
        ("A1\n\n A2 \r\nA1\n", ["A1", "A2"], []),
        ('"A1"', ["A1"], []),
        ("\ufeffA1\n", ["A1"], []),
        ("order_no\nA1\n", ["A1"], []),
        ("\ufefforder_no\r\nA1\r\n", ["A1"], []),
        ('name, order_no ,note\n"a, b",A1,x\nc,A2,y\n', ["A1", "A2"], []),
        ('order_no,note\nA1,"two\nlines"\nA2,\n', ["A1", "A2"], []),
        ("note,order_no\nx\ny,A1\n", ["A1"], []),
        ("A1\nsecret-1\nA2\nsecret,3\nA3\n", ["A1", "A2", "A3"], [2, 4]),
        ("note,order_no\nx,A1\ny,secret-\nz,A2\n", ["A1", "A2"], [3]),
        ('A1\n"secret\nA2\n', ["A1", "A2"], [2]),
        ("A1\n" + "secret" * 30_000 + "\nA2\n", ["A1", "A2"], [2]),
    ],
)
def test_each_valid_number_is_read_and_each_bad_line_is_named(
    tmp_path, text, valid, bad
):
    file = tmp_path / "orders"
    file.write_bytes(text.encode())

    numbers = read_order_numbers([], file)

    assert numbers.valid == valid
    rule = "is not an order number: it must have 1 to 32 letters and digits"
    assert numbers.problems == [f"--from: line {line} {rule}" for line in bad]


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"order_no\n", b"\xff\xfe", b"a,order_no\n" + b"x" * 200_000],
)
def test_file_without_any_order_is_a_usage_error(tmp_path, content):
    file = tmp_path / "orders"
    file.write_bytes(content)
    with pytest.raises(UsageError):
        read_order_numbers([], file)
