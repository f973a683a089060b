"""Measure all kinds of scenarios, or what the options choose of them."""

from __future__ import annotations

import bench_files
import bench_http
import bench_uploads
import bench_websocket
from measuring.command import run

if __name__ == "__main__":
    run(bench_http.KIND, bench_files.KIND, bench_uploads.KIND, bench_websocket.KIND)
