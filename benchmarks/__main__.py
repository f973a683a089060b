"""Measure all kinds of scenarios, or what the options choose of them."""

from __future__ import annotations

import bench_http
from measuring.command import run

if __name__ == "__main__":
    run(bench_http.KIND)
