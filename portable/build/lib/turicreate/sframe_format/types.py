"""Type numbers of the format and the Python types that stand for them."""

import array
import datetime

import numpy as np

from ..image import Image

INT, FLOAT, STRING, VECTOR, LIST, DICT, DATETIME, UNDEFINED, IMAGE, NDARRAY = range(10)

PYTHON_TYPES = {
    INT: int,
    FLOAT: float,
    STRING: str,
    VECTOR: array.array,
    LIST: list,
    DICT: dict,
    DATETIME: datetime.datetime,
    UNDEFINED: type(None),
    IMAGE: Image,
    NDARRAY: np.ndarray,
}
TYPE_NUMBERS = {python_type: number for number, python_type in PYTHON_TYPES.items()}
