"""The warm ratios as a picture, in SVG written by hand."""

from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from .lineup import OURS, RAW, SAME_API
from .runs import Warm

LEFT, TOP, ROW, PANEL, GAP = 250, 46, 22, 125, 16
"""Pixels: room for the names and the verbs, height of a row, width of a panel, between two panels."""
COLOURS: Mapping[bool, str] = {True: "#0a7d4b", False: "#9aa5b1"}
STYLE = "font-family='system-ui, sans-serif' font-size='12' fill='#1f2933'"


def draw(path: Path, warm: Warm) -> None:
    """Write the picture."""
    path.write_text("\n".join(_svg(warm)) + "\n", encoding="utf-8")


def _svg(warm: Warm) -> Iterator[str]:
    width = LEFT + len(warm) * (PANEL + GAP)
    height = TOP + len(SAME_API) * ROW + 12
    yield f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' {STYLE}>"
    yield f"<rect width='{width}' height='{height}' fill='#fff'/>"
    yield f"<text x='8' y='18'>CPU of a request, to that of {escape(RAW.title)}</text>"
    largest = max(series.ratio(peer, RAW) for series in warm.values() for peer in SAME_API)
    for number, peer in enumerate(SAME_API):
        weight = " font-weight='bold'" if peer is OURS else ""
        yield f"<text x='8' y='{_y(number) + 14}'{weight}>{escape(peer.title)}</text>"
    for panel, (verb, series) in enumerate(warm.items()):
        left = LEFT + panel * (PANEL + GAP)
        yield f"<text x='{left}' y='{TOP - 8}' font-weight='bold'>{escape(verb)}</text>"
        for number, peer in enumerate(SAME_API):
            ratio = series.ratio(peer, RAW)
            length = ratio / largest * (PANEL - 34)
            box = f"x='{left}' y='{_y(number)}' width='{length:.1f}' height='{ROW - 4}'"
            yield f"<rect {box} fill='{COLOURS[peer is OURS]}'/>"
            yield f"<text x='{left + length + 4:.1f}' y='{_y(number) + 14}'>{ratio:.2f}</text>"
    yield "</svg>"


def _y(number: int) -> int:
    return TOP + number * ROW
