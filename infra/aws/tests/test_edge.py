"""The stack edge: what its parameters refuse, and CloudFront's routing looked at from outside."""

from __future__ import annotations

import boto3
import pytest
from engine.checks import edge
from engine.environment import ROOT, STACKS, Environment, build
from engine.variants import OPTIONS, all_variants
from moto import mock_aws

from trestle_aws.pictures import COUNT, PREFIX, pictures, upload
from trestle_aws.template import ParameterError, RuleError, Stack, Template
from trestle_aws.values import Import

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000"


def evaluate(name: str, **parameters: str) -> Stack:
    return Template.read(STACKS / f"{name}.yml").evaluate({"Environment": "test"} | parameters)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"Domain": "shop.example.com"}, "Domain needs CertificateArn"),
        ({"CertificateArn": ARN}, "CertificateArn needs Domain"),
        ({"CacheCatalogSeconds": "5"}, "CacheCatalogSeconds needs Mode=all"),
    ],
)
def test_contradictions_are_refused(parameters: dict[str, str], said: str) -> None:
    with pytest.raises(RuleError, match=said):
        evaluate("edge", **parameters)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CacheCatalogSeconds", "31"),
        ("CacheCatalogSeconds", "-1"),
        ("CertificateArn", ARN.replace("us-east-1", "ap-northeast-2")),
        ("Domain", "Shop.example.com"),
        ("Domain", "shop"),
        ("Domain", "https://shop.example.com"),
        ("Mode", "some"),
        ("PriceClass", "PriceClass_1"),
        ("Environment", "Demo"),
        ("Project", "a-name-of-17-chars"),
    ],
)
def test_values_out_of_bounds_are_refused(name: str, value: str) -> None:
    with pytest.raises(ParameterError) as refused:
        evaluate("edge", **({"Mode": "all"} | {name: value}))
    assert refused.value.name == name


def test_the_option_to_keep_the_catalogue_names_the_bound_that_it_relaxes() -> None:
    described = str(Template.read(STACKS / "edge.yml").parameters["CacheCatalogSeconds"]["Description"])
    said = (ROOT.parents[1] / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert "| one product | 1 s" in said, "the shop's own bound, as ARCHITECTURE.md has it"
    for words in ("1 s", "5 s", "N + 1 s", "N + 5 s"):
        assert words in described


@pytest.fixture(scope="module")
def kept() -> Environment:
    """All through CloudFront, which may keep the catalogue for 10 s."""
    return build(OPTIONS["stage 8 with a catalogue that may be 10 s old"])


@pytest.fixture(scope="module")
def fresh() -> Environment:
    """All through CloudFront, as the preset is."""
    return build(all_variants()["stage-8-cdn"])


@pytest.mark.parametrize(
    ("path", "seconds"),
    [
        ("/api/v1/products", 10),
        ("/api/v1/products/7", 10),
        ("/api/v1/products/best-sellers", 10),
        ("/api/v1/products/7/reviews", 0),
        ("/api/v1/products/7/reviews/mine", 0),
        ("/api/v1/cart", 0),
        ("/api/v1/instance", 0),
        ("/api/v1/admin/products", 0),
        ("/api/v1/admin/products/7", 0),
        ("/v/0123456789ab/app.mjs", 31536000),
        ("/v/0123456789ab/pictures/desk.svg", 31536000),
        ("/products/7", 0),
        ("/healthz", 0),
        (f"/{PREFIX}/00.svg", 31536000),
    ],
)
def test_what_may_rest_and_for_how_long(kept: Environment, fresh: Environment, path: str, seconds: float) -> None:
    one = edge.for_path(kept, path)
    assert one is not None and one.policy.longest == seconds
    one = edge.for_path(fresh, path)
    assert one is not None and one.policy.longest == (0 if seconds == 10 else seconds), (
        "by default the API is never kept"
    )


def test_every_operation_of_the_api_is_routed() -> None:
    """The property below looks at these; with none it would say nothing."""
    operations = edge.operations()
    assert len(operations) > 50
    assert ("GET", "/api/v1/products/42/reviews/mine", False) in operations
    assert ("GET", "/api/v1/products/42", True) in operations


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/v/*", "/v/a/b", True),
        ("/v/*", "/vx", False),
        ("/api/v1/products*", "/api/v1/products", True),
        ("/api/v1/products*", "/api/v1/products/1/related", True),
        ("/api/v1/products/*/reviews*", "/api/v1/products/1/reviews/mine", True),
        ("/api/v1/products/*/reviews*", "/api/v1/products", False),
        ("/a?c", "/abc", True),
        ("/a.c", "/abc", False),
    ],
)
def test_patterns_are_read_as_cloudfront_does(pattern: str, path: str, fits: bool) -> None:
    assert edge.fits(pattern, path) is fits


def test_a_name_of_the_shop_hides_no_file_of_the_storefront() -> None:
    storefront = ROOT.parents[1] / "services/web/storefront"
    assert not (storefront / PREFIX).exists()
    routes = (storefront / "routes.mjs").read_text(encoding="utf-8")
    assert PREFIX not in routes


def test_pictures_are_drawn_the_same_each_time() -> None:
    first, second = list(pictures()), list(pictures())
    assert first == second
    assert [name for name, _ in first] == [f"{number:02}.svg" for number in range(COUNT)]
    assert len({content for _, content in first}) == COUNT, "each is another"
    for name, content in first:
        text = content.decode()
        assert text.startswith('<svg xmlns="http://www.w3.org/2000/svg"') and "<title>" in text, name
        assert "<script" not in text and "href" not in text and "style" not in text, (
            f"{name} is allowed by the policy of its answer"
        )
        assert len(content) < 8000


def test_pictures_are_put_into_the_bucket_once() -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")
        s3.create_bucket(Bucket="pictures")
        assert upload(s3, "pictures") == COUNT
        one = s3.get_object(Bucket="pictures", Key=f"{PREFIX}/07.svg")
        assert one["ContentType"] == "image/svg+xml" and one["CacheControl"] == "public, max-age=86400"
        assert one["Body"].read() == dict(pictures())["07.svg"]
        assert upload(s3, "pictures") == 0, "they are there"
        s3.put_object(Bucket="pictures", Key=f"{PREFIX}/07.svg", Body=b"spoilt")
        assert upload(s3, "pictures") == 1


def test_outside_of_an_environment_imports_stay_symbols() -> None:
    stack = evaluate("edge")
    origin = edge.at(stack.resources["Distribution"].properties, "DistributionConfig/Origins/0/DomainName")
    assert origin == Import("trestle-test-PicturesOrigin")
