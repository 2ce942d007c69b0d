# raised: line 2: SyntaxError
def transform(input_grid) return input_grid
