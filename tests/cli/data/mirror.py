def transform(grid):
    return grid[:, ::-1]
