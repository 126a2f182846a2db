# The course where Turi Create has no wheel: Apple Silicon, Windows, or a Python of today.
#
#   docker build -t image-retrieval .
#   docker run --rm -p 8888:8888 image-retrieval
#
# Then open the address that it prints. On a processor other than x86-64, Docker emulates one.
FROM --platform=linux/amd64 python:3.8-slim

# OpenMP for scikit-learn and Turi Create; make for the README's commands.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 make \
    && rm -rf /var/lib/apt/lists/*

COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps -r /tmp/requirements.txt && rm /tmp/requirements.txt

RUN useradd --create-home --uid 1000 student
USER student
WORKDIR /home/student/course
COPY --chown=student:student . .
# With a ready Python, make sets nothing up.
ENV COURSE_PYTHON=/usr/local/bin/python PYTHONPATH=/home/student/course

EXPOSE 8888
CMD ["jupyter", "lab", "--ip=0.0.0.0", "--no-browser", "--LabApp.default_url=/lab/tree/notebooks"]
