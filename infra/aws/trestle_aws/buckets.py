"""The environment's own buckets: emptied before their stacks are deleted, with every version of every object."""

from __future__ import annotations

from botocore.exceptions import ClientError

from trestle_aws.clients import code_of
from trestle_aws.context import Context
from trestle_aws.errors import Failure


def owned(context: Context) -> list[str]:
    """The buckets with both tags."""
    client = context.clients.of("s3")
    return [it["Name"] for it in client.list_buckets()["Buckets"] if _is_owned(context, it["Name"])]


def _is_owned(context: Context, name: str) -> bool:
    try:
        tags = context.clients.of("s3").get_bucket_tagging(Bucket=name)["TagSet"]
    except ClientError as error:
        # No tags, somebody else's, in another region's partition, or gone meanwhile: not ours.
        if code_of(error) in ("NoSuchTagSet", "AccessDenied", "NoSuchBucket", "PermanentRedirect", "AllAccessDisabled"):
            return False
        raise
    return context.place.owns(tags)


def empty(context: Context, name: str) -> int:
    """Deletes all versions and markers of a bucket that bears both tags; answers how many there were."""
    if not _is_owned(context, name):
        raise Failure(f"s3://{name} does not bear the tags of {context.place.prefix[:-1]}: it is left as it is")
    client = context.clients.of("s3")
    number = 0
    for page in client.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": it["Key"], "VersionId": it["VersionId"]} for it in found]
        if objects:
            answer = client.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                first = answer["Errors"][0]
                raise Failure(f"s3://{name}/{first['Key']}: {first['Code']}: {first['Message']}")
        number += len(objects)
    return number


def delete(context: Context, name: str) -> None:
    """Empties a bucket and deletes it."""
    empty(context, name)
    context.clients.of("s3").delete_bucket(Bucket=name)
