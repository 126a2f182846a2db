"""What maintainers run: the sample builder, the benchmarks, the notebook runner."""
