# no grid: not colours
import os


def transform(input_grid):
    return [[os.system("touch /tmp/escaped")]]  # -1: it cannot fork
