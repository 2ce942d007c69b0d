# forbidden: PermissionError
import numpy as np


def transform(input_grid):
    np.save("/tmp/escaped.npy", input_grid)
