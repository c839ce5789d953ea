"""Behind a load balancer without a certificate, which calls every request http, nginx must not lead to https: nobody answers there.

A real nginx with the configuration that an instance renders from the app stack's parameters.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from trestle_aws.template import Stack, Template

ROOT = Path(__file__).resolve().parents[3]
AWS = ROOT / "infra/aws"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/0b6d0bd4-51cf-4ba9-a1c1-7a9dd7e1f8a2"
RELEASE = {"Release": "0.1.0", "ReleaseBucket": "releases", "ReleaseSha256": "0" * 64}

pytestmark = pytest.mark.skipif(
    not shutil.which("nginx") or not shutil.which("envsubst"),
    reason="nginx and envsubst are not installed (make setup installs them)",
)


def configuration(stack: Stack) -> dict[str, str]:
    """The web tier's variables in Systems Manager, with the VPC's network made this machine."""
    prefix = "/trestle/demo/config/web/"
    found = {
        str(it.properties["Name"]).removeprefix(prefix): str(it.properties["Value"])
        for it in stack.of_type("AWS::SSM::Parameter")
        if str(it.properties["Name"]).startswith(prefix)
    }
    return found | {"TRESTLE_WEB_TRUSTED_PROXIES": "127.0.0.0/8"}


@contextmanager
def nginx(folder: Path, variables: dict[str, str], api: str = "127.0.0.1:1") -> Iterator[int]:
    """A running nginx; its port. Without `api` there is none."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    # An instance writes down where the API is when it has looked up its name.
    variables = {name: value for name, value in variables.items() if name != "TRESTLE_WEB_API_NAME"}
    environment = (
        os.environ
        | variables
        | {
            "TRESTLE_WEB_ADDRESSES": f"127.0.0.1:{port}",
            "TRESTLE_WEB_API_ADDRESSES": api,
            "TRESTLE_WEB_RUN_DIR": str(folder / "run"),
            "TRESTLE_WEB_LOG_DIR": str(folder),
            "TRESTLE_WEB_STOREFRONT": str(ROOT / "services/web/storefront"),
            "TRESTLE_WEB_RUN_AS": "root",
            "TRESTLE_WEB_WORKERS": "1",
            "TRESTLE_WEB_HTTP2": "off",
        }
    )
    subprocess.run(
        [ROOT / "services/web/render", ROOT / "services/web/nginx", folder / "conf"], env=environment, check=True
    )
    command = ["nginx", "-p", folder, "-e", folder / "error.log", "-c", folder / "conf/nginx.conf", "-g", "daemon off;"]
    with subprocess.Popen(command) as process:
        try:
            deadline = time.monotonic() + 10
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None and time.monotonic() < deadline, (folder / "error.log").read_text()
                    time.sleep(0.02)
            yield port
        finally:
            process.terminate()


def page(port: int, scheme: str) -> http.client.HTTPResponse:
    """The home page, as a load balancer asks for it that was asked by this scheme."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(
        "GET", "/", headers={"Host": "shop.example.com", "X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": scheme}
    )
    return connection.getresponse()


@pytest.mark.parametrize(
    ("parameters", "scheme", "status", "binds", "cookies"),
    [
        pytest.param({}, "http", 200, False, "off", id="http alone"),
        pytest.param(
            {"BehindCloudFront": "yes"}, "http", 200, True, "on", id="CloudFront ends TLS, the load balancer has none"
        ),
        pytest.param(
            {"Domain": "shop.example.com", "CertificateArn": CERTIFICATE},
            "https",
            200,
            True,
            "on",
            id="the load balancer ends TLS",
        ),
        pytest.param(
            {"Domain": "shop.example.com", "CertificateArn": CERTIFICATE},
            "http",
            301,
            False,
            "on",
            id="it passed http on",
        ),
    ],
)
def test_nginx_leads_to_https_only_where_somebody_speaks_it(
    tmp_path: Path, parameters: dict[str, str], scheme: str, status: int, binds: bool, cookies: str
) -> None:
    stack = Template.read(AWS / "stacks/app.yml").evaluate({"Environment": "demo", **RELEASE, **parameters})
    with nginx(tmp_path, configuration(stack)) as port:
        answer = page(port, scheme)
    assert answer.status == status
    if status == 301:
        assert answer.headers["Location"] == "https://shop.example.com/"
    # Only who came by https may be bound to it. A cookie for https alone would be lost where there is none.
    assert ("Strict-Transport-Security" in answer.headers) == binds
    secure = next(
        it
        for it in stack.of_type("AWS::SSM::Parameter")
        if str(it.properties["Name"]).endswith("/TRESTLE_COOKIE_SECURE")
    )
    assert secure.properties["Value"] == cookies
