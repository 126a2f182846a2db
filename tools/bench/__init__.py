"""Benchmarks: figures that are ratios of things measured side by side."""
