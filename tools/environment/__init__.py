"""Set up the course's environments with uv, by any ``python3`` from 3.8 on, in the project."""
