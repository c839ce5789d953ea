#!/bin/bash
ROLE='${Role}'
Project='${Project}'
Environment='${Environment}'
Region='${AWS::Region}'
ReleaseBucket='${ReleaseBucket}'
Release='${Release}'
ReleaseSha256='${ReleaseSha256}'
# What a Trestle instance runs as root at its first boot: fetches the release from S3, checks it, hands over to its bootstrap.
# The launch templates hold this text; only the lines above differ. curl and python3 are all that it takes of the image.
set -euo pipefail
umask 022
export ROLE Project Environment Region ReleaseBucket Release

# The last line of the log says why it ended. An instance of a group is replaced by the group; the job has to end itself.
stop() {
    echo "trestle: stopped: $*" >&2
    [ "$ROLE" != job ] || systemctl poweroff --no-block
    exit 1
}

metadata=http://169.254.169.254/latest
imds() { curl -fsS --noproxy '*' --connect-timeout 2 --max-time 5 --retry 5 --retry-delay 1 --retry-connrefused "$@"; }
token=$(imds -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' $metadata/api/token) || stop "the metadata service gives no token"
ask() { imds -H "X-aws-ec2-metadata-token: $token" "$metadata/$1"; }
profile=$(ask meta-data/iam/security-credentials/) || stop "the instance has no role"
credentials=$(ask "meta-data/iam/security-credentials/$profile") || stop "the role $profile gives no credentials"
credential() { printf %s "$credentials" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
case $(uname -m) in aarch64) arch=arm64 ;; *) arch=amd64 ;; esac

# The credentials reach curl by its standard input: a command's arguments can be read by everybody.
object=releases/$Release/trestle-$Release-$arch.tar.gz
archive=/var/tmp/trestle-$Release.tar.gz
echo "trestle: fetching s3://$ReleaseBucket/$object"
printf 'user = "%s:%s"\nheader = "x-amz-security-token: %s"\n' \
    "$(credential AccessKeyId)" "$(credential SecretAccessKey)" "$(credential Token)" |
    curl -fsS --config - --aws-sigv4 "aws:amz:$Region:s3" --connect-timeout 5 --max-time 300 \
        --retry 4 --retry-delay 3 --retry-all-errors --retry-max-time 120 --output $archive \
        "https://$ReleaseBucket.s3.$Region.amazonaws.com/$object" ||
    stop "s3://$ReleaseBucket/$object cannot be read (curl says why above): is there a way to S3, the object, and a role that may read it?"
found=$(sha256sum $archive | cut -d ' ' -f 1)
[ "$found" = "$ReleaseSha256" ] || stop "s3://$ReleaseBucket/$object has the SHA-256 $found, not $ReleaseSha256: it is another archive, or a damaged one"

home=/opt/trestle/releases/$Release
rm -rf "$home"
mkdir -p "$home"
tar -xzf $archive -C "$home" --no-same-owner
rm $archive
"$home/bootstrap" || stop "the bootstrap of $Release as $ROLE failed; the line above says why"
