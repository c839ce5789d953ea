"""Draws the product pictures that go into the pictures' bucket: 24 still lifes, product-pictures/00.svg to 23.svg.

`trestle-api seed --pictures URL` gives a product the picture URL/NN.svg with NN = id modulo 24. A picture is made of its number and
nothing else, so what is drawn again is the same byte for byte.

    python3 -m trestle_aws.pictures FOLDER
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from botocore.client import BaseClient

COUNT = 24
PREFIX = "product-pictures"
"""Where the pictures lie in the bucket, and below CloudFront's name."""
CONTENT_TYPE = "image/svg+xml"
CACHE_CONTROL = "public, max-age=86400"
"""A day: the names stay the same when the drawings change."""

SIZE = 400
TABLE = 300
"""Height at which things stand."""

# Wall, table, and what stands there: light colours on light ones, so that 24 of them beside each other are one shop.
PALETTES = (
    ("#f3e9dc", "#d9c3a5", ("#5e7d6a", "#c8553d", "#f2b880", "#2f4858", "#e8d5b7")),
    ("#e6ecec", "#b9c8c6", ("#335c67", "#e09f3e", "#9e2a2b", "#fff3b0", "#7d9d9c")),
    ("#f6efe7", "#e2cfc0", ("#8d6a9f", "#c5cbd3", "#dda77b", "#945d5e", "#5a5353")),
    ("#eaf1e4", "#c3d3b3", ("#386641", "#bc4749", "#f2e8cf", "#6a994e", "#a7754d")),
    ("#f0ebf4", "#d3c6de", ("#5b4b8a", "#f4a259", "#8cb369", "#bc4b51", "#f4e285")),
    ("#fbf1e9", "#ecd2bd", ("#264653", "#2a9d8f", "#e9c46a", "#e76f51", "#f4a261")),
)

Draw = Callable[[Random, float, str, str], str]


def shade(colour: str, part: float) -> str:
    """The colour, darker (below 1) or lighter."""
    channels = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{max(0, min(255, round(channel * part))):02x}" for channel in channels)


def path(fill: str, commands: str, more: str = "") -> str:
    """A filled shape."""
    return f'<path fill="{fill}" d="{commands}"{more}/>'


def shadow(x: float, width: float) -> str:
    """What a thing throws onto the table."""
    return f'<ellipse cx="{x + width * 0.18:.0f}" cy="{TABLE + 3}" rx="{width * 0.62:.0f}" ry="7" fill="#000" opacity=".12"/>'


def vase(random: Random, x: float, colour: str, other: str) -> str:
    """A vase with branches or blossoms."""
    height, belly = random.randint(110, 150), random.randint(34, 46)
    top = TABLE - height
    low, wide = top + height * 0.62, top + height * 0.34
    body = (
        f"M{x - 14:.0f} {top}h28C{x + 12:.0f} {wide:.0f} {x + belly:.0f} {wide:.0f} {x + belly:.0f} {low:.0f}"
        f"C{x + belly:.0f} {top + height * 0.9:.0f} {x + belly * 0.6:.0f} {TABLE} {x + belly * 0.5:.0f} {TABLE}H{x - belly * 0.5:.0f}"
        f"C{x - belly * 0.6:.0f} {TABLE} {x - belly:.0f} {top + height * 0.9:.0f} {x - belly:.0f} {low:.0f}"
        f"C{x - belly:.0f} {wide:.0f} {x - 12:.0f} {wide:.0f} {x - 14:.0f} {top}z"
    )
    stems = []
    for lean in (-46, -14, 20, 52)[: random.randint(2, 4)]:
        tip_x, tip_y = x + lean, top - random.randint(56, 96)
        stems.append(
            f'<path d="M{x:.0f} {top + 8}Q{x + lean * 0.2:.0f} {top - 40} {tip_x:.0f} {tip_y}" fill="none" stroke="{shade(other, 0.75)}"'
            f' stroke-width="3"/><circle cx="{tip_x:.0f}" cy="{tip_y}" r="{random.randint(9, 15)}" fill="{other}"/>'
        )
    light = f'<ellipse cx="{x - belly * 0.52:.0f}" cy="{low:.0f}" rx="4" ry="{height * 0.14:.0f}" fill="#fff" opacity=".45"/>'
    return shadow(x, belly) + "".join(stems) + path(colour, body) + light


def bowl(random: Random, x: float, colour: str, other: str) -> str:
    """A bowl with fruit."""
    width, height = random.randint(56, 70), random.randint(44, 56)
    top = TABLE - height
    fruit = "".join(
        f'<circle cx="{x + at:.0f}" cy="{top - lift}" r="18" fill="{shade(other, tone)}"/>'
        for at, lift, tone in ((-26, 2, 1.0), (22, 4, 0.9), (-2, 14, 1.08))
    )
    body = f"M{x - width:.0f} {top}h{2 * width}c0 {height * 0.7:.0f}-{width * 0.5:.0f} {height}-{width} {height}s-{width}-{height * 0.3:.0f}-{width}-{height}z"
    band = path(shade(colour, 0.86), f"M{x - width:.0f} {top}h{2 * width}q-1 9-4 16H{x - width + 4:.0f}q-3-7-4-16z")
    return shadow(x, width) + fruit + path(colour, body) + band


