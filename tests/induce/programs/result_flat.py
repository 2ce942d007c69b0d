# no grid: 1 dimensions
def transform(input_grid):
    return input_grid.ravel()
