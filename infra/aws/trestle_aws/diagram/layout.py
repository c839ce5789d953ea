"""Puts a scene on paper: zones are columns, tiers are rows, and load balancers and groups lie across the zones that they are in."""

from __future__ import annotations

from collections.abc import Iterator

from trestle_aws.diagram.model import BROWSERS, CLOUDFRONT, NAMES, PICTURES, Cell, Scene, Thing
from trestle_aws.diagram.svg import Box

WIDTH = 1000
VPC_LEFT, VPC_RIGHT, SERVICES = 16.0, 766.0, 826.0
ZONES_LEFT, ZONES_RIGHT, GUTTER = 30.0, 722.0, 12.0
TIERS = ("public", "app", "data")
COLOURS = {"public": ("#f0f7ee", "#8fb486"), "app": ("#edf3fb", "#8ba8cc"), "data": ("#fbf3e6", "#d0a768")}
LANE = 92.0
"""What a job or NAT takes at the left of its zone."""
BYPASS = 56.0
"""What is left free at the right of the web tier for connections that pass it by."""
ABOVE, HEAD, BELOW, GAP = 84.0, 26.0, 12.0, 34.0
"""From the top of the page to the first row; a subnet's label; below the last box of a subnet; between two boxes."""
COPY = 16.0
"""What lines between copies of data take below them."""
PAD = 9.0


class Page:
    """Where everything is."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.boxes: dict[str, Box] = {}
        self.cells: dict[str, Box] = {}
        self.pills: list[tuple[Box, str, str]] = []
        self._outside()
        self.vpc_top = ABOVE + 54 + 44
        self.zone_top = self.vpc_top + 36
        below = self.zone_top + 8
        for tier in TIERS:
            below = self._row(tier, below) + 10
        self.vpc = Box(VPC_LEFT, self.vpc_top, VPC_RIGHT - VPC_LEFT, below + 22 - self.vpc_top)
        self._pills()
        self.height = self.vpc.bottom

    # --- Places -------------------------------------------------------------------------------------------------------

    def _outside(self) -> None:
        # Between zones where there are three, so that their connections do not cross a subnet's label.
        browsers, cloudfront = (280.0, 600.0) if len(self.scene.zones) < 3 else (self.gutter(0), self.gutter(1))
        for name, middle, width in (
            (NAMES, 95.0, 130.0),
            (BROWSERS, browsers, 130.0),
            (CLOUDFRONT, cloudfront, 150.0),
            (PICTURES, 905.0, 158.0),
        ):
            if name in self.scene.things:
                self.boxes[name] = Box(middle - width / 2, ABOVE, width, 54)

    def zone(self, number: int) -> tuple[float, float]:
        """Left and right of a zone."""
        count = len(self.scene.zones)
        width = (ZONES_RIGHT - ZONES_LEFT - GUTTER * (count - 1)) / count
        left = ZONES_LEFT + number * (width + GUTTER)
        return left, left + width

    def gutter(self, number: int) -> float:
        """Halfway between a zone and the next."""
        return self.zone(number)[1] + GUTTER / 2

    def _row(self, tier: str, top: float) -> float:
        """Puts a tier's things into their subnets; says where the row ends."""
        things = [thing for thing in self.scene.things.values() if thing.tier == tier]
        # The label of data subnets is at the bottom, because connections come in from above.
        begin = end = top + (16 if tier == "data" and things else HEAD)
        for row in _rows(things):
            end += 0 if end == begin else GAP
            tallest = 0.0
            for thing in row:
                self.boxes[thing.name] = self._box(thing, row, end)
                tallest = max(tallest, self.boxes[thing.name].height)
            end += tallest
        copies = any(thing.kind in ("standby", "replica") for thing in things)
        end += BELOW + (COPY if copies else 0) + (14 if tier == "data" else 0) if things else 14.0 * self._passing(tier)
        for cell in self.scene.cells:
            if cell.tier == tier:
                left, right = self.zone(cell.zone)
                self.cells[cell.name] = Box(left + 4, top, right - left - 8, end - top)
        return end

    def _passing(self, tier: str) -> int:
        """How many lines an empty row has to leave room for: a label, and connections from one zone into another."""
        things = self.scene.things
        between = [
            edge
            for edge in self.scene.edges
            if things[edge.source].tier == "public" and things[edge.target].tier == "data"
        ]
        across = sum(things[edge.source].zones[0] != things[edge.target].zones[0] for edge in between)
        return across + 1 if tier == "app" and between else 0

    def _box(self, thing: Thing, row: list[Thing], top: float) -> Box:
        left, right = self.zone(thing.zones[0])[0] + PAD, self.zone(thing.zones[-1])[1] - PAD
        if thing.kind == "nat":
            return Box(left, top, 132, 44)
        if thing.kind == "job":
            return Box(left, top, LANE - 16, 62)
        if thing.kind in ("database", "standby", "cache", "replica"):
            half = (right - left - 12) / 2
            x = left if thing.kind in ("database", "standby") else left + half + 12
            return Box(x, top, half, 84)
        if thing.kind == "instance" or thing.kind == "group":
            if any(other.kind == "job" for other in row):
                left += LANE if thing.kind == "group" or thing.zones[0] == 0 else 0
            if self._passed_by(thing):
                right -= BYPASS
            return Box(left, top, right - left, 62)
        return Box(left, top, right - left, 36)

    def _passed_by(self, thing: Thing) -> bool:
        """Does a connection lead from the public subnets to a group below this one?"""
        groups = [one for one in self.scene.things.values() if one.kind == "group"]
        return (
            thing.kind == "group"
            and thing is groups[0]
            and any(
                self.scene.things[edge.source].kind == "alb" and edge.target == other.name
                for edge in self.scene.edges
                for other in groups[1:]
            )
        )

    def _pills(self) -> None:
        x = self.boxes[BROWSERS].middle
        inside = [
            edge.source
            for edge in self.scene.edges
            if edge.source in (BROWSERS, CLOUDFRONT) and self.scene.things[edge.target].tier
        ]
        if inside:
            x = self.boxes[inside[0]].middle
        self.pills.append((Box(x - 58, self.vpc_top - 11, 116, 22), self.scene.gateway, "internet gateway"))
        app = next(box for name, box in self.cells.items() if self._cell(name).tier == "app")
        for at, (resource, service) in enumerate(self.scene.endpoints):
            self.pills.append(
                (Box(VPC_RIGHT - 38, app.y + 24 + 34 * at, 78, 22), resource, f"{service.upper()} endpoint")
            )

    def _cell(self, name: str) -> Cell:
        return next(cell for cell in self.scene.cells if cell.name == name)


def _rows(things: list[Thing]) -> Iterator[list[Thing]]:
    """What stands beside each other, from above."""
    order = (("alb",), ("nat", "instance"), ("group", "nlb"), ("database", "cache", "standby", "replica"))
    job = [thing for thing in things if thing.kind == "job"]
    for kinds in order:
        found = [thing for thing in things if thing.kind in kinds]
        if kinds == ("group", "nlb"):
            # In the order of the way: web, then what leads to the API, then the API.
            groups = [thing for thing in found if thing.kind == "group"]
            rows = [
                *([groups[:1]] if groups else []),
                *[[one] for one in found if one.kind == "nlb"],
                *[[one] for one in groups[1:]],
            ]
            for row in rows:
                yield [*job, *row] if row is rows[-1] else row
        elif found:
            beside = job if any(thing.kind == "instance" for thing in found) else []
            yield [*beside, *found]
