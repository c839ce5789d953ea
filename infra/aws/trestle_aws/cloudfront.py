"""The addresses from which CloudFront asks: a prefix list that AWS keeps in each region."""

from __future__ import annotations

from trestle_aws.context import Context
from trestle_aws.errors import Failure

NAME = "com.amazonaws.global.cloudfront.origin-facing"


def prefix_list(context: Context) -> str:
    """Its id in the place's region."""
    client = context.clients.of("ec2")
    found = client.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [NAME]}])[
        "PrefixLists"
    ]
    if not found:
        raise Failure(f"{context.place.region} has no prefix list {NAME}")
    return str(found[0]["PrefixListId"])


def networks(context: Context) -> list[str]:
    """The networks in it, in order."""
    pages = (
        context.clients.of("ec2")
        .get_paginator("get_managed_prefix_list_entries")
        .paginate(PrefixListId=prefix_list(context))
    )
    return sorted(str(entry["Cidr"]) for page in pages for entry in page["Entries"])
