# raised: cannot be printed
class Error(Exception):
    def __str__(self):
        raise self


def transform(input_grid):
    raise Error
