"""Counts in; small plots as SVG that take their colours from the page out."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

__all__ = ["area", "course", "stack"]

WIDTH = 1000
"""Units of a plot; the page scales it to its place."""


def stack(parts: Sequence[tuple[str, int]]) -> str:
    """One horizontal bar of (class, count) parts; a part that is there is at least visible.

    >>> stack([("trusted", 3), ("fix", 0), ("quarantine", 1)]).count("<rect")
    2
    """
    total = sum(count for _, count in parts) or 1
    least = WIDTH * 0.006
    widths = [max(WIDTH * count / total, least) if count else 0.0 for _, count in parts]
    scale = WIDTH / (sum(widths) or 1)
    pieces, left = [], 0.0
    for (name, count), width in zip(parts, widths, strict=True):
        if count:
            pieces.append(
                f'<rect class="{name}" x="{left:.1f}" y="0" width="{width * scale:.1f}" height="14">'
                f"<title>{name} {count:,}</title></rect>"
            )
        left += width * scale
    return f'<svg class="stack" viewBox="0 0 {WIDTH} 14" preserveAspectRatio="none" role="img">{"".join(pieces)}</svg>'


def area(counts: Sequence[Sequence[int]], *, start: int, end: int) -> str:
    """Counts a bin: the first series above, the second under it on its own scale, as it is far smaller; dates below.

    Args:
        counts: trusted, then taken out; as many bins each.
        start: UTC milliseconds of the left edge.
        end: UTC milliseconds of the right edge.
    """
    panels = (("trusted", 14, 130), ("quarantine", 158, 200))
    shapes = "".join(_panel(name, series, top, base) for (name, top, base), series in zip(panels, counts, strict=True))
    marks = "".join(_mark(index / 4, start, end, 200) for index in range(5))
    return f'<svg class="area" viewBox="0 0 {WIDTH} 222" role="img">{shapes}{marks}</svg>'


def _panel(name: str, series: Sequence[int], top: int, base: int) -> str:
    most = max(series, default=0) or 1
    step = WIDTH / max(len(series), 1)
    points = [
        f"{place * step:.1f},{base - count / most * (base - top):.1f}"
        for index, count in enumerate(series)
        for place in (index, index + 1)
    ]
    line = f'<line class="axis" x1="0" x2="{WIDTH}" y1="{top}" y2="{top}"/>'
    shape = f'<polygon class="{name}" points="0,{base} {" ".join(points)} {WIDTH},{base}"/>'
    return f'{line}{shape}<text class="axis" x="0" y="{top - 4}">{most:,}</text>'


def _mark(share: float, start: int, end: int, base: int) -> str:
    moment = datetime.datetime.fromtimestamp((start + (end - start) * share) / 1000, datetime.UTC)
    anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
    text = moment.strftime("%Y-%m-%d" if end - start > 3 * 86_400_000 else "%m-%d %H:%M")
    return f'<text class="axis" x="{share * WIDTH:.0f}" y="{base + 18}" text-anchor="{anchor}">{text}</text>'


def course(shares: Sequence[float | None], states: Sequence[str], *, labels: Sequence[str]) -> str:
    """Shares (0 to 1) run by run as a line, each run a dot of the class that its state names; None leaves a gap.

    >>> course([0.01, None, 0.02], ["pass", "warn", "block"], labels=["a", "b", "c"]).count("<circle")
    2
    """
    width, most = 320, max((share for share in shares if share is not None), default=0.0) or 1.0
    step = (width - 16) / max(len(shares) - 1, 1)
    spots = [
        (8 + place * step, 70 - share / most * 48, place) for place, share in enumerate(shares) if share is not None
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in spots)
    dots = "".join(
        f'<circle class="{states[place]}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">'
        f"<title>{labels[place]} {shares[place]:.2%}</title></circle>"
        for x, y, place in spots
    )
    words = f'<text class="axis" x="0" y="10">{most:.2%}</text>'
    words += f'<text class="axis" x="0" y="92">{labels[0]}</text>'
    words += f'<text class="axis" x="{width}" y="92" text-anchor="end">{labels[-1]}</text>'
    axis = f'<line class="axis" x1="0" x2="{width}" y1="76" y2="76"/>'
    return (
        f'<svg class="course" viewBox="0 0 {width} 96" role="img">{axis}<polyline points="{line}"/>{dots}{words}</svg>'
    )
