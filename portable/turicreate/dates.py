"""Dates as Turi Create counts them: seconds since 1970 in UTC, a date without zone being UTC."""

import datetime
import re

from .timezone import FixedOffset

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


#: What `split_datetime` gives for each name.
PARTS = {
    "year": lambda date: date.year,
    "month": lambda date: date.month,
    "day": lambda date: date.day,
    "hour": lambda date: date.hour,
    "minute": lambda date: date.minute,
    "second": lambda date: date.second,
    "us": lambda date: date.microsecond,
    "weekday": lambda date: date.weekday(),
    "isoweekday": lambda date: date.isoweekday(),
    "tmweekday": lambda date: date.isoweekday() % 7,
    "timezone": lambda date: zone_hours(date),
}
# Turi Create reads %p as small letters and %P as large ones.
_HALVES = {"%p": re.compile("am|pm"), "%P": re.compile("AM|PM")}
_ZONE = re.compile(r"\s?(?:GMT|UTC)?([+-])(\d\d):?(\d\d)?$")


def zone_hours(date):
    """Return the hours of a date's zone from UTC, or None."""
    offset = date.utcoffset()
    return None if offset is None else offset.total_seconds() / 3600


def as_text(date, form):
    """Return a date in a form of `strftime`, in which %ZP stands for the zone."""
    zone = date.utcoffset()
    text = ""
    if zone is not None:
        minutes = int(abs(zone.total_seconds())) // 60
        sign = "-" if zone.total_seconds() < 0 else "+"
        text = f"GMT{sign}{minutes // 60:02}" + (f":{minutes % 60:02}" if minutes % 60 else "")
    return date.strftime(form.replace("%ZP", text))


def from_text(text, form):
    """Return the date of a text in a form of `strptime`, in which %ZP stands for the zone."""
    zone, rest = None, text
    # Turi Create's other signs: a fraction of seconds, and a zone without its name.
    form = form.replace("%F", ".%f" if "." in text else "").replace("%q", "%ZP")
    if "%ZP" in form:
        found = _ZONE.search(text)
        if found:
            sign = -1 if found[1] == "-" else 1
            zone = FixedOffset(sign * (int(found[2]) + int(found[3] or 0) / 60))
            rest = text[: found.start()]
        form = form.replace("%ZP", "").strip()
    try:
        date = datetime.datetime.strptime(rest.strip(), form.replace("%P", "%p"))
        date = date.replace(tzinfo=zone)
        for sign in _HALVES:
            date = _with_half(date, rest, form, sign) if sign in form else date
        return date
    except ValueError:
        raise RuntimeError(f"Unable to interpret {text} as string with {form} format") from None


def _with_half(date, text, form, sign):
    """Return a date in its half of the day: Turi Create reads am and pm after an hour."""
    before = form.split(sign)[0]
    half = _HALVES[sign].search(text)
    if half is None or not ("%H" in before or "%I" in before):
        raise ValueError(text)
    if "%I" in form:
        return date
    if half[0].lower() == "pm" and date.hour > 12:
        raise ValueError(text)
    late = 12 * (half[0].lower() == "pm")
    return date.replace(hour=late + date.hour % 12 if date.hour <= 12 else date.hour)


def split(dates, prefix, parts, timezone):
    """Return {name: values} of the parts of dates."""
    parts = ["year", "month", "day", "hour", "minute", "second"] if parts is None else list(parts)
    parts += ["timezone"] if timezone else []
    result = {}
    for part in parts:
        if part not in PARTS:
            raise ValueError(f"'{part}' is no part of a date; there are {', '.join(PARTS)}")
        values = [None if date is None else PARTS[part](date) for date in dates]
        result[f"{prefix}.{part}" if prefix else part] = values
    return result
