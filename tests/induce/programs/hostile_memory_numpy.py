# memory: out of memory
import numpy as np


def transform(input_grid):
    return np.ones((1 << 20, 1 << 20), np.int64)
