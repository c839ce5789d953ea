"""`trestle-aws audit`, `seed`, `import`, `admin`: trestle-api's own commands, run on an instance of the API with its
environment.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trestle_aws import fleet, instance, releases
from trestle_aws.arguments import Commands, command
from trestle_aws.context import Context
from trestle_aws.errors import UsageError
from trestle_aws.progress import show

# Seconds, by command: an audit waits 90 s for payments and then reads all orders; a seed of 100,000 products takes its
# time.
WORDS = {"audit": 600, "seed": 1800, "import": 1800, "admin": 60}
SUMMARIES = {
    "audit": "Check that stock, orders, payments, coupons and ratings add up",
    "seed": "Fill the shop with products, customers and orders",
    "import": "Import products from a CSV file in the Shopify product format",
    "admin": "Say who may use the backoffice",
}
EXAMPLES = {
    "audit": "trestle-aws audit --settled       waits first until no payment is under way",
    "seed": "trestle-aws seed --products 1000",
    "import": "trestle-aws import products.csv    the file goes through the release bucket",
    "admin": "trestle-aws admin grant ada@example.com\ntrestle-aws admin list",
}


def add(commands: Commands) -> None:
    """The words of all four; what follows the word is trestle-api's."""
    for word, summary in SUMMARIES.items():
        command(
            commands, word, run, summary, EXAMPLES[word], description=f"`trestle-api {word} --help` has the options."
        )


def run(context: Context, args: argparse.Namespace) -> int:
    """Runs it there; the output and the exit code are its own."""
    member = fleet.instance_for_commands(fleet.look(context))
    words = list(args.passed)
    if args.word == "import":
        return _import(context, member.id, words)
    return _there(context, member.id, instance.api([args.word, *words]), WORDS[args.word])


def _import(context: Context, id_: str, words: list[str]) -> int:
    files = [word for word in words if not word.startswith("-") and Path(word).is_file()]
    if len(files) != 1:
        raise UsageError("import: name one CSV file that is there")
    with releases.lent(context, Path(files[0])) as url:
        there = instance.fetched(url, instance.api(["import", *words]), files[0])
        return _there(context, id_, there, WORDS["import"])


def _there(context: Context, id_: str, words: list[str], within: int) -> int:
    ran = context.remote.run(id_, words, within=within)
    if ran.output:
        show(ran.output.rstrip("\n"))
    if ran.errors:
        print(ran.errors.rstrip("\n"), file=sys.stderr)
    return ran.code
