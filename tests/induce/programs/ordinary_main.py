# ran: 120120/003003
import numpy as np


def main(input_grid):
    return np.tile(input_grid, (1, 2))
