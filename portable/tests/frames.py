"""SFrames that hold every type and every coding, the same on both editions."""

import array
import datetime
import random

import numpy as np

ROWS = 700


def frames(turicreate):
    """Yield (name, {column: SArray or list}) for SFrames of all kinds."""
    rng = np.random.RandomState(0)
    zone = datetime.timezone(datetime.timedelta(hours=-5, minutes=-30))
    start = datetime.datetime(1800, 1, 2, 3, 4, 5, 678)

    def sparse(function):
        return [None if row % 7 == 3 else function(row) for row in range(ROWS)]

    def every(function):
        return [function(row) for row in range(ROWS)]

    def image(row):
        return raw_image(turicreate, rng.randint(0, 256, (2 + row % 3, 4, 3)).astype("uint8"))

    yield (
        "integers",
        {
            "ascending": every(int),
            "negative": every(lambda row: -row * row),
            "large": [int(value) for value in rng.randint(-(2**62), 2**62, ROWS)],
            "missing": sparse(int),
            "constant": every(lambda row: 7),
            "late": [None] * 100 + [1] * (ROWS - 100),
            "absent": turicreate.SArray([None] * ROWS, int),
        },
    )
    yield (
        "floats",
        {
            "any": rng.randn(ROWS).tolist(),
            "whole": every(float),
            "missing": sparse(lambda row: row / 3),
            "extreme": [float("inf"), float("-inf"), 1e308, 5e-324, -0.5] * (ROWS // 5),
        },
    )
    yield (
        "strings",
        {
            "few": ["a", "bb", "é:=;", "\0", ""] * (ROWS // 5),
            "many": every(lambda row: f"s{row} é\n"),
            "missing": sparse(lambda row: "x" * (row % 50)),
        },
    )
    yield (
        "vectors",
        {
            "doubles": every(lambda row: array.array("d", rng.rand(20))),
            "from_floats": every(lambda row: array.array("d", rng.rand(33).astype("f4"))),
            "ragged": every(lambda row: array.array("d", rng.rand(row % 7))),
            "missing": sparse(lambda row: array.array("d", [row, 2.5])),
            "whole": every(lambda row: array.array("d", [row, -row])),
        },
    )
    yield (
        "objects",
        {
            "list": every(lambda row: [1, "a", None, 2.5, [1, "q"], {"k": row}]),
            "dict": every(lambda row: {"a": row, 3: [1, 2], "é": {"z": None}}),
            "date": every(lambda row: start + datetime.timedelta(days=row, microseconds=row)),
            "zone": every(lambda row: datetime.datetime(2020, 1, 2, 3, 4, 5, 678, zone)),
            "image": every(image),
            "missing": sparse(image),
        },
    )
    yield (
        "arrays",
        {
            "matrix": every(lambda row: np.arange(6.0).reshape(2, 3) + row),
            "wide": every(lambda row: rng.rand(2, row % 4 + 1)),
        },
    )
    yield (
        "empty",
        {
            "i": turicreate.SArray([], int),
            "v": turicreate.SArray([], array.array),
            "s": turicreate.SArray([], str),
        },
    )
    yield "nothing", {}


def raw_image(turicreate, pixels):
    """Return the uncompressed image of an array (h, w, 3)."""
    data = pixels.tobytes()
    return turicreate.Image(
        _image_data=data,
        _image_data_size=len(data),
        _height=pixels.shape[0],
        _width=pixels.shape[1],
        _channels=3,
        _format_enum=2,
    )


def values(sframe):
    """Return every value of an SFrame as text, to be compared between editions."""
    return [
        (name, kind.__name__, _text(value))
        for name, kind in zip(sframe.column_names(), sframe.column_types())
        for value in sframe[name]
    ]


def _text(value):
    if hasattr(value, "_image_data"):
        size = (value.height, value.width, value.channels, value._format_enum)
        return f"{size} {bytes(value._image_data).hex()}"
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.tolist()}"
    return repr(value)


def printed_tables(turicreate, count=60):
    """Return the text and the HTML of tables whose names and values have all kinds of lengths."""
    rng = random.Random(3)
    make = {
        "s": lambda: "x" * rng.randint(1, 45),
        "i": lambda: 10 ** rng.randint(0, 17),
        "f": rng.random,
        "l": lambda: ["ab", 1, None],
        "d": lambda: {"k": "y" * rng.randint(1, 20)},
        "t": lambda: "a\tb\n" + "z" * rng.randint(1, 45),
    }
    printed = []
    for _ in range(count):
        rows, columns = rng.randint(0, 3), {}
        for number in range(rng.randint(1, 9)):
            name, kind = f"c{'n' * rng.randint(0, 40)}{number}", rng.choice(list(make))
            empty = turicreate.SArray([], str)
            columns[name] = [make[kind]() for _ in range(rows)] if rows else empty
        sframe = turicreate.SFrame(columns)
        sframe = sframe[sorted(columns)]
        printed += [str(sframe), repr(sframe), sframe._repr_html_()]
    return printed
