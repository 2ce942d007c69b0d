# output: wrote more than a result
import os


def transform(input_grid):
    while True:
        os.write(3, b"\0" * 65536)
