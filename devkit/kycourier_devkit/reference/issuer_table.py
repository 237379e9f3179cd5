"""Makes the table of card issuers of the npm package `bankcard`.

npm pack bankcard && tar xzf bankcard-*.tgz
python -m kycourier_devkit.reference.issuer_table package
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from kycourier_devkit.repository import ROOT

TABLE = ROOT / "layers/service/python/kycourier/core/documents/bank_card_issuers.json"
TYPES = {"DC": "debit", "CC": "credit", "SCC": "semi_credit", "PC": "prepaid"}
_SCRIPT = """
const {banks, cards} = require(process.argv[1]);
console.log(JSON.stringify({banks, cards}));
"""


def build_table(package: Path) -> dict[str, Any]:
    """Builds the table from an unpacked package.

    Raises:
        OSError: Node or the package is missing.
        subprocess.CalledProcessError: Node cannot load the package.
    """
    version = json.loads((package / "package.json").read_text("utf-8"))["version"]
    data = _load(package / "dist/bankcard.cjs.js")
    ranges: dict[str, list[list[Any]]] = {}
    for card in data["cards"]:
        row = [card["bankCode"], TYPES[card["cardType"]], card["len"]]
        rows = ranges.setdefault(card["cardBin"], [])
        if row not in rows:
            rows.append(row)
    used = {bank for rows in ranges.values() for bank, _, _ in rows}
    return {
        "source": f"bankcard {version}",
        "licence": (package / "LICENSE").read_text("utf-8"),
        "banks": {
            bank["code"]: bank["name"] for bank in data["banks"] if bank["code"] in used
        },
        "ranges": dict(sorted(ranges.items())),
    }


def _load(module: Path) -> Any:  # noqa: ANN401 - JSON
    done = subprocess.run(  # noqa: S603 - a package that the user unpacked
        ["node", "-e", _SCRIPT, str(module.resolve())],  # noqa: S607 - the user's node
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def main() -> int:
    """Writes the table; the argument is the folder of the unpacked package."""
    table = build_table(Path(sys.argv[1]))
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":"))
    TABLE.write_text(text.replace("]],", "]],\n") + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
