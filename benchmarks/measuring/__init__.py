"""What all benchmarks share: pinned servers, wrk, rounds and the report.

A kind of benchmark is a module ``bench_<kind>.py`` with a `Kind`: its scenarios and the servers
that are measured in them. ``python benchmarks`` runs all kinds, ``python bench_<kind>.py`` one.
"""
