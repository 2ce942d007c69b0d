# no grid: not colours
import os

reached = []
for number in range(1024):
    if number == 3:
        continue  # its own pipe: hostile_forge_*
    for use in (lambda: os.write(number, b"\0garbage"), lambda: os.read(number, 1), lambda: os.dup(number)):
        try:
            use()
            reached.append(number)
        except OSError:
            pass
assert not reached, reached


def transform(input_grid):
    return [[-1]]
