"""What the model says, as tables in Markdown."""

from tools.simulation.model import extraction, insertion, machines, searches

# The steps of docs/cluster.md: pictures, workers of one core, shards.
WALK = ((1_000, 2, 1), (100_000, 8, 1), (1_000_000, 16, 1), (10_000_000, 64, 2))
GROWN = (10**7, 10**8, 10**9)
_WRITERS = 8
# Bytes of a number, and the share of all bytes (4 a number) that a query reads.
_WAYS = {
    "every number, all compared": (4, 1.0),
    "256 components, all compared": (4 * 256 / 1280, 256 / 1280),
    "one byte a number, a hundredth compared": (1, 0.01 / 4),
}


def walk(how):
    """Return what each step from a laptop to a cluster costs."""
    lines = [
        "| pictures | on disk | vectors | workers | extraction | insertion |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for n, workers, shards in WALK:
        hours, _ = extraction(n, workers, how)
        cells = (
            f"{n:,}",
            size(n * how.picture),
            size(4 * n * how.d),
            str(workers),
            duration(hours),
            duration(insertion(n, _WRITERS, shards, how)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def grown(how, replicas=2):
    """Return what 10⁷, 10⁸ and 10⁹ vectors need, and how queries fare at half the full load."""
    head = (
        "vectors",
        "how they are kept",
        "machines",
        "extraction with 64 workers",
        "workers that die",
        "queries a second",
        "half within",
        "99 % within",
    )
    lines = [f"| {' | '.join(head)} |", "| ---: | --- |" + " ---: |" * 6]
    for n in GROWN:
        hours, deaths = extraction(n, 64, how)
        for way, (number, share) in _WAYS.items():
            shards = machines(n, number * how.d, how)
            full = replicas * how.scanned * shards / (share * n)
            found = searches(n, shards, replicas, full / 2, how, 400, share)
            cells = (f"{n:,}", way, str(shards * replicas), duration(hours), f"{deaths:,}")
            times = (f"{full / 2:,.2f}", seconds(found.median), seconds(found.slow))
            lines.append(f"| {' | '.join(cells + times)} |")
    return "\n".join(lines)


def size(count):
    """Return bytes as a person reads them.

    Examples
    --------
    >>> size(5_120_000), size(1e12)
    ('5.1 MB', '1.0 TB')
    """
    names = ("MB", "GB", "TB", "PB")
    power = next((p for p in range(3) if count < 1e9 * 1000**p), 3)
    return f"{count / 1000 ** (power + 2):,.1f} {names[power]}"


def duration(hours):
    """Return hours as a person reads them.

    Examples
    --------
    >>> duration(0.001), duration(0.5), duration(30), duration(100)
    ('4 s', '30 min', '30.0 h', '4.2 days')
    """
    if hours < 1 / 60:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def seconds(value):
    """Return seconds as a person reads them."""
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"
