/* Frozen weights in block formats (dtype.h), kept as compact as in their file but in the order of a packed matrix, so
 * that a panel is unpacked by loads side by side.
 *
 * W [rows, columns] lies in tiles of 32 rows by 32 columns, the tiles of 32 rows one after the other: a panel of Wᵀ. In
 * a tile, the 32 of n lie side by side. Tiles along k that share a block of the format share a head:
 *
 *            tiles a head   head, per n   tile: scales, per n    then numbers
 *
 *   Q8_0              1       d             -                      8 bits each, at k · 32 + n
 *
 *   Q4_0              1       d             -                      nibbles: byte k / 2 · 32 + n, even k the lower
 *
 *   Q4_K              8       d, dmin       scale, minimum         nibbles
 *
 *   Q6_K              8       d             of k < 16, of others   nibbles (lower four bits), then pairs of bits: byte
 *                                                                  k / 4 · 32 + n, lowest ones for the least k
 *
 * Numbers and scales are stored as the formats have them, so the only bytes more are Q4_K's scales: 8 bits, not 6. */
#ifndef TTT_TENSOR_CPU_BLOCKS_H
#define TTT_TENSOR_CPU_BLOCKS_H

#include "tensor/cpu/cpu.h"

/* Takes memory for W, all zero; false when there is none. `columns` is a multiple of the format's block. */
bool ttt_cpu_blocks_init(ttt_blocks *blocks, ttt_dtype dtype, size_t rows, size_t columns);
/* Fills the row tile `tile` from W's rows as they lie in a file. */
void ttt_cpu_blocks_pack(ttt_blocks *blocks, const void *data, size_t rows, size_t columns, size_t tile);
/* A tile, and the head that it shares. */
const uint8_t *ttt_cpu_blocks_tile(const ttt_blocks *blocks, size_t row_tile, size_t column_tile, const uint8_t **head);

#endif
