# forbidden: PermissionError
import os


def transform(input_grid):
    while True:
        os.fork()
