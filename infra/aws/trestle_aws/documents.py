"""What is generated of the documents: the pictures, the table of the presets, and the output of `trestle-aws plan`.

    python3 -m trestle_aws.documents        writes them (tools/generate)

In a document a block that begins with "$ trestle-aws plan ..." holds the output of that command.
"""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from trestle_aws import cli, cost, diagram, presets
from trestle_aws.presets import ROOT
from trestle_aws.prices import Prices

BLOCK = re.compile(r"^```\n\$ (trestle-aws plan .+)\n(?:(?!```).*\n)*```$", re.MULTILINE)
TABLE = re.compile(r"(<!-- presets: .*-->\n)(?:.*\n)*?(<!-- end -->)")
HERE = ("--project", "trestle", "--environment", "shop", "--region", "us-east-1")
PAGES = ("README.md", "docs/troubleshooting.md")


def generated(root: Path = ROOT) -> dict[Path, str]:
    """Each file with the text that it should have."""
    files = {root / "pictures" / f"{name}.svg": diagram.of_preset(name) for name in presets.names(root)}
    return files | {root / page: filled((root / page).read_text(encoding="utf-8")) for page in PAGES}


def filled(text: str) -> str:
    """A document with its generated parts made anew."""
    text = BLOCK.sub(lambda found: f"```\n$ {found[1]}\n{output(found[1])}```", text)
    return TABLE.sub(lambda found: f"{found[1]}{table()}{found[2]}", text)


def output(line: str) -> str:
    """What a command of `plan` prints, and what it says when it refuses."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        cli.main([*HERE, *line.split()[1:]])
    return "".join(f"{one.rstrip()}\n" for one in said.getvalue().splitlines())


def table() -> str:
    """The presets with what they are, and what they cost."""
    rows = ["| preset | what it is | USD a month |", "|---|---|---|"]
    for name in (*presets.PATH, *(name for name in presets.names() if name not in presets.PATH)):
        description = presets.read(name).description.replace(" - ", ": ", 1)
        rows.append(f"| [`{name}`](pictures/{name}.svg) | {description} | {month(name):.0f} |")
    return "".join(f"{row}\n" for row in rows)


def month(name: str) -> float:
    """What a preset costs, as `plan` has it."""
    prices = Prices.read("us-east-1", ROOT / "prices.yml")
    return cost.total(cost.Reckoning(prices, set()).stacks(diagram.stacks_of(name, ())))


def main() -> None:
    """Writes what has changed."""
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
