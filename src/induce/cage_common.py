# The module `common` of programs that are run without a prelude: names that such programs take for granted.
import random
from collections import deque
from typing import *

import numpy as np


class Color:
    BLACK = 0
    BLUE = 1
    RED = 2
    GREEN = 3
    YELLOW = 4
    GREY = GRAY = 5
    PINK = 6
    ORANGE = 7
    TEAL = 8
    MAROON = 9
    ALL_COLORS = list(range(10))
    NOT_BLACK = list(range(1, 10))


def find_connected_components(grid, background=Color.BLACK, connectivity=4, monochromatic=True):
    """The objects of a grid, in reading order: each a grid of the same size with everything else background.
    Cells are neighbours along sides (connectivity 4) or corners too (8); monochromatic: only of equal colour."""
    if connectivity not in (4, 8):
        raise ValueError("connectivity is 4 or 8")
    reach = 1 if connectivity == 4 else 2
    steps = [(r, c) for r in (-1, 0, 1) for c in (-1, 0, 1) if 0 < abs(r) + abs(c) <= reach]
    grid = np.asarray(grid)
    seen = grid == background
    components = []
    for start in zip(*np.nonzero(~seen)):
        if seen[start]:
            continue
        component = np.full_like(grid, background)
        seen[start] = True
        waiting = deque([start])
        while waiting:
            row, column = waiting.popleft()
            component[row, column] = grid[row, column]
            for dr, dc in steps:
                r, c = row + dr, column + dc
                if not (0 <= r < grid.shape[0] and 0 <= c < grid.shape[1]) or seen[r, c]:
                    continue
                if monochromatic and grid[r, c] != grid[start]:
                    continue
                seen[r, c] = True
                waiting.append((r, c))
        components.append(component)
    return components


def bounding_box(grid, background=Color.BLACK):
    """(row, column, height, width) of what is not background; all 0 when there is nothing."""
    rows, columns = np.nonzero(np.asarray(grid) != background)
    if rows.size == 0:
        return 0, 0, 0, 0
    row, column = int(rows.min()), int(columns.min())
    return row, column, int(rows.max()) - row + 1, int(columns.max()) - column + 1


def crop(grid, background=Color.BLACK):
    """The part of a grid inside its bounding box."""
    row, column, height, width = bounding_box(grid, background)
    return np.asarray(grid)[row : row + height, column : column + width]
