# no grid: type object
def transform(input_grid):
    return input_grid.astype(object)
