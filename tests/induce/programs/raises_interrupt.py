# raised: KeyboardInterrupt
def transform(input_grid):
    raise KeyboardInterrupt
