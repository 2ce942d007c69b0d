#!/usr/bin/env python3
"""Prints the golden numbers of tests/tensor/test_dtype.c: what the `gguf` package makes of one block of each format.

    make_dtype_golden.py        (needs the Python packages gguf and numpy)

Byte i of a block is (73 i + 41) mod 256, but its scales d (and dmin) are the nearest halves to 0.0123 (and 0.0456). The
sum is of the bits of number i as float32 times i + 1: it sees every bit of every number and its place."""
import numpy
from gguf import GGMLQuantizationType
from gguf.quants import dequantize

# Format: bytes of a block, where d lies, where dmin.
FORMATS = {"Q8_0": (34, 0, None), "Q4_0": (18, 0, None), "Q4_K": (144, 0, 2), "Q6_K": (210, 208, None)}

for name, (size, d, d_minimum) in FORMATS.items():
    block = numpy.array([(73 * i + 41) % 256 for i in range(size)], dtype=numpy.uint8)
    for at, value in (d, 0.0123), (d_minimum, 0.0456):
        if at is not None:
            block[at : at + 2] = numpy.frombuffer(numpy.float16(value).tobytes(), dtype=numpy.uint8)
    numbers = dequantize(block.reshape(1, -1), GGMLQuantizationType[name]).reshape(-1).astype(numpy.float32)
    total = sum(int(bits) * (i + 1) for i, bits in enumerate(numbers.view(numpy.uint32)))
    some = ", ".join(f"[{i}] {numbers[i]:.9g}" for i in (0, 17, len(numbers) - 1))
    print(f"{name}: sum {total}; {some}")
