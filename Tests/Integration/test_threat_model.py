"""Every test that docs/threat-model.md cites is there under that name."""

import re

import pytest

from gateway import CHECKOUT

DOCUMENT = (CHECKOUT / "docs/threat-model.md").read_text().partition("\n## 1. ")[2]


def citations() -> list[tuple[str, str, str]]:
    """File, test and row of each citation; the row is empty where none is named."""
    found = []
    for line in DOCUMENT.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if not line.startswith("|") or len(cells) != 3 or ": " not in cells[2]:
            continue
        for of_file in cells[2].rstrip(" |").split("; "):
            file, _, rest = of_file.partition(": ")
            name = ""
            for item in re.findall(r'"[^"]*"|\w+', rest):
                if item.startswith('"'):
                    found.append((file, name, item.strip('"').removesuffix("…").strip()))
                else:
                    name = item
                    found.append((file, name, ""))
    return found


def test_there_are_citations():
    assert len(citations()) > 100


@pytest.mark.parametrize("file, name, row", citations(), ids=lambda value: value or "-")
def test_what_is_cited_exists(file, name, row):
    source = (CHECKOUT / f"Tests/Integration/test_{file}.py").read_text()
    assert re.search(rf"^def test_{name}\(", source, re.MULTILINE)
    # A row is written out in a table, or made of its rule and a value.
    assert not row or row in source or row.rpartition(" ")[0] in source
