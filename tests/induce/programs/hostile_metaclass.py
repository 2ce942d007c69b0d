# raised: ValueError
class Meta(type):
    @property
    def __name__(cls):
        raise ValueError("no name")


class Liar(metaclass=Meta):
    pass


def transform(input_grid):
    return Liar()
