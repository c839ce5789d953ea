"""The release bucket: archives that instances install, and what is only passing through (templates, files for a
command, results).
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from botocore.exceptions import ClientError

from trestle_aws.clients import code_of
from trestle_aws.context import Context
from trestle_aws.errors import Failure, UsageError

# `build` puts archives there, in the repository.
FOLDER = Path(".trestle-aws/releases")
# A URL that was lent is good for so long; the object is removed before.
LENT_SECONDS = 3600
# The name that the release's processors have in an archive's name, by the templates' Architecture.
ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass(frozen=True)
class Archive:
    """A built release."""

    version: str
    architecture: str
    sha256: str
    path: Path | None
    """Where it is on this machine; none for one that is in the bucket only."""

    @property
    def name(self) -> str:
        """Its file's name."""
        return f"trestle-{self.version}-{self.architecture}.tar.gz"

    @property
    def key(self) -> str:
        """Where it is in the bucket."""
        return f"releases/{self.version}/{self.name}"


def folder(root: Path) -> Path:
    """Where archives are, of the repository whose infra/aws is `root`."""
    return root.parent.parent / FOLDER


def find(context: Context, architecture: str, version: str | None) -> Archive:
    """The archive of a version, or the one that was built last; without one here, the one that is deployed."""
    here = _built(context.root, architecture)
    if version is None:
        record = context.notes.deployed()
        version = list(here)[-1] if here else record.release if record else None
    if version in here:
        return Archive(version, architecture, checksum(here[version]), here[version])
    if version and (archive := _in_bucket(context, version, architecture)):
        return archive
    what = f"--release {version}" if version else "a release"
    there = f"; there are {', '.join(here)}" if here else ""
    place = folder(context.root)
    raise UsageError(f"{what}: no archive for {architecture} in {place}{there}; `trestle-aws build` makes one")


def _built(root: Path, architecture: str) -> dict[str, Path]:
    """What `build` has made, by version, the last one last."""
    suffix = f"-{architecture}.tar.gz"
    made = sorted(folder(root).glob(f"trestle-*{suffix}"), key=lambda path: path.stat().st_mtime)
    return {path.name.removeprefix("trestle-").removesuffix(suffix): path for path in made}


def _in_bucket(context: Context, version: str, architecture: str) -> Archive | None:
    """One that was deployed before, maybe from another machine."""
    bucket = context.exports().get("ReleaseBucket")
    archive = Archive(version, architecture, "", None)
    if bucket is None or (sha256 := _checksum_in(context, bucket, archive)) is None:
        return None
    return replace(archive, sha256=sha256)


def _checksum_in(context: Context, bucket: str, archive: Archive) -> str | None:
    """Of the archive in the bucket; none where there is none."""
    try:
        found = context.clients.of("s3").head_object(Bucket=bucket, Key=archive.key)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchKey", "NotFound"):
            return None
        raise
    return str(found["Metadata"].get("sha256", ""))


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def upload(context: Context, bucket: str, archive: Archive) -> None:
    """Puts the archive into the bucket, unless it is there. Another archive of the same version is refused: instances
    would differ.
    """
    there = _checksum_in(context, bucket, archive)
    if there is not None:
        if there != archive.sha256:
            raise Failure(
                f"s3://{bucket}/{archive.key} is another archive of this version; build it with a version of its own"
            )
        context.say(f"release: {archive.name} is in the bucket")
        return
    if archive.path is None:
        raise Failure(
            f"s3://{bucket}/{archive.key} is gone, and it is not on this machine; `trestle-aws build` and deploy again"
        )
    context.say(f"release: {archive.name} goes to s3://{bucket}")
    more = {"Metadata": {"sha256": archive.sha256}}
    context.clients.of("s3").upload_file(str(archive.path), bucket, archive.key, ExtraArgs=more)


def upload_template(context: Context, bucket: str, body: str) -> str:
    """Puts a template that is too long for a call where CloudFormation reads it; answers its URL."""
    key = f"templates/{hashlib.sha256(body.encode()).hexdigest()}.yml"
    context.clients.of("s3").put_object(Bucket=bucket, Key=key, Body=body.encode())
    return f"https://{bucket}.s3.{context.place.region}.amazonaws.com/{key}"


def bucket_of(context: Context) -> str:
    """The place's release bucket."""
    bucket = context.exports().get("ReleaseBucket")
    if not bucket:
        raise context.nothing()
    return bucket


@contextmanager
def lent(context: Context, path: Path) -> Iterator[str]:
    """A URL by which an instance fetches a file of this machine, for as long as this lasts."""
    bucket, key = bucket_of(context), f"passing/{uuid.uuid4().hex}/{path.name}"
    client = context.clients.of("s3")
    client.upload_file(str(path), bucket, key)
    try:
        yield str(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, ExpiresIn=LENT_SECONDS))
    finally:
        client.delete_object(Bucket=bucket, Key=key)


@contextmanager
def returned(context: Context, name: str, seconds: int) -> Iterator[tuple[str, str]]:
    """A URL to which an instance sends a file, and its key in the bucket; removed at the end."""
    bucket, key = bucket_of(context), f"passing/{uuid.uuid4().hex}/{name}"
    client = context.clients.of("s3")
    url = str(client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key}, ExpiresIn=seconds))
    try:
        yield url, key
    finally:
        client.delete_object(Bucket=bucket, Key=key)
