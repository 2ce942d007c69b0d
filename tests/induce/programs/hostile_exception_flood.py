# raised: line 3: ValueError: xxxx
def transform(input_grid):
    raise ValueError("x" * 10000000)
