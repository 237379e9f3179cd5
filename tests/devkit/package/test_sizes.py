"""The tables of sizes in docs/packages.md are those of the built zips."""

import zipfile

import pytest

from kycourier_devkit.package.clouds import CLOUDS
from kycourier_devkit.package.sizes import PAGE, main, render_table, update_page
from support.built_packages import EACH_CLOUD


@pytest.mark.enable_socket
@pytest.mark.slow
@pytest.mark.timeout(300)
@EACH_CLOUD
def test_page_has_the_sizes_of_the_built_zips(packages_of, cloud):
    table = render_table(cloud, packages_of(cloud))
    text = PAGE.read_text("utf-8")
    assert update_page(text, cloud.name, table) == text, (
        "docs/packages.md is outdated: make package package-tencent,"
        " then python -m kycourier_devkit.package.sizes --write"
    )
    assert table in text


@pytest.fixture
def dist(tmp_path):
    """Return a folder with small zips of all names."""
    for cloud in CLOUDS.values():
        for name in cloud.all_zip_names:
            with zipfile.ZipFile(tmp_path / name, "w") as archive:
                archive.writestr("module.py", "x" * 20_000)
    return tmp_path


def test_write_replaces_the_tables_and_keeps_the_text(dist, tmp_path, capsys):
    page = tmp_path / "packages.md"
    parts = [f"<!-- begin sizes {n} -->\nold\n<!-- end sizes {n} -->" for n in CLOUDS]
    page.write_text("\n".join(["# Packages", *parts, "The end."]))

    assert main(["--write", "--dist", str(dist)], page=page) == 0

    text = page.read_text()
    assert capsys.readouterr().out == "Updated packages.md\n"
    assert text.startswith("# Packages\n<!-- begin sizes aws -->\n| Zip |")
    assert text.endswith("<!-- end sizes tencent -->\nThe end.")
    assert "| `service.zip` | 1 | 0.02 MB | 0.02 MB |" in text
    assert "| a function on arm64 | 3 | 0.06 MB | 0.06 MB |" in text
    assert "old" not in text


def test_missing_zip_is_named_with_the_command_that_builds_it(tmp_path, capsys):
    assert main(["--dist", str(tmp_path)]) == 2

    err = capsys.readouterr().err
    assert "functions.zip is missing. Build it: make package package-tencent" in err
