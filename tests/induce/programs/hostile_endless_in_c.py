# time: out of time
def transform(input_grid):
    return sum(iter(int, 1))
