# no grid: 3 dimensions
def transform(input_grid):
    return input_grid[None]
