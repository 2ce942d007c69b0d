# no grid: not colours
def transform(input_grid):
    return input_grid * 0 + 266  # 10 in eight bits
