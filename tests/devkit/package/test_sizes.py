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
    outdated = "python -m kycourier_devkit.package.sizes --write"
    assert update_page(text, cloud.name, table) == text, outdated
    assert table in text


def test_write_replaces_the_tables_and_keeps_the_text(tmp_path, capsys):
    page = tmp_path / "packages.md"
    parts = [f"<!-- begin sizes {n} -->\nold\n<!-- end sizes {n} -->" for n in CLOUDS]
    page.write_text("\n".join(["# Packages", *parts, "The end."]))
    options = ["--write", "--dist", str(tmp_path)]
    assert main(options, page=page) == 2
    assert "functions.zip is missing" in capsys.readouterr().err
    for name in (each for cloud in CLOUDS.values() for each in cloud.all_zip_names):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("module.py", "x" * 20_000)

    assert main(options, page=page) == 0

    text = page.read_text()
    assert text.startswith("# Packages\n<!-- begin sizes aws -->\n| Zip |")
    assert text.endswith("<!-- end sizes tencent -->\nThe end.")
    assert "| `service.zip` | 1 | 0.02 MB | 0.02 MB |" in text
    assert "| a function on arm64 | 3 | 0.06 MB | 0.06 MB |" in text
    assert "old" not in text
