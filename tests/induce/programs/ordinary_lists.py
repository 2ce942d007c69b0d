# ran: 021/300
def transform(input_grid):
    return [list(reversed(row)) for row in input_grid.tolist()]
