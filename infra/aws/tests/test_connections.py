"""MySQL has connections for the most API instances there can be. Rules know no arithmetic: here their tables are compared with it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import ceil

import pytest
from engine.environment import STACKS, at, mapping

from trestle_aws import capacity, rules
from trestle_aws.errors import UsageError
from trestle_aws.rules import RuleError
from trestle_aws.template import Template

MOST = {"data": "ApiMaxInstances", "app": "ApiMax"}
"""What each of the two stacks calls the most API instances."""


def template(stack: str) -> Template:
    return Template.read(STACKS / f"{stack}.yml")


def allowed(stack: str, name: str) -> list[str]:
    """All values that a parameter may have."""
    values = template(stack).parameters[name]["AllowedValues"]
    assert isinstance(values, list)
    return [str(value) for value in values]


def table() -> dict[str, int]:
    """Connections by class of the database, as the data stack sets them."""
    classes = mapping(at(template("data").body, "Mappings/Classes"))  # type: ignore[arg-type]
    return {name: int(str(mapping(row)["MaxConnections"])) for name, row in classes.items()}


def combinations(stack: str) -> Iterator[tuple[str, int, int, int]]:
    """Class, pool, most instances, surplus: every combination that the parameters allow."""
    names = ("DatabaseClass", "PoolSize", MOST[stack], "RefreshSurplus")
    for class_, pool, most, surplus in product(*(allowed(stack, name) for name in names)):
        yield class_, int(pool), int(most), int(surplus)


def is_refused(stack: str, values: dict[str, str]) -> bool:
    """Whether a rule about connections refuses these values."""
    body = template_of[stack]
    defaults = {name: str(definition.get("Default", "")) for name, definition in body.parameters.items()}
    about = {name: rule for name, rule in mapping(body.body["Rules"]).items() if name.startswith("Fits")}  # type: ignore[arg-type]
    try:
        rules.check(about, defaults | values)
    except RuleError:
        return True
    return False


template_of = {stack: template(stack) for stack in MOST}


@pytest.mark.parametrize("stack", MOST)
def test_rules_refuse_exactly_what_does_not_fit(stack: str) -> None:
    connections = table()
    wrong = []
    for class_, pool, most, surplus in combinations(stack):
        values = {
            "DatabaseClass": class_,
            "PoolSize": str(pool),
            MOST[stack]: str(most),
            "RefreshSurplus": str(surplus),
        }
        fits = pool * (most + surplus) * 100 <= connections[class_] * 80
        if is_refused(stack, values) == fits:
            wrong.append(
                f"{class_}: {pool} x ({most} + {surplus}) of {connections[class_]} is {'refused' if fits else 'taken'}"
            )
    assert not wrong, "\n".join(wrong)


def test_both_stacks_and_the_command_know_the_same_values() -> None:
    assert allowed("data", "DatabaseClass") == allowed("app", "DatabaseClass") == list(table())
    assert allowed("data", "PoolSize") == allowed("app", "PoolSize") == allowed("instances", "PoolSize")
    assert allowed("data", "ApiMaxInstances") == allowed("app", "ApiMax")
    assert allowed("data", "RefreshSurplus") == allowed("app", "RefreshSurplus")


def test_alarms_know_the_same_table() -> None:
    rows = mapping(at(template("ops").body, "Mappings/Classes"))  # type: ignore[arg-type]
    assert {name: int(str(mapping(row)["MaxConnections"])) for name, row in rows.items()} == table()
    assert allowed("ops", "DatabaseClass") == list(table())


def test_scale_counts_as_the_rules_do() -> None:
    connections = table()
    for class_, pool, most, surplus in combinations("data"):
        fits = pool * (most + surplus) * 100 <= connections[class_] * 80
        try:
            capacity.check_connections(pool, most, surplus, connections[class_])
            assert fits, f"scale takes {pool} x ({most} + {surplus}) of {connections[class_]}"
        except UsageError:
            assert not fits, f"scale refuses {pool} x ({most} + {surplus}) of {connections[class_]}"


def test_no_class_has_more_connections_than_rds_would_give_it() -> None:
    """RDS's own formula counts the memory that is left for MySQL, less than the class has."""
    classes = mapping(at(template("data").body, "Mappings/Classes"))  # type: ignore[arg-type]
    for name, row in classes.items():
        formula = int(str(mapping(row)["MemoryGiB"])) * 2**30 / 12_582_880
        assert int(str(mapping(row)["MaxConnections"])) <= 0.9 * formula, name


def test_a_refresh_starts_no_more_than_the_surplus() -> None:
    """Auto scaling takes percent of the instances there are; whatever it rounds, they are not more than the rules count on."""
    percent = mapping(at(template("app").body, "Mappings/Surplus"))  # type: ignore[arg-type]
    assert list(percent) == allowed("app", "ApiMax")
    for most, row in percent.items():
        assert list(mapping(row)) == allowed("app", "RefreshSurplus")
        for surplus, value in mapping(row).items():
            # From 101 on it starts a new one before it ends an old one; AWS takes 200 at most.
            assert 100 < int(str(value)) <= 200
            for there in range(1, int(most) + 1):
                assert ceil(there * (int(str(value)) - 100) / 100) <= int(surplus), (most, surplus, there)


def test_a_refresh_uses_the_table() -> None:
    group = at(template("app").resources["ApiGroup"], "Properties/InstanceMaintenancePolicy")  # type: ignore[arg-type]
    assert at(group, "MinHealthyPercentage") == 100
    stack = template("app").evaluate(
        {
            "Environment": "test",
            "Release": "1",
            "ReleaseBucket": "bucket",
            "ReleaseSha256": "0" * 64,
            "ApiMax": "4",
            "RefreshSurplus": "2",
        }
    )
    assert at(stack.resources["ApiGroup"].properties, "InstanceMaintenancePolicy/MaxHealthyPercentage") == 150
