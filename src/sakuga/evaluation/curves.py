"""Loss curves as small drawings inside a page."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM = 320, 150, 44, 16
POINTS = 200
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")
"""Six that remain apart for colour-blind readers (Paul Tol, "Colour Schemes", 2021: bright)."""

Curve = Sequence[tuple[int, float]]


def chart(title: str, curves: Mapping[str, Curve]) -> str:
    """Draw one term of several runs, by label, as an SVG element; both axes are linear and cover the values."""
    points = {label: [p for p in _thinned(curve) if p[1] == p[1] and abs(p[1]) != float("inf")]
              for label, curve in curves.items()}  # fmt: skip
    every = [point for curve in points.values() for point in curve]
    if not every:
        return ""
    first, last = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(y for _, y in every), max(y for _, y in every)

    def place(x: int, y: float) -> str:
        across = (x - first) / ((last - first) or 1)
        up = (y - low) / ((high - low) or 1)
        return f"{LEFT + across * (WIDTH - LEFT - 4):.1f},{4 + (1 - up) * (HEIGHT - BOTTOM - 8):.1f}"

    lines = "".join(
        f'<polyline points="{" ".join(place(*p) for p in curve)}" fill="none" stroke-width="1.5" '
        f'stroke="{COLOURS[i % len(COLOURS)]}"><title>{escape(label)}</title></polyline>'
        for i, (label, curve) in enumerate(points.items())
    )
    right, floor = WIDTH - 4, HEIGHT - BOTTOM
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)} by step">'
        f'<path d="M{LEFT} 4V{floor - 4}H{right}" class="axis"/>{lines}'
        f'<text x="{LEFT - 4}" y="12" text-anchor="end">{high:.3g}</text>'
        f'<text x="{LEFT - 4}" y="{floor - 4}" text-anchor="end">{low:.3g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 3}">{first}</text>'
        f'<text x="{right}" y="{HEIGHT - 3}" text-anchor="end">{last} steps</text></svg></figure>'
    )


def legend(labels: Sequence[str]) -> str:
    """Say which colour is which run's."""
    items = (
        f'<span><i style="background:{COLOURS[i % len(COLOURS)]}"></i>{escape(label)}</span>'
        for i, label in enumerate(labels)
    )
    return f'<p class="legend">{" ".join(items)}</p>'


def _thinned(curve: Curve) -> list[tuple[int, float]]:
    """At most POINTS points, each the mean of as many neighbours."""
    width = -(-len(curve) // POINTS)
    parts = (curve[i : i + width] for i in range(0, len(curve), width or 1))
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]
