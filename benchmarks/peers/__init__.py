"""What the public pages are measured beside: see `benchmarks.reads`."""
