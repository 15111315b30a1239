"""What README and guides say is so: their code runs, their tables are complete, their links lead somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}


def blocks(page: str, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a language: number of the first line, and text."""
    text = PAGES[page].read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, match.start(1)) + 1, match[1]) for match in found]


WITH_CODE = [page for page in PAGES if blocks(page, "python")]


@pytest.mark.parametrize("page", WITH_CODE)
def test_code_runs(page: str, dynamodb: None, table_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page's blocks, one after the other in one namespace; then the test functions that they define."""
    monkeypatch.setenv("POLYMICRO_TABLE_PREFIX", table_name)
    namespace: dict[str, Any] = {"__name__": f"page_{page.partition('.')[0]}"}
    for line, code in blocks(page, "python"):
        exec(compile("\n" * (line - 1) + code, str(PAGES[page]), "exec"), namespace)
    for name in [name for name in namespace if name.startswith("test_")]:
        namespace[name]()
