"""The output of commands: in colours and boxes on a terminal, plain where another program reads it.

Whether it is a terminal, and one with colours, is rich's to say: it honours NO_COLOR and FORCE_COLOR.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.highlighter import JSONHighlighter
from rich.table import Table
from rich.text import Text

STYLES = {"+": "green", "-": "red", "@": "cyan"}
"""First character of a line of a diff -> its style."""


def error(text: str) -> None:
    """Print on standard error why a command cannot go on."""
    console = Console(stderr=True)
    console.print(Text.assemble(("Error: ", "bold red"), text), soft_wrap=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], plain: Iterable[str]) -> None:
    """Print a table on a terminal, else these lines."""
    console = Console()
    if not console.is_terminal:
        lines(console, map(Text, plain))
        return
    boxed = Table(box=SIMPLE_HEAD, header_style="bold")
    for name in head:
        boxed.add_column(name, overflow="fold")
    for row in rows:
        boxed.add_row(*map(Text, row))
    console.print(boxed)


def pairs(described: Sequence[tuple[str, str]]) -> None:
    """Print names in bold and a text for each, in two columns."""
    width = max(len(name) for name, _ in described)
    lines(Console(), (Text.assemble((name.ljust(width), "bold"), "  ", text) for name, text in described))


def diff(unified: Iterable[str]) -> None:
    """Print the lines of a unified diff."""
    lines(Console(), (Text(line, STYLES.get(line[:1], "")) for line in unified))


def json(text: str) -> None:
    """Print JSON as it is laid out."""
    lines(Console(), [JSONHighlighter()(Text(text))])


def lines(console: Console, texts: Iterable[Text]) -> None:
    """Print lines as they are: no markup in them, and none folded."""
    for line in texts:
        console.print(line, soft_wrap=True)


def working(text: str) -> AbstractContextManager[object]:
    """Show on standard error, within the block, that something takes its time; nothing where that is no terminal."""
    return Console(stderr=True).status(text)
