"""Set up the course's environments with uv, by any ``python3`` from 3.6 on, run in the project."""