def bottle(random: Random, x: float, colour: str, other: str) -> str:
    """A bottle with a label."""
    height, half = random.randint(150, 185), random.randint(22, 28)
    top = TABLE - height
    body = (
        f"M{x - 9:.0f} {top}h18v{height * 0.28:.0f}q{half - 9} 12 {half - 9} 36V{TABLE - 8}q0 8-8 8H{x - half + 8:.0f}q-8 0-8-8"
        f"V{top + height * 0.28 + 36:.0f}q0-24 {half - 9}-36z"
    )
    label = f'<rect x="{x - half:.0f}" y="{TABLE - 78}" width="{2 * half}" height="46" fill="{shade(other, 1.1)}"/>'
    rule = f'<path d="M{x - half + 9:.0f} {TABLE - 62}h{2 * half - 18}m0 12h-{2 * half - 18}" stroke="{shade(colour, 0.7)}" stroke-width="3"/>'
    return (
        shadow(x, half)
        + path(colour, body)
        + f'<rect x="{x - 11:.0f}" y="{top - 8}" width="22" height="16" rx="3" fill="{shade(other, 0.7)}"/>'
        + label
        + rule
    )


def parcel(random: Random, x: float, colour: str, other: str) -> str:
    """A box with a ribbon."""
    width, height = random.randint(88, 112), random.randint(70, 96)
    left, top = x - width / 2, TABLE - height
    lid = f'<rect x="{left - 5:.0f}" y="{top - 4:.0f}" width="{width + 10}" height="20" rx="2" fill="{shade(colour, 1.12)}"/>'
    ribbon = f'<rect x="{x - 9:.0f}" y="{top - 4:.0f}" width="18" height="{height + 4}" fill="{other}"/>'
    bow = path(shade(other, 0.88), f"M{x:.0f} {top - 4:.0f}c-34-34-52-6-30 2zM{x:.0f} {top - 4:.0f}c34-34 52-6 30 2z")
    return (
        shadow(x, width / 2)
        + f'<rect x="{left:.0f}" y="{top:.0f}" width="{width}" height="{height}" fill="{colour}"/>'
        + lid
        + ribbon
        + bow
    )


def cup(random: Random, x: float, colour: str, other: str) -> str:
    """A cup with steam."""
    width, height = random.randint(34, 42), random.randint(58, 70)
    top = TABLE - height
    handle = f'<circle cx="{x + width:.0f}" cy="{top + height * 0.42:.0f}" r="17" fill="none" stroke="{colour}" stroke-width="9"/>'
    body = f"M{x - width:.0f} {top}h{2 * width}v{height * 0.55:.0f}q0 {height * 0.45:.0f}-{width * 0.6:.0f} {height * 0.45:.0f}H{x - width * 0.4:.0f}q-{width * 0.6:.0f} 0-{width * 0.6:.0f}-{height * 0.45:.0f}z"
    stripe = path(other, f"M{x - width:.0f} {top + 14}h{2 * width}v12H{x - width:.0f}z")
    steam = "".join(
        f'<path d="M{x + at:.0f} {top - 8}q-9-13 0-24t0-24" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" opacity=".8"/>'
        for at in (-12, 10)
    )
    return shadow(x, width) + handle + path(colour, body) + stripe + steam


def lamp(random: Random, x: float, colour: str, other: str) -> str:
    """A lamp, lit."""
    height, half = random.randint(150, 180), random.randint(40, 50)
    top = TABLE - height
    glow = f'<circle cx="{x:.0f}" cy="{top + 40}" r="{half * 2}" fill="#fff" opacity=".28"/>'
    stand = f'<path d="M{x:.0f} {TABLE - 4}V{top + 56}" stroke="{shade(other, 0.7)}" stroke-width="8"/>' + path(
        shade(other, 0.7), f"M{x - 32:.0f} {TABLE}q0-14 32-14t32 14z"
    )
    return (
        shadow(x, 34)
        + glow
        + stand
        + path(colour, f"M{x - half * 0.5:.0f} {top}h{half:.0f}l{half * 0.5:.0f} 62h-{2 * half:.0f}z")
    )


def books(random: Random, x: float, colour: str, other: str) -> str:
    """Books upon each other, a fruit on top."""
    drawn, top = [shadow(x, 62)], TABLE
    for tone in (colour, other, shade(colour, 0.82))[: random.randint(2, 3)]:
        width, height, left = random.randint(96, 124), random.randint(20, 26), x - 58 + random.randint(-6, 8)
        top -= height
        drawn.append(
            f'<rect x="{left:.0f}" y="{top}" width="{width}" height="{height}" rx="3" fill="{tone}"/>'
            f'<path d="M{left + 12:.0f} {top}v{height}m8 0v-{height}" stroke="#fff" stroke-width="2" opacity=".55"/>'
        )
    fruit = f'<circle cx="{x:.0f}" cy="{top - 17}" r="18" fill="{shade(other, 1.1)}"/>'
    leaf = path(shade(colour, 0.7), f"M{x:.0f} {top - 34}q4-16 20-16q-2 15-20 16z")
    return "".join(drawn) + fruit + leaf


