#include "base/names.h"

#include <stdio.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Three rows of the usual table are enough: the swap looks back two. */
size_t ttt_name_distance(const char *a, const char *b) {
    size_t a_length = strlen(a), b_length = strlen(b);
    size_t rows[3][NAME_MAX_BYTES + 1];
    if (a_length > NAME_MAX_BYTES || b_length > NAME_MAX_BYTES) return NAME_MAX_BYTES + 1;
    for (size_t j = 0; j <= b_length; j++) rows[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *higher = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], higher[j - 2] + 1);
        }
    }
    return rows[a_length % 3][b_length];
}

void ttt_nearest_try(ttt_nearest *nearest, const char *known) {
    size_t distance = ttt_name_distance(nearest->name, known);
    size_t close = least(strlen(nearest->name) / 3 + 1, 4);
    if (distance <= close && (nearest->nearest == NULL || distance < nearest->distance)) {
        nearest->nearest = known;
        nearest->distance = distance;
    }
}

const char *ttt_nearest_hint(const ttt_nearest *nearest, const char *before, char *text) {
    if (nearest->nearest == NULL) return "";
    snprintf(text, TTT_NEAREST_TEXT, "; did you mean '%s%s'?", before, nearest->nearest);
    return text;
}
