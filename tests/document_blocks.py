"""The README and the guides, and the parts of them that tests run or compare: fenced blocks, first columns."""

import re
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def blocks(page: str, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a language: number of the first line, and text."""
    text = PAGES[page].read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


def first_cells(page: str, header: str) -> list[str]:
    """What stands in backticks in the first column of the table with this header, in order."""
    lines = PAGES[page].read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {header} |"))
    rows = takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    cells = (row.split("|")[1] for row in rows)
    return [
        name for cell in cells for name in re.findall(r"`([^`]+)`|\b(\d{3})\b", cell) for name in name if name
    ]
