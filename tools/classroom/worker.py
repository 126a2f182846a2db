"""The process in which one submission is run: `python -m tools.classroom.worker JOB`."""

import sys

if __name__ == "__main__":
    from tools.classroom.execution import main

    main(sys.argv[1])
