"""What a user may give to the templates: every parameter's constraint is exercised, and contradictions are refused."""

from __future__ import annotations

import pytest
from engine import inputs
from engine.environment import templates

from trestle_aws.template import ParameterError, RuleError

PARAMETERS = [(stack, name) for stack, template in templates().items() for name in template.parameters]


@pytest.mark.parametrize(("stack", "name"), PARAMETERS)
def test_a_parameter_refuses_what_it_cannot_use(stack: str, name: str) -> None:
    template = templates()[stack]
    definition = template.parameters[name]
    bad = inputs.BAD.get(name, []) + (["nonsense"] if "AllowedValues" in definition else [])
    assert bad, "tests/engine/inputs.py has no value that it should refuse"
    for value in bad:
        error = inputs.refusals(template, {name: value})
        assert isinstance(error, ParameterError) and error.name == name, f"{value!r}: {error}"


@pytest.mark.parametrize(("stack", "name"), PARAMETERS)
def test_a_parameter_says_in_words_what_it_wants(stack: str, name: str) -> None:
    definition = templates()[stack].parameters[name]
    if "AllowedPattern" in definition:
        assert definition.get("ConstraintDescription"), "a pattern alone tells nobody what to write"


@pytest.mark.parametrize(("stack", "values", "word"), inputs.CONTRADICTIONS)
def test_a_contradiction_is_refused(stack: str, values: dict[str, str], word: str) -> None:
    error = inputs.refusals(templates()[stack], values)
    assert isinstance(error, RuleError) and word in str(error), str(error)


def test_every_rule_is_exercised() -> None:
    rules = {(stack, rule) for stack, template in templates().items() for rule in template.body.get("Rules", {})}  # type: ignore[attr-defined]
    broken = {
        (stack, error.rule)
        for stack, values, _ in inputs.CONTRADICTIONS
        if isinstance(error := inputs.refusals(templates()[stack], values), RuleError)
    }
    assert rules == broken
