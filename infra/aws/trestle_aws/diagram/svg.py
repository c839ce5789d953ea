"""Shapes and text as SVG. Widths of text are estimated for the wider ones of common faces, so that a test can say whether it fits."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

FACE = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', Helvetica, Arial, sans-serif"
INK, FAINT, LINE = "#1f2933", "#52606d", "#334e68"
NARROW, WIDE = "iljtf.,:;'|()[] 1I", "mwMWGOQDN×%"


@dataclass(frozen=True)
class Box:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """Halfway from left to right."""
        return self.x + self.width / 2

    def overlap(self, other: Box) -> tuple[float, float]:
        """The part of the horizontal axis that both cover; the first is greater if they do not."""
        return max(self.x, other.x), min(self.right, other.right)

    def hits(self, other: Box) -> bool:
        """Do they share a point?"""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom


def width_of(text: str, size: float, bold: bool = False) -> float:
    """About how wide a text is."""
    units = sum(0.37 if letter in NARROW else 0.92 if letter in WIDE else 0.61 for letter in text)
    return units * size * (1.1 if bold else 1.0)


def number(value: float) -> str:
    """Without needless digits."""
    return f"{value:.1f}".rstrip("0").rstrip(".")


def text(
    x: float,
    y: float,
    words: str,
    size: float = 12,
    *,
    bold: bool = False,
    fill: str = INK,
    anchor: str = "start",
    halo: str = "",
    after: str = "",
) -> str:
    """A line of text; `halo` is the colour around its letters, `after` what follows in a fainter one."""
    more = ' font-weight="600"' if bold else ""
    more += f' text-anchor="{anchor}"' if anchor != "start" else ""
    more += f' stroke="{halo}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"' if halo else ""
    words = escape(words) + (
        f'<tspan dx="12" font-size="12" font-weight="400" fill="{FAINT}">{escape(after)}</tspan>' if after else ""
    )
    return f'<text x="{number(x)}" y="{number(y)}" font-size="{number(size)}" fill="{fill}"{more}>{words}</text>'


def rectangle(box: Box, *, fill: str, line: str, radius: float = 6, dashed: bool = False, thick: float = 1.2) -> str:
    """A box."""
    dash = ' stroke-dasharray="5 3"' if dashed else ""
    return (
        f'<rect x="{number(box.x)}" y="{number(box.y)}" width="{number(box.width)}" height="{number(box.height)}" rx="{number(radius)}"'
        f' fill="{fill}" stroke="{line}" stroke-width="{number(thick)}"{dash}/>'
    )


def drum(box: Box, *, fill: str, line: str, dashed: bool = False) -> str:
    """What databases look like."""
    bend, dash = 7, ' stroke-dasharray="5 3"' if dashed else ""
    right, low = number(box.right), number(box.bottom - bend)
    x, top, half = number(box.x), number(box.y + bend), number(box.width / 2)
    return (
        f'<path d="M{x} {top}V{low}A{half} {bend} 0 0 0 {right} {low}V{top}" fill="{fill}" stroke="{line}" stroke-width="1.2"{dash}/>'
        f'<ellipse cx="{number(box.middle)}" cy="{top}" rx="{half}" ry="{bend}" fill="{fill}" stroke="{line}" stroke-width="1.2"{dash}/>'
    )


def arrow(points: list[tuple[float, float]], *, name: str = "", dashed: bool = False, fill: str = LINE) -> str:
    """A line through points, with a head at its end."""
    path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points)
    more = ' stroke-dasharray="4 3"' if dashed else ""
    more += f' data-edge="{escape(name)}"' if name else ""
    head = "way" if dashed else "head"
    return f'<path d="{path}" fill="none" stroke="{fill}" stroke-width="1.6" marker-end="url(#{head})"{more}/>'


def group(resources: tuple[str, ...], content: str) -> str:
    """What stands for resources of the templates."""
    return f'<g data-resource="{escape(" ".join(resources))}">{content}</g>\n'


def marker(name: str, fill: str) -> str:
    """An arrow's head."""
    return (
        f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0.5L10 5L0 9.5z" fill="{fill}"/></marker>'
    )
