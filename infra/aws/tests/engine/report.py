"""`make mutate-aws`: all mutations, the table of them in tests/mutations.md, and what survived with the reason why that is right."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import yaml

from engine import drawn
from engine.harmless import HARMLESS
from engine.mutate import Mutation, caught
from engine.named import NAMED

TESTS = Path(__file__).resolve().parent.parent
TABLE = TESTS / "mutations.md"
REASONS = TESTS / "survivors.yml"
LEAST = 0.9

HEAD = """# Mutations

Written by `make mutate-aws`. Templates are changed on purpose, and the properties in `engine/checks` are asked in every preset and
option whether they notice. What counts is a property, never a comparison with a copy.

`make test-aws` repeats the named mistakes and the harmless changes; the draw is repeated by `make mutate-aws`.
"""


def main() -> int:
    """Writes the table; 1 if a named one or too many of the drawn ones survived, or one without a reason."""
    begin = time.monotonic()
    sites = drawn.draw()
    everything = [*NAMED, *HARMLESS, *(drawn.mutation(site) for site in sites)]
    with ProcessPoolExecutor(max_workers=2) as pool:
        found = list(pool.map(_asked, range(len(everything)), chunksize=8))
    named, harmless, lot = (
        found[: len(NAMED)],
        found[len(NAMED) : len(NAMED) + len(HARMLESS)],
        found[len(NAMED) + len(HARMLESS) :],
    )
    reasons = yaml.safe_load(REASONS.read_text(encoding="utf-8")) or {}
    survivors = [site.key for site, seen in zip(sites, lot, strict=True) if not seen]
    wrong = [f"survived: {mutation.name}" for mutation, seen in zip(NAMED, named, strict=True) if not seen]
    wrong += [
        f"noticed, and harmless: {mutation.name}: {seen}"
        for mutation, seen in zip(HARMLESS, harmless, strict=True)
        if seen
    ]
    wrong += [f"survived without a reason in {REASONS.name}: {key}" for key in survivors if key not in reasons]
    share = 1 - len(survivors) / len(sites)
    if share < LEAST:
        wrong.append(f"only {share:.1%} of the drawn ones are noticed")
    TABLE.write_text(_table(named, harmless, list(zip(sites, lot, strict=True)), reasons), encoding="utf-8")
    print(
        f"{len(NAMED)} named mistakes, {sum(map(bool, named))} noticed; {len(HARMLESS)} harmless changes, {sum(map(bool, harmless))} noticed; "
        f"{len(sites)} drawn of {sum(1 for _ in drawn.sites())}, {share:.1%} noticed; {time.monotonic() - begin:.0f} s"
    )
    print("\n".join(wrong))
    return 1 if wrong else 0


def _asked(index: int) -> str:
    """By which property one of all is noticed; "" if by none. By number, since a mutation's function cannot be sent."""
    finding = caught(_everything()[index])
    return finding.property if finding else ""


_ALL: list[Mutation] = []


def _everything() -> list[Mutation]:
    if not _ALL:
        _ALL.extend([*NAMED, *HARMLESS, *(drawn.mutation(site) for site in drawn.draw())])
    return _ALL


def _table(named: list[str], harmless: list[str], lot: list[tuple[drawn.Site, str]], reasons: dict[str, str]) -> str:
    survivors = [site for site, seen in lot if not seen]
    lines = [HEAD, "## Named mistakes", "", "| stack | mistake | noticed by |", "|---|---|---|"]
    lines += [
        f"| {mutation.stack} | {mutation.name} | {seen or '**nothing**'} |"
        for mutation, seen in zip(NAMED, named, strict=True)
    ]
    lines += ["", "## Harmless changes, which nothing notices", "", "| stack | change |", "|---|---|"]
    lines += [
        f"| {mutation.stack} | {mutation.name}{' **noticed**' if seen else ''} |"
        for mutation, seen in zip(HARMLESS, harmless, strict=True)
    ]
    lines += ["", f"## Drawn by lot: {len(lot) - len(survivors)} of {len(lot)} noticed", ""]
    lines += [
        "Each place of each property with each operator that fits it, the first by a hash of seed and name; see `engine/drawn.py`.",
        "",
    ]
    lines += ["### Survivors, and why", "", "| mutation | reason |", "|---|---|"]
    lines += [f"| `{site.key}` | {reasons.get(site.key, '**none**')} |" for site in survivors]
    lines += ["", "### Noticed", "", "| mutation | noticed by |", "|---|---|"]
    lines += [f"| `{site.key}` | {seen} |" for site, seen in sorted(lot, key=lambda pair: pair[0].key) if seen]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
