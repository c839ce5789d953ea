"""How a command ends otherwise than well. The exit codes are those of `trestle`."""

from __future__ import annotations

DONE = 0
FAILED = 1
WRONG = 64
INTERRUPTED = 130


class TrestleError(Exception):
    """Ends the command with one line and an exit code."""

    code = FAILED


class Failure(TrestleError):
    """Something could not be done."""


class UsageError(TrestleError):
    """The command line or the configuration is wrong; the message names the option, parameter or preset."""

    code = WRONG


class Interrupted(TrestleError):
    """The user gave up (SIGINT, SIGTERM, SIGHUP)."""

    code = INTERRUPTED
