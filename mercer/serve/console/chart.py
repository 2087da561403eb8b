"""Numbers in; small plots as SVG that take their colours from the console's sheet out."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

__all__ = ["bars", "compared", "course", "stack"]

WIDTH = 640
"""Units of a plot; the page scales it to its place."""
LABEL = 170
"""Units that names have beside their bars."""


def _svg(height: float, inside: Sequence[str], about: str, kind: str = "plot") -> Markup:
    shapes = Markup("").join(Markup(one) for one in inside)  # noqa: S704  # every text in them is escaped below
    return Markup('<svg class="{}" viewBox="0 0 {} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        kind, WIDTH, height, about, shapes
    )


def bars(rows: Sequence[tuple[str, float, str]], *, about: str) -> Markup:
    """One bar a row of (name, value, value as text).

    >>> bars([("tea", 3, "3"), ("cup", 1, "1")], about="queries").count("<rect")
    2
    """
    most = max((value for _, value, _ in rows), default=0) or 1
    inside = []
    for place, (name, value, said) in enumerate(rows):
        top = place * 22
        width = max(1.0, value / most * (WIDTH - LABEL - 70)) if value else 0.0
        inside.append(f'<text class="name" x="0" y="{top + 14}">{escape(_short(name))}</text>')
        inside.append(f'<rect class="bar" x="{LABEL}" y="{top + 4}" width="{width:.1f}" height="13" rx="2"/>')
        inside.append(f'<text x="{LABEL + width + 6:.1f}" y="{top + 14}">{escape(said)}</text>')
    return _svg(len(rows) * 22 or 1, inside, about)


def stack(parts: Sequence[tuple[str, int]], *, about: str) -> Markup:
    """One bar of (class, count) parts; a part that is there is at least visible."""
    total = sum(count for _, count in parts) or 1
    widths = [max(WIDTH * count / total, 4.0) if count else 0.0 for _, count in parts]
    scale = WIDTH / (sum(widths) or 1)
    inside, left = [], 0.0
    for (name, count), width in zip(parts, widths, strict=True):
        if count:
            inside.append(
                f'<rect class="{escape(name)}" x="{left:.1f}" y="0" width="{width * scale:.1f}" height="18"/>'
            )
        left += width * scale
    return _svg(18, inside, about, "stack")


def course(values: Sequence[float | None], *, labels: Sequence[str], about: str, limit: float | None = None) -> Markup:
    """A line through values over time, from 0 up; a dashed one where a limit is. Gaps stay gaps.

    Args:
        values: the oldest first.
        labels: as many; the first, middle and last are shown.
        about: what it is, for who cannot see it.
        limit: in the unit of the values.
    """
    known = [value for value in values if value is not None]
    most = max([*known, limit or 0.0]) or 1.0
    high, low, left = 12.0, 110.0, 44.0
    step = (WIDTH - left - 10) / max(1, len(values) - 1)

    def at(value: float) -> float:
        return low - value / most * (low - high)

    inside = [f'<line class="line" x1="{left}" x2="{WIDTH}" y1="{y}" y2="{y}"/>' for y in (high, low)]
    inside += [
        f'<text x="0" y="{high + 4}">{escape(f"{most:.3g}")}</text>',
        f'<text x="0" y="{low + 4}">0</text>',
    ]
    if limit is not None:
        inside.append(f'<line class="limit" x1="{left}" x2="{WIDTH}" y1="{at(limit):.1f}" y2="{at(limit):.1f}"/>')
    points = [(left + index * step, at(value)) for index, value in enumerate(values) if value is not None]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    inside.append(f'<polyline class="path" points="{path}"/>')
    inside += [f'<circle class="after" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points[-60:]]
    for index in sorted({0, len(labels) // 2, len(labels) - 1}) if labels else ():
        anchor = "start" if index == 0 else "end" if index == len(labels) - 1 else "middle"
        x = left + index * step
        inside.append(f'<text x="{x:.1f}" y="128" text-anchor="{anchor}">{escape(labels[index])}</text>')
    return _svg(134, inside, about)


def compared(rows: Sequence[tuple[str, float, float, float | None, float | None]], *, about: str) -> Markup:
    """Before and after of (name, before, after, low, high): two dots a row, and the interval of the difference.

    Args:
        rows: `low` and `high` are the ends of the interval of after minus before; None where there is none.
        about: what it is, for who cannot see it.
    """
    most = max((max(before, after) for _, before, after, *_ in rows), default=1.0) or 1.0
    scale = (WIDTH - LABEL - 110) / most
    inside = []
    for place, (name, before, after, low, high) in enumerate(rows):
        middle = place * 26 + 14
        x, y = LABEL + before * scale, LABEL + after * scale
        inside.append(f'<text class="name" x="0" y="{middle + 4}">{escape(_short(name))}</text>')
        inside.append(f'<line class="line" x1="{LABEL}" x2="{WIDTH - 110}" y1="{middle}" y2="{middle}"/>')
        if low is not None and high is not None:
            ends = [min(max(LABEL, LABEL + (before + end) * scale), WIDTH - 100) for end in (low, high)]
            inside.append(f'<line class="band" x1="{ends[0]:.1f}" x2="{ends[1]:.1f}" y1="{middle}" y2="{middle}"/>')
        inside.append(f'<circle class="before" cx="{x:.1f}" cy="{middle}" r="5"/>')
        inside.append(f'<circle class="after" cx="{y:.1f}" cy="{middle}" r="5"/>')
        inside.append(f'<text x="{WIDTH}" y="{middle + 4}" text-anchor="end">{before:.4f} → {after:.4f}</text>')
    return _svg(len(rows) * 26 or 1, inside, about)


def _short(text: str, length: int = 24) -> str:
    """Wide letters count as two."""
    wide = 0
    for index, letter in enumerate(text):
        wide += 2 if ord(letter) > 0x2E80 else 1
        if wide > length:
            return text[: max(1, index - 1)] + "…"
    return text
