# The course where Turi Create has no wheel: Apple Silicon, Windows, or a Python of today.
#
#   docker build -t image-retrieval .
#   docker run --rm -p 127.0.0.1:8888:8888 -v image-retrieval:/home/student/course image-retrieval
#
# Then open the address that it prints. The volume keeps what was changed for the next time;
# `docker volume rm image-retrieval` starts anew, and takes in a newer course.
# On a processor other than x86-64, Docker emulates one.
FROM --platform=linux/amd64 python:3.8.20-slim-bookworm

# OpenMP for scikit-learn and Turi Create; make and git for the README's commands.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git libgomp1 make \
    && rm -rf /var/lib/apt/lists/*

# The packages first: they need not be installed again for each change of the course. All extras
# are among them, because in the container no command installs any.
COPY requirements-all.txt /tmp/packages.txt
RUN pip install --no-cache-dir --no-deps -r /tmp/packages.txt && rm /tmp/packages.txt

RUN useradd --create-home --uid 1000 student
WORKDIR /home/student/course
COPY --chown=student:student . .
RUN chown student:student . && pip install --no-cache-dir --no-deps -e .

USER student
# With a ready Python, make sets nothing up. What the outside reaches must listen on all addresses.
ENV COURSE_PYTHON=/usr/local/bin/python LAB_OPTIONS="--ip=0.0.0.0 --no-browser"

EXPOSE 8888
CMD ["make", "lab"]
