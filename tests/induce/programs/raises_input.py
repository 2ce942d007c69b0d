# raised: RuntimeError
def transform(input_grid):
    return input("your answer? ")
