"""Set up the course's Python environment when it is missing or out of date.

Run by the machine's own ``python3``, whatever version that is, so nothing here needs more
than the standard library of Python 3.6. A finished environment holds a stamp, written last:
a folder without the right stamp is never taken for ready, and is made again from nothing.
"""
