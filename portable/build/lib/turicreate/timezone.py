"""Time zones as SFrames keep them: a fixed number of quarter hours from UTC."""

import datetime


class FixedOffset(datetime.tzinfo):
    """A zone `hours` ahead of UTC, named as Turi Create names it, `GMT +1.5`.

    >>> datetime.datetime(2020, 1, 1, tzinfo=FixedOffset(1.5)).isoformat()
    '2020-01-01T00:00:00+01:30'
    """

    def __init__(self, hours=0):
        self.offset = hours

    def utcoffset(self, _moment):
        """Return the offset from UTC."""
        return datetime.timedelta(minutes=self.offset * 60)

    def dst(self, _moment):
        """Return no daylight saving time."""
        return datetime.timedelta(0)

    def tzname(self, _moment):
        """Return the zone's name."""
        return f"GMT {float(self.offset):+}"

    def __getinitargs__(self):
        return (self.offset,)

    def __eq__(self, other):
        return isinstance(other, FixedOffset) and other.offset == self.offset

    def __hash__(self):
        return hash(self.offset)

    def __repr__(self):
        return self.tzname(None)
