"""The evaluator does what CloudFormation does: the other tests stand on it."""

from __future__ import annotations

import base64

import pytest

from trestle_aws.intrinsics import decoded
from trestle_aws.template import ParameterError, RuleError, Stack, Template, TemplateError, exports_of
from trestle_aws.values import Call, GetAtt, Import, Ref, SsmParameter, Symbol, Text, Value, bind


def evaluated(source: str, **parameters: object) -> Stack:
    """A template's stack; `source` begins at its sections."""
    return Template.parse(source, "small").evaluate(parameters)


def value(expression: str, parameters: str = "{}", **given: object) -> Value:
    """What an expression evaluates to as a resource's property."""
    source = f"""
Parameters: {parameters}
Mappings: {{Sizes: {{small: {{Memory: 1, Names: [a, b]}}}}}}
Conditions: {{Sure: !Equals [a, a], Never: !Not [!Condition Sure]}}
Resources:
  Vpc: {{Type: AWS::EC2::VPC, Properties: {{CidrBlock: 10.20.0.0/16}}}}
  Off: {{Type: AWS::EC2::VPC, Condition: Never}}
  It: {{Type: X, Properties: {{P: {expression}}}}}
"""
    return evaluated(source, **given).resources["It"].properties.get("P")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("!Select [1, [a, b]]", "b"),
        ('!Join ["-", [a, 1, true]]', "a-1-true"),
        ('!Split [",", "a,b"]', ["a", "b"]),
        ("!FindInMap [Sizes, small, Memory]", 1),
        ("!FindInMap [Sizes, small, Names]", ["a", "b"]),
        ("!If [Sure, 1, 2]", 1),
        ("!If [Never, 1, !Ref AWS::NoValue]", None),
        ("[!If [Never, 1, !Ref AWS::NoValue], 2]", [2]),
        ('!Sub "${AWS::Region}/${!Literal}/x"', "us-east-1/${Literal}/x"),
        ('!Sub ["${A}-${B}", {A: 1, B: !Ref "AWS::AccountId"}]', "1-123456789012"),
        ("!Base64 abc", base64.b64encode(b"abc").decode()),
        ('!GetAZs ""', ["us-east-1a", "us-east-1b", "us-east-1c"]),
        ("!Cidr [10.0.0.0/22, 3, 8]", ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]),
        ("!Select [1, !Cidr [!GetAtt Vpc.CidrBlock, 2, 8]]", "10.20.1.0/24"),
        ("!Ref Vpc", Ref("small", "Vpc")),
        ("!GetAtt Vpc.DefaultNetworkAcl", GetAtt("small", "Vpc", "DefaultNetworkAcl")),
        ('!Sub "x${Vpc}y${Vpc.Arn}"', Text(("x", Ref("small", "Vpc"), "y", GetAtt("small", "Vpc", "Arn")))),
        ("!ImportValue there", Import("there")),
        ("!Select [0, !GetAtt Vpc.Ipv6CidrBlocks]", Call("Fn::Select", (0, GetAtt("small", "Vpc", "Ipv6CidrBlocks")))),
        ("2012-10-17", "2012-10-17"),
        ("{{resolve:ssm:x}: y}", None),
    ],
)
def test_functions(expression: str, expected: Value) -> None:
    if expected is None and "resolve" in expression:
        assert value('"{{resolve:ssm:x}}"') == "{{resolve:ssm:x}}"
    else:
        assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "!Ref Nobody",
        "!Ref Off",
        "!GetAtt Off.VpcId",
        '!Sub "${Nobody}"',
        "!Select [2, [a, b]]",
        "!FindInMap [Sizes, large, Memory]",
        "!If [Maybe, 1, 2]",
        "!Cidr [10.0.0.0/24, 3, 7]",
        "!GetAZs eu-west-1",
        "{Fn::Nothing: 1}",
        '!Join ["-", !Ref "AWS::NoValue"]',
    ],
)
def test_what_cloudformation_refuses_is_an_error(expression: str) -> None:
    with pytest.raises(TemplateError):
        value(expression)


@pytest.mark.parametrize(
    ("definition", "good", "bad"),
    [
        ("{Type: String, AllowedPattern: '[a-z]+'}", "abc", "abc1"),
        ("{Type: String, AllowedValues: [a, b]}", "b", "c"),
        ("{Type: String, MinLength: 2, MaxLength: 3}", "ab", "abcd"),
        ("{Type: String, MinLength: 2}", "ab", "a"),
        ("{Type: Number, MinValue: 1, MaxValue: 9}", "9", "10"),
        ("{Type: Number, MinValue: 1}", "1", "0"),
        ("{Type: Number}", "1.5", "x"),
        ("{Type: 'List<Number>'}", "1,2", "1,x"),
        ("{Type: CommaDelimitedList, AllowedPattern: '[a-z]'}", "a, b", "a,B"),
        ("{Type: 'AWS::EC2::VPC::Id'}", "vpc-0123", "subnet-0123"),
        ("{Type: 'AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>'}", "/aws/x", "not a name"),
    ],
)
def test_constraints_of_parameters(definition: str, good: str, bad: str) -> None:
    template = Template.parse(f"Parameters: {{P: {definition}}}\nResources: {{}}")
    template.evaluate({"P": good})
    with pytest.raises(ParameterError) as error:
        template.evaluate({"P": bad})
    assert error.value.name == "P"


def test_a_default_is_constrained_too_and_a_missing_or_unknown_parameter_is_named() -> None:
    with pytest.raises(ParameterError, match="parameter P"):
        evaluated("Parameters: {P: {Type: String, Default: x, AllowedValues: [y]}}\nResources: {}")
    with pytest.raises(ParameterError, match="parameter P: has no default"):
        evaluated("Parameters: {P: {Type: String}}\nResources: {}")
    with pytest.raises(ParameterError, match="parameter Q: the template has no such"):
        evaluated("Resources: {}", Q="1")


