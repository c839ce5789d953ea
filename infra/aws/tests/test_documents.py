"""The documents: what is generated is up to date, commands and parameters exist, links and tests that are named are there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import botocore.session
import engine.checks
import pytest
from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from engine.checks.registry import CHECKS
from engine.environment import ROOT

from trestle_aws import arguments, cli, documents, presets
from trestle_aws.planning import EXAMPLE_RELEASE, Design, with_added

REPOSITORY = ROOT.parent.parent
OWN = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
ALL = [*OWN, REPOSITORY / "README.md", REPOSITORY / "ARCHITECTURE.md", REPOSITORY / "infra/README.md"]
COMMAND = re.compile(r"^\s*(?:infra/aws/)?trestle-aws (.*)")
# What the AWS CLI has beyond the services' own operations.
CUSTOM = {
    ("cloudformation", "deploy"): {"stack-name", "template-file", "parameter-overrides", "tags", "capabilities"},
    ("logs", "tail"): {"follow", "since", "format"},
}
GLOBAL = {"query", "output", "region", "profile", "no-cli-pager"}
PAGING = {"max-items", "page-size"}
names = pytest.mark.parametrize("page", ALL, ids=lambda page: str(page.relative_to(REPOSITORY)))


def blocks(page: Path) -> Iterator[str]:
    """The lines of its shell blocks, and its commands within the text, without comments."""
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from (re.split(r"(?:^|\s)#\s", line)[0] for line in block.splitlines())
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    yield from re.findall(r"`((?:trestle-aws|aws|make) [^`]+)`", prose)


def words(line: str) -> list[str]:
    """A command's words: what the shell would do with variables and pipes is left out."""
    line = re.split(r"\s(?:\||>|&&)\s?|>\w", line)[0]
    return shlex.split(re.sub(r"\$\([^)]*\)", "VALUE", line).replace('"$1"', "VALUE"))


def own_commands(page: Path) -> Iterator[list[str]]:
    """The command lines of trestle-aws, also the second of two."""
    for line in blocks(page):
        for part in line.split(" && "):
            if COMMAND.match(part):
                yield words(part)[1:]


@cache
def model(service: str) -> dict[str, set[str]]:
    """The options of each operation of a service, as the AWS CLI names them."""
    known = botocore.session.get_session().get_service_model(service)
    found = {}
    for operation in known.operation_names:
        shape = known.operation_model(operation).input_shape
        members = shape.members if shape else {}
        found[xform_name(operation, "-")] = {xform_name(name, "-") for name in members}
    return found


def wrong_in(line: list[str]) -> str:
    """What the AWS CLI would refuse of `aws SERVICE OPERATION --option ...`; "" if nothing."""
    service, operation = line[1], line[2]
    options = {word[2:] for word in line[3:] if word.startswith("--")}
    if (service, operation) in CUSTOM:
        known = CUSTOM[service, operation]
    else:
        try:
            operations = model(service)
        except UnknownServiceError:
            return f"there is no service {service}"
        if operation not in operations:
            return f"{service} has no operation {operation}"
        known = operations[operation] | PAGING
        known |= {f"no-{name}" for name in known} | {name.removesuffix("-location") for name in known}
    unknown = options - known - GLOBAL
    # copy-snapshot and the like: the region that it comes from is the CLI's own.
    unknown -= {"source-region"} if service == "rds" else set()
    return f"{service} {operation} has no option {', '.join(sorted(unknown))}" if unknown else ""


def test_what_is_generated_is_up_to_date() -> None:
    stale = [str(path) for path, text in documents.generated().items() if path.read_text(encoding="utf-8") != text]
    assert not stale, "templates, presets or prices are newer: infra/aws/tools/generate writes these anew"


def test_the_price_of_demo_is_the_same_everywhere() -> None:
    said = re.findall(r"about (\d+) USD", (REPOSITORY / "README.md").read_text(encoding="utf-8"))
    assert said == [f"{documents.month('demo'):.0f}"]
    cents = re.findall(r"an hour of `demo` is about (\d+) cents", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert cents == [f"{documents.month('demo') / 730 * 100:.0f}"]


@names
def test_its_commands_are_commands(page: Path) -> None:
    for line in own_commands(page):
        _, rest = arguments.take_global(line)
        cli._parsed(rest)


@names
def test_what_it_sets_can_be_set(page: Path) -> None:
    for line in own_commands(page):
        where, rest = arguments.take_global(line)
        args = cli._parsed(rest)
        if args.word not in ("plan", "deploy"):
            continue
        preset = with_added(presets.read(args.preset), args.added)
        settings = presets.Settings.parse(args.settings)
        Design.make(where.place, preset, settings, EXAMPLE_RELEASE, presets.ROOT).evaluate()


@names
def test_its_calls_of_the_aws_cli_exist(page: Path) -> None:
    for line in blocks(page):
        found = re.search(r"\baws [a-z].*", line)
        if found and "trestle-aws" not in line and not found[0].startswith(("aws configure", "aws ssm start-session")):
            assert not wrong_in(words(found[0])), line


@names
def test_make_knows_what_it_is_told(page: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for line in blocks(page):
        for target in re.findall(r"(?:^|&& )make ([a-z-]+)", line):
            assert target in targets, line


@names
def test_its_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#\s]*)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if link and "://" not in link:
            assert (page.parent / link).exists(), link
    for link, anchor in re.findall(r"\]\(([^)#\s]*)#([^)]+)\)", page.read_text(encoding="utf-8")):
        target = (page.parent / link) if link else page
        if target.suffix == ".md":
            assert anchor in anchors(target), f"{link}#{anchor}"


@cache
def anchors(page: Path) -> set[str]:
    """Its headings as GitHub names them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", OWN, ids=lambda page: page.name)
def test_the_tests_and_properties_that_it_names_are_there(page: Path) -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").glob("test_*.py"))
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`(test_\w+)`", text):
        assert f"def {name}(" in tests, name
    for file in re.findall(r"`(tests/[\w/.]+)`", text):
        assert (ROOT / file).exists(), file
    if page.name in ("design.md", "troubleshooting.md"):
        for name in re.findall(
            r'(?<![\w`])"([a-z][^"\n]{15,})"', text.replace("\n", " ") if page.name == "design.md" else text
        ):
            assert name in CHECKS, name


def test_stacks_and_logs_have_the_names_that_are_told() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in OWN)
    for key in re.findall(r"trestle-shop-([a-z]+)\b", text):
        assert key in (*presets.ORDER, "errors"), key
    for export in re.findall(r"export_of (\w+)", text):
        assert any(f"}}-{export}" in path.read_text(encoding="utf-8") for path in (ROOT / "stacks").glob("*.yml")), (
            export
        )
    for group in re.findall(r"/trestle/shop/([a-z]+)[`\s]", text):
        assert group in ("web", "api", "job", "system", "flow"), group


def test_a_command_that_does_not_exist_is_noticed() -> None:
    assert "no operation" in wrong_in(["aws", "elbv2", "describe-target-healths"])
    assert "no option" in wrong_in(["aws", "elbv2", "describe-target-health", "--target-group", "x"])
    assert "no service" in wrong_in(["aws", "elb3", "describe-target-health"])
    assert not wrong_in(["aws", "elbv2", "describe-target-health", "--target-group-arn", "x", "--query", "y"])
