# no grid: generator
def transform(input_grid):
    yield input_grid
