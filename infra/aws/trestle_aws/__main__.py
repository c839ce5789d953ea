"""`python -m trestle_aws`, the same as `trestle-aws`."""

from __future__ import annotations

import sys

from trestle_aws.cli import main

sys.exit(main(sys.argv[1:]))
