"""A root file system of Debian 13 with what its image for EC2 has at least: systemd, python3 and curl (cloud-init needs them).

It is made once (20 s) and kept in .trestle-aws/; machines lay their own files over it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

SUITE = "trixie"
PACKAGES = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "libpam-systemd",
    "python3",
    "curl",
    "ca-certificates",
    "iproute2",
    "passwd",
)
# What nobody reads here makes machines no more real and everything slower.
LEFT_OUT = ("doc", "man", "locale", "info")
CLOUD_INIT = """\
#!/bin/sh
# As cloud-init does it: the script from the metadata service, as root, its output to a log and to the journal.
metadata=http://169.254.169.254/latest
script=/var/lib/cloud/instance/scripts/part-001
token=$(curl -fsS --retry 5 --retry-connrefused -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' $metadata/api/token)
mkdir -p /var/lib/cloud/instance/scripts
curl -fsS -H "X-aws-ec2-metadata-token: $token" $metadata/user-data -o $script
chmod 700 $script
{ $script 2>&1; echo $? >/var/lib/cloud/code; } | tee -a /var/log/cloud-init-output.log
mv /var/lib/cloud/code /var/lib/cloud/result
"""
UNIT = """\
[Unit]
Description=cloud-init runs the user-data
After=network-online.target

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/user-data
TimeoutStartSec=300
KillMode=process

[Install]
WantedBy=multi-user.target
"""
# Nothing that a test waits for, and nothing that would look for the internet.
OFF = (
    "apt-daily.timer",
    "apt-daily-upgrade.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "console-getty.service",
    "getty@.service",
)


def root(cache: Path) -> Path:
    """The root's folder, made if it is not there. Needs root."""
    recipe = repr((SUITE, PACKAGES, LEFT_OUT, CLOUD_INIT, UNIT, OFF))
    place = cache / f"debian-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "debian.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            for old in cache.glob("debian-*"):
                shutil.rmtree(old)
            making = cache / "debian-making"
            _make(making)
            making.rename(place)
    return place


def _make(target: Path) -> None:
    options = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    # A mirror may hand out an older state of the archive; what it hands out is signed in any case.
    options += ['--aptopt=Acquire::Languages "none"', '--aptopt=Acquire::Check-Valid-Until "false"']
    command = [
        "mmdebstrap",
        "--quiet",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        *options,
        SUITE,
        str(target),
    ]
    ran = subprocess.run(command, text=True, capture_output=True)
    if ran.returncode != 0:
        raise RuntimeError(f"mmdebstrap failed: {ran.stderr.strip()[-2000:]}")
    script = target / "usr/local/sbin/user-data"
    script.write_text(CLOUD_INIT)
    script.chmod(0o755)
    (target / "etc/systemd/system/cloud-final.service").write_text(UNIT)
    wants = target / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    os.symlink("../cloud-final.service", wants / "cloud-final.service")
    for unit in OFF:
        (target / "etc/systemd/system" / unit).unlink(missing_ok=True)
        os.symlink("/dev/null", target / "etc/systemd/system" / unit)
    (target / "var/log/journal").mkdir(exist_ok=True)
    (target / "etc/machine-id").write_text("")
