#!/usr/bin/env bash
# Gradescope runs this once, as root and with a network, when the autograder is uploaded.
set -euo pipefail
apt-get update
apt-get install --yes --no-install-recommends python3 python3-venv libgomp1 util-linux
cd /autograder/source/course
python3 -m tools.environment setup portable +classroom
# The code of a submission runs as another user, who needs the course and nothing else.
chmod -R a+rX /autograder/source/course
chmod -R go-rwx /autograder/source/assignments
