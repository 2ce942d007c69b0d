/* Properties of pieces. */
#include "induce/operations.h"

const char *ttt_property_name(ttt_property property) {
    static const char *const names[] = {
#define PROPERTY(NAME, word, meaning) word,
#include "induce/properties.def"
#undef PROPERTY
    };
    return names[property];
}

static int size_of(const ttt_piece *piece) {
    int size = 0;
    for (int i = 0; i < ttt_piece_area(piece); i++) size += piece->cells[i] != 0;
    return size;
}

int ttt_property_of(ttt_property property, const ttt_value *list, int index) {
    const ttt_piece *piece = &list->pieces[index];
    switch (property) {
    case TTT_PROPERTY_SIZE: return size_of(piece);
    case TTT_PROPERTY_HEIGHT: return piece->height;
    case TTT_PROPERTY_WIDTH: return piece->width;
    case TTT_PROPERTY_COUNT: break;
    }
    return 0;
}
