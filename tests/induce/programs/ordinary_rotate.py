# ran: 03/20/10
import numpy as np


def transform(input_grid):
    return np.rot90(input_grid)
