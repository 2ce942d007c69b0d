# no grid: type complex
def transform(input_grid):
    return input_grid * 1j
