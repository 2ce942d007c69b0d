# memory: out of memory
def transform(input_grid):
    return "x" * (1 << 40)
