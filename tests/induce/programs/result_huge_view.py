# no grid: outside 1 x 1 to 30 x 30
import numpy as np


def transform(input_grid):
    return np.broadcast_to(np.int8(1), (1 << 30, 1 << 30))