def test_lists_numbers_and_systems_manager() -> None:
    assert value("!Ref P", "{P: {Type: CommaDelimitedList}}", P="a, b") == ["a", "b"]
    assert value("!Ref P", "{P: {Type: Number}}", P=5) == "5"
    assert value("!Ref P", "{P: {Type: 'AWS::SSM::Parameter::Value<String>'}}", P="/x") == SsmParameter("/x")
    template = Template.parse(
        "Parameters: {P: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}}\nResources: {A: {Type: X, Properties: {P: !Ref P}}}"
    )
    assert template.evaluate({}, ssm={"/x": "y"}).resources["A"].properties == {"P": "y"}


RULES = """
Parameters: {A: {Type: String, Default: x}, B: {Type: String, Default: x}}
Rules:
  Same:
    RuleCondition: !Not [!Equals [!Ref A, free]]
    Assertions: [{Assert: !Or [!Equals [!Ref A, !Ref B], "Fn::Contains": [[p, q], !Ref B]], AssertDescription: A and B differ}]
Resources: {}
"""


@pytest.mark.parametrize(
    ("a", "b", "refused"), [("x", "x", False), ("x", "q", False), ("x", "y", True), ("free", "y", False)]
)
def test_rules(a: str, b: str, refused: bool) -> None:
    if refused:
        with pytest.raises(RuleError, match="A and B differ"):
            evaluated(RULES, A=a, B=b)
    else:
        evaluated(RULES, A=a, B=b)


def test_a_rule_that_cloudformation_would_not_take_is_an_error() -> None:
    with pytest.raises(TemplateError, match="Fn::Sub"):
        evaluated(
            "Parameters: {A: {Type: String, Default: x}}\nRules: {R: {Assertions: [{Assert: !Equals [!Sub x, !Ref A]}]}}\nResources: {}"
        )


def test_conditions_leave_resources_and_outputs_out() -> None:
    stack = evaluated("""
Parameters: {Want: {Type: String, Default: "no"}}
Conditions: {Wanted: !Equals [!Ref Want, "yes"]}
Resources: {A: {Type: X, Condition: Wanted}, B: {Type: X}}
Outputs: {A: {Value: !Ref A, Condition: Wanted}, B: {Value: !Ref B}}
""")
    assert (list(stack.resources), list(stack.outputs)) == (["B"], ["B"])


def test_a_condition_in_a_circle_is_named() -> None:
    with pytest.raises(TemplateError, match="depends on itself"):
        evaluated("Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\nResources: {}")


def test_exports_reach_the_next_stack_and_a_list_can_be_cut() -> None:
    first = Template.parse(
        """
Resources: {A: {Type: X}, B: {Type: X}}
Outputs: {Both: {Value: !Join [",", [!Ref A, !Ref B]], Export: {Name: !Sub "${AWS::StackName}-Both"}}}
""",
        "first",
    ).evaluate({})
    second = Template.parse(
        'Resources: {C: {Type: X, Properties: {P: !Select [1, !Split [",", !ImportValue first-Both]]}}}', "second"
    )
    assert second.evaluate({}, imports=exports_of([first])).resources["C"].properties["P"] == Ref("first", "B")
    with pytest.raises(TemplateError, match="no export named first-Both"):
        second.evaluate({}, imports={})
    with pytest.raises(TemplateError, match="exists already"):
        exports_of([first, first])


def test_an_output_is_a_string() -> None:
    with pytest.raises(TemplateError, match="output L"):
        evaluated("Resources: {}\nOutputs: {L: {Value: [a]}}")


def test_resources_come_after_what_they_name() -> None:
    stack = evaluated(
        'Resources: {A: {Type: X, Properties: {P: !Sub "${C}"}}, B: {Type: X, DependsOn: A}, C: {Type: X}}'
    )
    assert [resource.id for resource in stack.in_order()] == ["C", "A", "B"]
    circle = evaluated("Resources: {A: {Type: X, Properties: {P: !Ref B}}, B: {Type: X, Properties: {P: !Ref A}}}")
    with pytest.raises(TemplateError, match="depends on itself"):
        circle.in_order()


def test_policies_and_dependencies() -> None:
    stack = evaluated("Resources: {A: {Type: X, DeletionPolicy: Snapshot, UpdateReplacePolicy: Retain}, B: {Type: X}}")
    assert (stack.resources["A"].deletion_policy, stack.resources["A"].update_replace_policy) == ("Snapshot", "Retain")
    assert stack.resources["B"].deletion_policy == "Delete"
    with pytest.raises(TemplateError, match="DependsOn names Nobody"):
        evaluated("Resources: {A: {Type: X, DependsOn: Nobody}}")


def test_binding_puts_real_values_into_texts_and_calls() -> None:
    stack = evaluated(
        'Resources: {A: {Type: X, Properties: {U: !Base64 {"Fn::Sub": "id ${B}"}, F: !Select [1, !GetAtt B.Names]}}, B: {Type: X}}'
    )
    known: dict[Symbol, Value] = {Ref("small", "B"): "b-1", GetAtt("small", "B", "Names"): ["x", "y"]}
    properties = stack.resources["A"].properties
    assert str(decoded(properties["U"])) == "id ${small/B}"
    assert bind(dict(properties), lambda symbol: known[symbol]) == {"U": base64.b64encode(b"id b-1").decode(), "F": "y"}


def test_a_key_twice_is_an_error() -> None:
    with pytest.raises(TemplateError, match="small: line 2: the key A is there twice"):
        Template.parse("\nResources: {A: {Type: X}, A: {Type: Y}}", "small")
