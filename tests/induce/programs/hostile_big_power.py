# time: out of time
def transform(input_grid):
    return [[(10**9) ** (10**8) % 10]]
