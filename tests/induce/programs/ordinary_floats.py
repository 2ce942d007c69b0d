# ran: 120/003
import numpy as np


def transform(input_grid):
    output = np.zeros(input_grid.shape)
    output[:, :] = input_grid
    return output
