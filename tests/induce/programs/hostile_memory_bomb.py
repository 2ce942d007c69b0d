# memory: out of memory
def transform(input_grid):
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))
