"""A template's Rules: they see parameters only, and reject contradictory ones before anything is made."""

from __future__ import annotations

from collections.abc import Mapping

from trestle_aws.values import TemplateError


class RuleError(TemplateError):
    """An assertion of the template's Rules does not hold."""

    def __init__(self, rule: str, description: str) -> None:
        super().__init__(f"rule {rule}: {description}")
        self.rule = rule
        self.description = description


def check(rules: Mapping[str, object], parameters: Mapping[str, object]) -> None:
    """Raise the first assertion that does not hold."""
    for name, rule in rules.items():
        if not isinstance(rule, dict) or not isinstance(rule.get("Assertions"), list):
            raise TemplateError(f"rule {name} has no Assertions")
        if "RuleCondition" in rule and not _truth(name, rule["RuleCondition"], parameters):
            continue
        for assertion in rule["Assertions"]:
            if not _truth(name, assertion["Assert"], parameters):
                raise RuleError(name, str(assertion.get("AssertDescription", "an assertion does not hold")))


def _truth(rule: str, expression: object, parameters: Mapping[str, object]) -> bool:
    function, argument = _function(rule, expression)
    items = argument if isinstance(argument, list) else []
    match function, items:
        case "Fn::And", [_, _, *_]:
            return all(_truth(rule, item, parameters) for item in items)
        case "Fn::Or", [_, _, *_]:
            return any(_truth(rule, item, parameters) for item in items)
        case "Fn::Not", [item]:
            return not _truth(rule, item, parameters)
        case "Fn::Equals", [left, right]:
            return _operand(rule, left, parameters) == _operand(rule, right, parameters)
        case "Fn::Contains", [values, value]:
            return _operand(rule, value, parameters) in _list(rule, values, parameters)
        case "Fn::EachMemberEquals", [values, value]:
            return all(item == _operand(rule, value, parameters) for item in _list(rule, values, parameters))
        case "Fn::EachMemberIn", [values, others]:
            allowed = _list(rule, others, parameters)
            return all(item in allowed for item in _list(rule, values, parameters))
    raise TemplateError(f"rule {rule}: {function} cannot be used in a rule like this")


def _operand(rule: str, value: object, parameters: Mapping[str, object]) -> object:
    if isinstance(value, dict):
        function, argument = _function(rule, value)
        if function != "Ref":
            raise TemplateError(f"rule {rule}: {function} gives no value in a rule that can be evaluated here")
        if argument not in parameters:
            raise TemplateError(f"rule {rule}: there is no parameter {argument}")
        return parameters[str(argument)]
    if isinstance(value, list):
        return [_operand(rule, item, parameters) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _list(rule: str, value: object, parameters: Mapping[str, object]) -> list[object]:
    operand = _operand(rule, value, parameters)
    if not isinstance(operand, list):
        raise TemplateError(f"rule {rule}: a list is needed, not {operand!r}")
    return operand


def _function(rule: str, expression: object) -> tuple[str, object]:
    if not isinstance(expression, dict) or len(expression) != 1:
        raise TemplateError(f"rule {rule}: a function is needed, not {expression!r}")
    return next(iter(expression.items()))
