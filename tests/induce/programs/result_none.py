# no grid: NoneType
def transform(input_grid):
    input_grid.sort()
