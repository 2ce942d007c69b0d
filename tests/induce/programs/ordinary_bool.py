# ran: 110/001
def transform(input_grid):
    return input_grid > 0
