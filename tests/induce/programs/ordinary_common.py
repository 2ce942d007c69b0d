# ran: 3
from common import *


def transform(input_grid: np.ndarray) -> np.ndarray:
    objects = find_connected_components(input_grid, background=Color.BLACK, connectivity=4, monochromatic=True)
    assert len(objects) == 3
    assert len(find_connected_components(input_grid, connectivity=4, monochromatic=False)) == 2
    assert len(find_connected_components(input_grid, connectivity=8, monochromatic=False)) == 1
    assert bounding_box(input_grid) == (0, 0, 2, 3) and bounding_box(np.zeros((2, 2))) == (0, 0, 0, 0)
    return crop(objects[-1])
