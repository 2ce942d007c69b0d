# raised: line 3: ValueError: ?[31mred?[0m ????
def transform(input_grid):
    raise ValueError("\x1b[31mred\x1b[0m \n\x00\x9bé")
