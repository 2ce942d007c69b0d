# ran: 30/02/01
def transform(input_grid):
    input_grid[0] = input_grid[0]
    return input_grid[::-1, ::-1].T
