"""Dates as Turi Create counts them: seconds since 1970 in UTC, a date without zone being UTC."""

import datetime

_EPOCH = datetime.datetime(1970, 1, 1)


def moment(seconds):
    """Return the date without zone so many seconds after 1970 began."""
    return _EPOCH + datetime.timedelta(seconds=seconds)


def seconds(date):
    """Return the seconds from the beginning of 1970 to a date."""
    zone = date.utcoffset() or datetime.timedelta(0)
    return (date.replace(tzinfo=None) - zone - _EPOCH).total_seconds()


def later(date, seconds):
    """Return a date so many seconds later, the same for an undefined number."""
    return date if seconds != seconds else date + datetime.timedelta(seconds=seconds)


def earlier(date, seconds):
    """Return a date so many seconds earlier; an undefined number is refused."""
    if seconds != seconds:
        raise RuntimeError("Invalid microsecond value")
    return later(date, -seconds)
