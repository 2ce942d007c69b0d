# no grid: different lengths
def transform(input_grid):
    return [[1, 2], [3]]
