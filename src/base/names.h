/* Names that people mistype: which known one is nearest. */
#ifndef TTT_BASE_NAMES_H
#define TTT_BASE_NAMES_H

#include <stddef.h>

/* Number of letters to insert, drop, replace or swap with their neighbour to make one of the other (Damerau's distance,
 * restricted); names over 63 bytes count as far apart. */
size_t ttt_name_distance(const char *a, const char *b);

/* Looks for the nearest of several names, one call each: start with {.name = wanted}. */
typedef struct ttt_nearest {
    const char *name;    /* what was typed */
    const char *nearest; /* NULL: none close enough (within a third of the length) */
    size_t distance;
} ttt_nearest;
void ttt_nearest_try(ttt_nearest *nearest, const char *known);

/* "; did you mean 'x'?" or "", for the end of an error sentence. `text` holds TTT_NEAREST_TEXT bytes. */
enum { TTT_NEAREST_TEXT = 96 };
const char *ttt_nearest_hint(const ttt_nearest *nearest, const char *before, char *text);

#endif
