# raised: line 3: ZeroDivisionError: division by zero
def transform(input_grid):
    return 1 / 0
