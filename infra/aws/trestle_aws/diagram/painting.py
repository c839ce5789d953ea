"""Draws what `layout` has put into its place."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from trestle_aws.diagram import svg
from trestle_aws.diagram.layout import COLOURS, SERVICES, VPC_LEFT, WIDTH, Page
from trestle_aws.diagram.model import BROWSERS, CLOUDFRONT, NAMES, PICTURES, Cell, Edge, Scene, Thing
from trestle_aws.diagram.svg import Box


def draw(scene: Scene, title: str, description: str) -> str:
    """The whole picture."""
    page = Painting(scene)
    lines = _wrapped(description, 13, WIDTH - 40)
    height = page.height + 58
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {svg.number(height)}" width="{WIDTH}" height="{svg.number(height)}"'
        f' role="img" font-family="{svg.FACE}">\n',
        f"<title>{escape(title)}</title><desc>{escape(description)}</desc>\n",
        f"<defs>{svg.marker('head', svg.LINE)}{svg.marker('way', svg.FAINT)}</defs>\n",
        f'<rect width="{WIDTH}" height="{svg.number(height)}" rx="8" fill="#fff"/>\n',
        svg.text(20, 30, title, 18, bold=True) + "\n",
        *(svg.text(20, 50 + 17 * at, line, 13, fill=svg.FAINT) + "\n" for at, line in enumerate(lines)),
        *page.drawn(),
        *_legend(page.height + 14),
        "</svg>\n",
    ]
    return "".join(parts)


class Painting(Page):
    """A page with what is seen on it, from below."""

    def drawn(self) -> Iterator[str]:
        """Everything, what lies below first."""
        label = svg.text(VPC_LEFT + 14, self.vpc_top + 22, f"VPC {self.scene.block}", 13, bold=True)
        yield svg.group(
            (self.scene.vpc,), svg.rectangle(self.vpc, fill="#fbfcfd", line="#6b7c93", radius=10, thick=1.6) + label
        )
        for number, name in enumerate(self.scene.zones):
            left, right = self.zone(number)
            box = Box(left, self.zone_top, right - left, self.vpc.bottom - 8 - self.zone_top)
            label = svg.text(left + 10, box.bottom - 7, f"zone {name}", 11.5, bold=True, fill=svg.FAINT)
            yield svg.rectangle(box, fill="none", line="#9aa5b1", dashed=True) + label + "\n"
        for cell in self.scene.cells:
            yield self._drawn_cell(cell)
        yield self._drawn_services()
        yield from self._drawn_ways()
        yield from self._drawn_copies()
        edges = [self._drawn_edge(edge) for edge in self.scene.edges]
        yield from (line for line, _ in edges)
        for cell in self.scene.cells:
            yield self._label(cell)
        for thing in self.scene.things.values():
            yield (
                svg.group(thing.resources, self._drawn_thing(thing))
                if thing.resources
                else self._drawn_thing(thing) + "\n"
            )
        for box, resource, words in self.pills:
            pill = svg.rectangle(box, fill="#fff", line="#6b7c93", radius=11) + svg.text(
                box.middle, box.y + 15, words, 11, anchor="middle"
            )
            yield svg.group((resource,), pill)
        yield from (label for _, label in edges)

    def _drawn_cell(self, cell: Cell) -> str:
        fill, line = COLOURS[cell.tier]
        return svg.group((cell.name,), svg.rectangle(self.cells[cell.name], fill=fill, line=line, radius=4))

    def _label(self, cell: Cell) -> str:
        box = self.cells[cell.name]
        empty = not any(thing.tier == cell.tier and cell.zone in thing.zones for thing in self.scene.things.values())
        words = f"{cell.tier} subnet {cell.block}{', empty' if empty else ''}"
        y = box.bottom - 8 if cell.tier == "data" else box.y + 17
        return svg.text(box.x + 8, y, words, 11, fill=svg.FAINT, halo=COLOURS[cell.tier][0]) + "\n"

    def _drawn_services(self) -> str:
        # S3 is its first line; an endpoint leads there.
        top = self.pills[1][0].y - 29 if len(self.pills) > 1 else self.zone_top
        box = Box(SERVICES, top, WIDTH - 16 - SERVICES, 34 + 21 * len(self.scene.services))
        self.boxes["services"] = box
        drawn = svg.rectangle(box, fill="#f7f7fb", line="#9a94b8") + svg.text(
            box.x + 12, top + 21, "in the region", 12, bold=True
        )
        for at, (words, resources) in enumerate(self.scene.services):
            drawn += "\n" + svg.group(resources, svg.text(box.x + 12, top + 44 + 21 * at, words, 12)).rstrip()
        return drawn + "\n"

    def _drawn_ways(self) -> Iterator[str]:
        """From subnets to their NAT, and to endpoints."""
        for cell in self.scene.cells:
            if not cell.way_out:
                continue
            box, nat = self.cells[cell.name], self.boxes[cell.way_out]
            if nat.x < box.right and box.x < nat.right:
                yield svg.arrow(
                    [(nat.x + 30, box.y), (nat.x + 30, nat.bottom)],
                    dashed=True,
                    fill=svg.FAINT,
                    name=f"{cell.name} -> {cell.way_out}",
                )
            else:
                x, y = box.x + 60, nat.y + nat.height / 2
                yield svg.arrow(
                    [(x, box.y), (x, y), (nat.right, y)],
                    dashed=True,
                    fill=svg.FAINT,
                    name=f"{cell.name} -> {cell.way_out}",
                )
        last = [cell for cell in self.scene.cells if cell.tier == "app"][-1]
        for box, resource, _ in self.pills[1:]:
            y = box.y + 11
            yield svg.arrow(
                [(self.cells[last.name].right, y), (SERVICES, y)],
                dashed=True,
                fill=svg.FAINT,
                name=f"app subnets -> {resource}",
            )

    def _drawn_copies(self) -> Iterator[str]:
        for thing in self.scene.things.values():
            if thing.kind in ("standby", "replica"):
                source, target = self.boxes[thing.name.split()[0]], self.boxes[thing.name]
                y = source.bottom + (18 if thing.kind == "standby" else 8)
                points = [
                    (source.middle, source.bottom),
                    (source.middle, y),
                    (target.middle, y),
                    (target.middle, target.bottom),
                ]
                yield svg.arrow(points, dashed=True, fill="#a06a1c") + "\n"

    def _drawn_edge(self, edge: Edge) -> tuple[str, str]:
        """The line and its label."""
        source, target = self.boxes[edge.source], self.boxes[edge.target]
        points, label = self._way(edge, source, target)
        words = svg.text(*label, edge.ports, 11.5, bold=True, fill=svg.LINE, halo="#fff")
        return svg.arrow(points, name=f"{edge.source} -> {edge.target} {edge.ports}") + "\n", words + "\n"

    def _way(self, edge: Edge, source: Box, target: Box) -> tuple[list[tuple[float, float]], tuple[float, float]]:
        if edge.target in (NAMES, CLOUDFRONT, PICTURES):
            y = source.y + (
                18 if edge.target == PICTURES and edge.source == BROWSERS and CLOUDFRONT in self.boxes else 27
            )
            start, end = (source.x, target.right) if target.x < source.x else (source.right, target.x)
            return [(start, y), (end, y)], (min(start, end) + 14, y - 6)
        low, high = source.overlap(target)
        kinds = self.scene.things[edge.source].kind, self.scene.things[edge.target].kind
        if edge.source in (BROWSERS, CLOUDFRONT):
            x = source.middle
            if target.x < x < target.right:
                return [(x, source.bottom), (x, target.y)], (x + 7, self.vpc_top - 20)
            y = self.zone_top - 14
            return [(x, source.bottom), (x, y), (target.middle, y), (target.middle, target.y)], (
                target.middle + 7,
                y + 12,
            )
        # Above the subnet that it leads into, where no subnet has its label; halfway where there is little room.
        row = max([box.y for box in self.cells.values() if box.y <= target.y])
        label = (source.bottom + target.y) / 2 + 4 if target.y - source.bottom < 60 else row - 7
        if kinds == ("alb", "group") and self._between(source, target):
            x = high - 26
            return [(x, source.bottom), (x, target.y)], (x - 8 - svg.width_of(edge.ports, 11.5, bold=True), label)
        if low < self.gutter(0) < high:
            x = self.gutter(0)
        elif low < high:
            x = (low + high) / 2
        else:
            # Into another zone, through the row between, joining what comes from that zone itself.
            entry = self._entry(edge, target)
            place = [one for one in self.scene.edges if one.source == edge.source].index(edge)
            between = min(box.y for box in self.cells.values() if box.y > source.bottom)
            x, turn = source.x + 40 + 60 * place, between + 28 + 14 * place
            return [(x, source.bottom), (x, turn), (entry, turn), (entry, target.y)], (entry + 7, label)
        return [(x, source.bottom), (x, target.y)], (x + 7, label)

    def _between(self, source: Box, target: Box) -> bool:
        """Is a group between the two?"""
        return any(
            source.bottom < self.boxes[thing.name].y and self.boxes[thing.name].bottom < target.y
            for thing in self.scene.things.values()
            if thing.kind == "group"
        )

    def _entry(self, edge: Edge, target: Box) -> float:
        """Where the connections of others come in."""
        for other in self.scene.edges:
            low, high = self.boxes[other.source].overlap(target)
            if (
                other.target == edge.target
                and self.scene.things[other.source].kind == self.scene.things[edge.source].kind
                and low < high
            ):
                return (low + high) / 2
        return target.middle

    def _drawn_thing(self, thing: Thing) -> str:
        box = self.boxes[thing.name]
        line = COLOURS[thing.tier][1] if thing.tier else "#6b7c93"
        if thing.kind in ("database", "standby", "cache", "replica"):
            copy = thing.kind in ("standby", "replica")
            lines = [svg.text(box.middle, box.y + 30, thing.title, 12, bold=True, anchor="middle")]
            lines += [
                svg.text(box.middle, box.y + 45 + 13 * at, note, 11, fill=svg.FAINT, anchor="middle")
                for at, note in enumerate(thing.notes)
            ]
            return svg.drum(box, fill="#fff", line=line, dashed=copy) + "".join(lines)
        if thing.kind in ("group", "alb", "nlb"):
            return self._drawn_bar(thing, box, line)
        lines = [
            svg.text(
                box.middle,
                box.y + (box.height - 16 * len(thing.notes)) / 2 + 4,
                thing.title,
                12,
                bold=True,
                anchor="middle",
            )
        ]
        lines += [
            svg.text(
                box.middle,
                box.y + (box.height - 16 * len(thing.notes)) / 2 + 20 + 15 * at,
                note,
                11,
                fill=svg.FAINT,
                anchor="middle",
            )
            for at, note in enumerate(thing.notes)
        ]
        return svg.rectangle(box, fill="#fff", line=line, dashed=thing.kind == "job") + "".join(lines)

    def _drawn_bar(self, thing: Thing, box: Box, line: str) -> str:
        """Title and notes in a line; below it a group's instances: the fewest, and dashed what may come."""
        drawn = svg.rectangle(box, fill="#fff", line=line)
        drawn += svg.text(box.x + 12, box.y + 22, thing.title, 13, bold=True, after="; ".join(thing.notes))
        for place, zone in enumerate(thing.zones):
            left, right = self.zone(zone)
            left, right = max(left, box.x), min(right, box.right)
            numbers = range(place, thing.most, len(thing.zones))
            x = (left + right) / 2 - 11 * len(numbers)
            for at, number in enumerate(numbers):
                icon = Box(x + 22 * at + 3, box.y + 34, 16, 18)
                there = number < thing.least
                drawn += svg.rectangle(
                    icon,
                    fill=COLOURS[thing.tier][0] if there else "#fff",
                    line=svg.LINE if there else "#9aa5b1",
                    radius=2,
                    dashed=not there,
                )
        return drawn


def _wrapped(words: str, size: float, width: float) -> list[str]:
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if svg.width_of(longer, size) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _legend(y: float) -> Iterator[str]:
    yield (
        svg.arrow([(20, y + 8), (52, y + 8)])
        + svg.text(
            60,
            y + 12,
            "security groups let this through: TCP ports (8000 API, 9000 its health, 3306 MySQL, 6379 Redis)",
            11.5,
            fill=svg.FAINT,
        )
        + "\n"
    )
    yield (
        svg.arrow([(620, y + 8), (652, y + 8)], dashed=True, fill=svg.FAINT)
        + svg.text(660, y + 12, "route, or copy of data", 11.5, fill=svg.FAINT)
        + "\n"
    )
    yield (
        svg.text(
            20, y + 32, "Drawn from the CloudFormation templates by infra/aws/tools/generate.", 11.5, fill=svg.FAINT
        )
        + "\n"
    )
