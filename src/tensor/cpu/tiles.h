/* The AMX tiles as every product here uses them: all eight of 16 rows of 64 bytes. Tiles 0 to 3 are C (2 × 2), 4 and 5
 * are A, 6 and 7 are B. For files compiled for AMX only. */
#ifndef TTT_TENSOR_CPU_TILES_H
#define TTT_TENSOR_CPU_TILES_H

#include <immintrin.h>
#include <stdint.h>

/* A thread's tiles: to be begun before its first product and ended after its last. */
static inline void tiles_begin(void) {
    struct {
        uint8_t palette, start_row, zero[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

static inline void tiles_end(void) {
    _tile_release();
}

#endif