def plant(random: Random, x: float, colour: str, other: str) -> str:
    """A plant in a pot."""
    pot = f"M{x - 36:.0f} {TABLE - 62}h72l-9 62h-54z"
    rim = f'<rect x="{x - 41:.0f}" y="{TABLE - 74}" width="82" height="16" rx="3" fill="{shade(colour, 1.1)}"/>'
    leaves = []
    for lean in (-62, -34, 0, 36, 60):
        height = random.randint(74, 124) - abs(lean) * 0.4
        tip_x, tip_y = x + lean, TABLE - 74 - height
        leaves.append(
            path(
                shade(other, random.choice((0.8, 0.9, 1.0))),
                f"M{x:.0f} {TABLE - 72}Q{x + lean * 0.9 - 20:.0f} {TABLE - 74 - height * 0.5:.0f} {tip_x:.0f} {tip_y:.0f}"
                f"Q{x + lean * 0.5 + 22:.0f} {TABLE - 74 - height * 0.5:.0f} {x:.0f} {TABLE - 72}z",
            )
        )
    return shadow(x, 40) + "".join(leaves) + path(colour, pot) + rim


THINGS: tuple[Draw, ...] = (vase, bowl, bottle, parcel, cup, lamp, books, plant)


def picture(number: int) -> str:
    """The SVG of a number: a wall with a window's light or an arch, a table, and two or three things on it."""
    random = Random(f"trestle picture {number}")
    wall, table, colours = PALETTES[number % len(PALETTES)]
    # Eight things on six palettes: each is the first one in three pictures, each time in other colours.
    first = THINGS[number % len(THINGS)]
    others = random.sample([thing for thing in THINGS if thing is not first], 2)
    placed = list(zip((random.choice((118, 128)), 212, 308), [others[0], first, others[1]], strict=True))
    if number % 3 == 0:
        placed = [(138, others[0]), (264, first)]
    tones = random.sample(colours, len(colours))
    things = [draw(random, x, tones[at], tones[at + 1]) for at, (x, draw) in enumerate(placed)]
    names = ", ".join(draw.__name__ for _, draw in placed)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" width="{SIZE}" height="{SIZE}" role="img">'
        f"<title>Still life {number + 1}: {names}</title>"
        f'<rect width="{SIZE}" height="{SIZE}" fill="{wall}"/>{_behind(random, tones[-1], wall)}'
        f'<rect y="{TABLE - 4}" width="{SIZE}" height="{SIZE - TABLE + 4}" fill="{table}"/>'
        f'<rect y="{TABLE - 4}" width="{SIZE}" height="3" fill="{shade(table, 0.9)}"/>' + "".join(things) + "</svg>\n"
    )


def _behind(random: Random, colour: str, wall: str) -> str:
    """On the wall: a sun, an arch, or a window's light."""
    tone = shade(colour, 1.25)
    kind = random.randrange(3)
    if kind == 0:
        return f'<circle cx="{random.randint(110, 290)}" cy="{random.randint(110, 150)}" r="{random.randint(70, 96)}" fill="{tone}" opacity=".4"/>'
    if kind == 1:
        left, width = random.randint(60, 140), random.randint(150, 200)
        return path(
            tone,
            f"M{left} {TABLE}V{90 + width // 2}a{width // 2} {width // 2} 0 0 1 {width} 0V{TABLE}z",
            ' opacity=".35"',
        )
    left = random.randint(40, 200)
    light = shade(wall, 1.06)
    return "".join(
        path(light, f"M{left + at} 40h64l-26 96h-64z") + path(light, f"M{left + at - 29} 146h64l-26 96h-64z")
        for at in (40, 120)
    )


def pictures() -> Iterator[tuple[str, bytes]]:
    """Each as (NN.svg, its bytes)."""
    for number in range(COUNT):
        yield f"{number:02}.svg", picture(number).encode()


def upload(s3: BaseClient, bucket: str) -> int:
    """Puts those into the bucket that are not there as they are; says how many."""
    there = {
        one["Key"]: one["ETag"].strip('"')
        for one in s3.list_objects_v2(Bucket=bucket, Prefix=f"{PREFIX}/").get("Contents", [])
    }
    new = 0
    for name, content in pictures():
        key = f"{PREFIX}/{name}"
        # With S3's own key (AES256) an object's ETag is the MD5 of its bytes.
        if there.get(key) != hashlib.md5(content, usedforsecurity=False).hexdigest():
            s3.put_object(Bucket=bucket, Key=key, Body=content, ContentType=CONTENT_TYPE, CacheControl=CACHE_CONTROL)
            new += 1
    return new


def main(folder: str) -> None:
    """Writes all into a folder."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for name, content in pictures():
        (target / name).write_bytes(content)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python3 -m trestle_aws.pictures FOLDER")
    main(sys.argv[1])
