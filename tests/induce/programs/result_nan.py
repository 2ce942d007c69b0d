# no grid: not colours
import numpy as np


def transform(input_grid):
    return np.full((2, 2), np.nan)
