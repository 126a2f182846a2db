"""The process in which one submission is run: `python -m tools.classroom.worker JOB`."""

import sys

# jsonschema would build a grammar of internet addresses first, which takes seconds for each
# submission, and no notebook has any to be checked.
sys.modules["rfc3987_syntax"] = None

if __name__ == "__main__":
    from tools.classroom.execution import main

    main(sys.argv[1])
