# ran: 5
import numpy as np


def transform(input_grid):
    return [[int(np.full(100 << 20, 5, np.uint8)[-1])]]  # of 128 MiB
