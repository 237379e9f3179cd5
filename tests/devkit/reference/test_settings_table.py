"""The generated table of settings."""

import pytest

from kycourier.settings.declarations import SETTINGS
from kycourier_devkit.reference.settings_table import (
    BEGIN,
    END,
    build_table,
    find_stale,
    main,
    replace_table,
)


def test_table_has_a_row_for_each_setting():
    _, _, *rows = build_table().splitlines()
    names = [row.split("|")[1].strip() for row in rows]
    assert names == [f"`{setting.variable}`" for setting in SETTINGS]
    assert all(row.count("|") == 4 for row in rows)


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("APP_ID", "*`SANDBOX1`*"),
        ("KYC_URL", "*the sandbox*"),
        ("QUEUE", "`none`; *`sqlite:///.kycourier/queue.db`*"),
        ("FINGERPRINT_KEY", "*generated*"),
        ("API_AUTH", "`signature`; *`none`*"),
        ("API_KEYS", ""),
        ("ORDER_TTL_SECONDS", "`172800`"),
    ],
)
def test_row_shows_default_and_local_value(name, last):
    [row] = [row for row in build_table().splitlines() if f"`KYCOURIER_{name}`" in row]
    assert row.split("|")[-2].strip() == last


def test_only_text_between_markers_is_replaced(tmp_path):
    text = f"# Before\n{BEGIN}\nold\n{END}\nafter\n"
    replaced = replace_table(text)
    assert replaced == f"# Before\n{BEGIN}\n{build_table()}\n{END}\nafter\n"
    assert replace_table("# No markers\n") is None

    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(text)
    (tmp_path / "docs/plain.md").write_text("nothing of it\n")
    (tmp_path / "docs/fresh.md").write_text(replaced)
    assert find_stale(tmp_path) == [tmp_path / "README.md"]


def test_table_is_printed_without_arguments(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out == f"{build_table()}\n"
    assert main(["--frob"]) == 2
