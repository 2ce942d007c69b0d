# ran: 321
import collections, copy, dataclasses, enum, functools, heapq, itertools, json, math, operator, random, re, string
from typing import List

import numpy.linalg

import numpy as np


@dataclasses.dataclass
class Cell:
    colour: int


class Direction(enum.Enum):
    UP = 1


def transform(input_grid: np.ndarray):
    cells: List[Cell] = [Cell(int(c)) for c in copy.deepcopy(input_grid).flat if c]
    assert np.linalg.matrix_rank(input_grid) == 2 and json.loads("[1]") == [1]
    assert re.sub("a+", "b", "caat") == "cbt" and Direction(1) is Direction.UP
    return np.array([sorted((c.colour for c in cells), reverse=True)])
