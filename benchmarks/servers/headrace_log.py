"""headrace.web on uvloop, as `headrace_web`, with its access log: lines that go to /dev/null."""

from __future__ import annotations

import logging
import os
import sys

from headrace_web import main

if __name__ == "__main__":
    logger = logging.getLogger("headrace.access")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    with open(os.devnull, "w") as nowhere:
        logger.addHandler(logging.StreamHandler(nowhere))
        main(int(sys.argv[1]), logger)
