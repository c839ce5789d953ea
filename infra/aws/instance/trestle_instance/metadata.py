"""EC2's instance metadata service, version 2."""

from __future__ import annotations

import time
import urllib.error
import urllib.request

ADDRESS = "http://169.254.169.254/latest"
TOKEN_SECONDS = 6 * 3600
TIMEOUT = 5.0
# At a start the service may be slow for a moment, and without it nothing can be done.
TRIES = 5
# It is on the machine's own host: whatever proxy the environment names, this is not asked through it.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Metadata:
    """Answers questions about this instance; a token is fetched when there is none or it is old."""

    def __init__(self) -> None:
        self._token = ""
        self._until = 0.0

    def get(self, path: str) -> str | None:
        """What the service says, None for 404. Raises OSError when it gives no answer."""
        request = urllib.request.Request(
            f"{ADDRESS}/meta-data/{path}", headers={"X-aws-ec2-metadata-token": self._fresh_token()}
        )
        try:
            with OPENER.open(request, timeout=TIMEOUT) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            if error.code == 401:
                self._until = 0.0
            if error.code == 404:
                return None
            raise

    def instance(self) -> str:
        """The instance's id."""
        for left in reversed(range(TRIES)):
            try:
                return self.get("instance-id") or "unknown"
            except OSError:
                if not left:
                    raise
                time.sleep(1)
        raise AssertionError

    def _fresh_token(self) -> str:
        if time.monotonic() >= self._until:
            headers = {"X-aws-ec2-metadata-token-ttl-seconds": str(TOKEN_SECONDS)}
            request = urllib.request.Request(f"{ADDRESS}/api/token", method="PUT", headers=headers)
            with OPENER.open(request, timeout=TIMEOUT) as answer:
                self._token = answer.read().decode()
            self._until = time.monotonic() + TOKEN_SECONDS / 2
        return self._token
