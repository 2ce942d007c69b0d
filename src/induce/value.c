/* Values: rules, equality, hashing, and making them in scratch memory. */
#include "induce/value.h"

#include "base/random.h"

#include <string.h>

enum { SCRATCH_BYTES = 1 << 20 };

const char *ttt_value_type_name(ttt_value_type type) {
    static const char *const names[] = {
#define TYPE(NAME, word) word,
        TTT_VALUE_TYPES(TYPE)
#undef TYPE
    };
    return names[type];
}

static bool piece_equal(const ttt_piece *a, const ttt_piece *b) {
    return a->row == b->row && a->column == b->column && a->height == b->height && a->width == b->width &&
           memcmp(a->cells, b->cells, (size_t)ttt_piece_area(a)) == 0;
}

bool ttt_value_equal(const ttt_value *a, const ttt_value *b) {
    if (a->type != b->type || a->count != b->count || a->number != b->number) return false;
    for (int i = 0; i < a->count; i++) {
        if (!piece_equal(&a->pieces[i], &b->pieces[i])) return false;
    }
    return true;
}

/* A multiply and a fold a word: these hashes are most of what telling values apart costs. */
static uint64_t mix(uint64_t hash, uint64_t word) {
    const unsigned __int128 product = (unsigned __int128)(hash ^ word) * 0x9e3779b97f4a7c15u;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_cells(uint64_t hash, const uint8_t *cells, size_t count) {
    uint64_t word;
    size_t i = 0;
    for (; i + sizeof word <= count; i += sizeof word) {
        memcpy(&word, cells + i, sizeof word);
        hash = mix(hash, word + 1);
    }
    word = 0;
    memcpy(&word, cells + i, count - i);
    return mix(hash, word + count);
}

uint64_t ttt_value_hash(uint64_t hash, const ttt_value *value) {
    hash = mix(hash, (uint64_t)value->type << 32 | (uint64_t)value->count << 16 | (uint16_t)value->number);
    for (int i = 0; i < value->count; i++) {
        const ttt_piece *piece = &value->pieces[i];
        hash = mix(hash, (uint64_t)(uint8_t)piece->row << 24 | (uint64_t)(uint8_t)piece->column << 16 |
                             (uint64_t)piece->height << 8 | piece->width);
        hash = hash_cells(hash, piece->cells, (size_t)ttt_piece_area(piece));
    }
    return hash;
}

static bool piece_valid(const ttt_piece *piece, int colours) {
    if (piece->height < 1 || piece->height > TTT_PIECE_SIDE || piece->width < 1 || piece->width > TTT_PIECE_SIDE ||
        piece->row < -TTT_PIECE_OFFSET || piece->row > TTT_PIECE_OFFSET || piece->column < -TTT_PIECE_OFFSET ||
        piece->column > TTT_PIECE_OFFSET) {
        return false;
    }
    for (int i = 0; i < ttt_piece_area(piece); i++) {
        if (piece->cells[i] >= colours) return false;
    }
    return true;
}

bool ttt_value_valid(const ttt_value *value) {
    if (value->type >= TTT_VALUE_TYPE_COUNT) return false;
    if (!ttt_value_type_has_pieces(value->type)) {
        const int limit = value->type == TTT_VALUE_COLOUR      ? TTT_COLOURS - 1
                          : value->type == TTT_VALUE_DIRECTION ? TTT_DIRECTION_COUNT - 1
                                                               : TTT_NUMBER_MAX;
        return value->count == 0 && value->number <= limit &&
               value->number >= (value->type == TTT_VALUE_NUMBER ? -limit : 0);
    }
    if (value->count < 1 || value->count > (value->type == TTT_VALUE_LIST ? TTT_LIST_MAX : 1)) return false;
    for (int i = 0; i < value->count; i++) {
        if (!piece_valid(&value->pieces[i], value->type == TTT_VALUE_MASK ? 2 : TTT_COLOURS)) return false;
    }
    return true;
}

size_t ttt_value_bytes(const ttt_value *value) {
    size_t bytes = value->count * sizeof *value->pieces;
    for (int i = 0; i < value->count; i++) bytes += (size_t)ttt_piece_area(&value->pieces[i]);
    return bytes;
}

bool ttt_value_copy(ttt_arena *arena, const ttt_value *value, ttt_value *copy) {
    *copy = *value;
    if (value->count == 0) return true;
    uint8_t *memory = ttt_arena_allocate(arena, ttt_value_bytes(value), 1);
    if (memory == NULL) return false;
    copy->pieces = (ttt_piece *)memory;
    memory += value->count * sizeof *value->pieces;
    for (int i = 0; i < value->count; i++) {
        const size_t area = (size_t)ttt_piece_area(&value->pieces[i]);
        copy->pieces[i] = value->pieces[i];
        copy->pieces[i].cells = memcpy(memory, value->pieces[i].cells, area);
        memory += area;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------- scratch memory */

ttt_status ttt_scratch_init(ttt_scratch *scratch, ttt_error *err) {
    *scratch = (ttt_scratch){.memory = ttt_allocate(SCRATCH_BYTES, 1), .bytes = SCRATCH_BYTES};
    if (scratch->memory != NULL) return TTT_OK;
    return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a program search");
}

void ttt_scratch_release(ttt_scratch *scratch) {
    ttt_free(scratch->memory);
    *scratch = (ttt_scratch){0};
}

void *ttt_scratch_allocate(ttt_scratch *scratch, size_t bytes) {
    const size_t rounded = (bytes + 15) & ~(size_t)15;
    if (rounded > scratch->bytes - scratch->used) return NULL;
    void *memory = scratch->memory + scratch->used;
    scratch->used += rounded;
    return memset(memory, 0, rounded);
}

bool ttt_piece_new(ttt_scratch *scratch, int row, int column, int height, int width, ttt_piece *piece) {
    if (height < 1 || width < 1 || height > TTT_PIECE_SIDE || width > TTT_PIECE_SIDE || row < -TTT_PIECE_OFFSET ||
        row > TTT_PIECE_OFFSET || column < -TTT_PIECE_OFFSET || column > TTT_PIECE_OFFSET) {
        return false;
    }
    *piece = (ttt_piece){.row = (int8_t)row,
                         .column = (int8_t)column,
                         .height = (uint8_t)height,
                         .width = (uint8_t)width,
                         .cells = ttt_scratch_allocate(scratch, (size_t)(height * width))};
    return piece->cells != NULL;
}

bool ttt_piece_copy(ttt_scratch *scratch, const ttt_piece *from, ttt_piece *piece) {
    if (!ttt_piece_new(scratch, from->row, from->column, from->height, from->width, piece)) return false;
    memcpy(piece->cells, from->cells, (size_t)ttt_piece_area(from));
    return true;
}

static bool new_single(ttt_scratch *scratch, ttt_value_type type, const ttt_piece *piece, ttt_value *value) {
    *value = (ttt_value){.type = (uint8_t)type, .count = 1, .pieces = ttt_scratch_allocate(scratch, sizeof *piece)};
    if (value->pieces == NULL) return false;
    value->pieces[0] = *piece;
    return true;
}

bool ttt_value_new_grid(ttt_scratch *scratch, int row, int column, int height, int width, ttt_value *value) {
    ttt_piece piece;
    return ttt_piece_new(scratch, row, column, height, width, &piece) &&
           new_single(scratch, TTT_VALUE_GRID, &piece, value);
}

bool ttt_value_new_mask(ttt_scratch *scratch, int row, int column, int height, int width, ttt_value *value) {
    ttt_piece piece;
    return ttt_piece_new(scratch, row, column, height, width, &piece) &&
           new_single(scratch, TTT_VALUE_MASK, &piece, value);
}

bool ttt_value_new_list(ttt_scratch *scratch, ttt_value *value) {
    *value = (ttt_value){.type = TTT_VALUE_LIST,
                         .pieces = ttt_scratch_allocate(scratch, TTT_LIST_MAX * sizeof *value->pieces)};
    return value->pieces != NULL;
}

bool ttt_list_push(ttt_value *list, ttt_piece piece) {
    if (list->count >= TTT_LIST_MAX) return false;
    list->pieces[list->count++] = piece;
    return true;
}

bool ttt_value_new_number(ttt_value_type type, int number, ttt_value *value) {
    if (number < -TTT_NUMBER_MAX || number > TTT_NUMBER_MAX) return false;
    *value = (ttt_value){.type = (uint8_t)type, .number = (int16_t)number};
    return ttt_value_valid(value);
}

bool ttt_value_from_grid(ttt_scratch *scratch, const ttt_grid *grid, ttt_value *value) {
    if (!ttt_value_new_grid(scratch, 0, 0, grid->height, grid->width, value)) return false;
    memcpy(value->pieces[0].cells, grid->cells, (size_t)ttt_grid_area(grid));
    return true;
}

bool ttt_value_to_grid(const ttt_value *value, ttt_grid *grid) {
    if (value->type != TTT_VALUE_GRID && value->type != TTT_VALUE_MASK) return false;
    const ttt_piece *piece = &value->pieces[0];
    grid->height = piece->height;
    grid->width = piece->width;
    memcpy(grid->cells, piece->cells, (size_t)ttt_piece_area(piece));
    return true;
}
