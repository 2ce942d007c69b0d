/* Fuzzing of the readers of freely written answers (scripts/fuzz). The first byte chooses the format. A legal grid
 * that was read must be the same after it was written in that format and read again. */
#include "encode/prompt_parse.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void require(bool condition) {
    if (!condition) abort();
}

typedef struct written {
    const ttt_prompt_format *format;
    char text[1 << 14];
} written;

static void write_piece(void *context, ttt_piece piece) {
    written *w = context;
    strcat(w->text, ttt_prompt_text(w->format, piece.part));
}

static bool read_legal(const ttt_prompt_format *format, const char *text, size_t bytes, ttt_grid *grid) {
    ttt_text_grid read;
    ttt_error err;
    bool found;
    require(ttt_prompt_parse(format, text, bytes, &read, &found, &err) == TTT_OK);
    const bool legal = found && ttt_text_grid_legal(&read, grid);
    ttt_text_grid_release(&read);
    return legal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes) {
    static written w;
    ttt_grid grid, again;
    if (bytes == 0) return 0;
    w.format = ttt_prompt_formats;
    for (int skip = data[0] % 4; skip > 0; skip--) w.format++;
    require(w.format->name != NULL);
    if (!read_legal(w.format, (const char *)data + 1, bytes - 1, &grid)) return 0;
    strcpy(w.text, ttt_prompt_text(w.format, TTT_PART_REPLY));
    ttt_answer_pieces(w.format, &grid, write_piece, &w);
    require(read_legal(w.format, w.text, strlen(w.text), &again) && ttt_grid_equal(&grid, &again));
    return 0;
}
