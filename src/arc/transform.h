/* Transforms of grids: the 23 of the method and what they are made of; the eight symmetries of the square; colour
 * maps. A transform acts on every input and output of a task alike. */
#ifndef TTT_ARC_TRANSFORM_H
#define TTT_ARC_TRANSFORM_H

#include "arc/task.h"
#include "base/random.h"

typedef enum ttt_step_kind {
    TTT_STEP_ROTATE,    /* a = 90, 180 or 270 degrees, counter-clockwise */
    TTT_STEP_FLIP,      /* a = axis: 0 upside down, 1 mirrored */
    TTT_STEP_TRANSPOSE, /* rows become columns */
    TTT_STEP_REFLECT,   /* a = axis, b = reverse: the grid joined with its mirror image; reverse puts the image first */
    TTT_STEP_REPEAT,    /* a = axis (0 down, 1 right, 2 both), b = number of copies */
    TTT_STEP_HEIGHT,    /* every row a times */
    TTT_STEP_WIDTH,     /* every column a times */
    TTT_STEP_SCALE,     /* every cell an a x a block */
    TTT_STEP_SHIFT,     /* cyclic: a rows down, b columns right */
    TTT_STEP_CONCAT     /* a = axis: the grid, then its half-turned copy below (0) or to the right (1) */
} ttt_step_kind;

typedef struct ttt_step {
    uint8_t kind; /* ttt_step_kind */
    int16_t a, b;
} ttt_step;

/* Steps done one after the other; no step is the identity. */
enum { TTT_STEPS_MAX = 4 };
typedef struct ttt_transform {
    uint8_t count;
    ttt_step steps[TTT_STEPS_MAX];
} ttt_transform;

/* False, *out unspecified, when a grid on the way gets a side over 30. `out` may be `grid`. */
bool ttt_transform_apply(const ttt_transform *transform, const ttt_grid *grid, ttt_grid *out);
bool ttt_transform_apply_pair(const ttt_transform *transform, const ttt_pair *pair, ttt_pair *out);
/* False where there is none: whatever enlarges (the reference defines none either), and shifts, whose inverse depends
 * on the shape of the grid. Rotations, flips, transpose and chains of those have one. */
bool ttt_transform_inverse(const ttt_transform *transform, ttt_transform *inverse);
/* As in the reference: "Rotate(90)", "Flip(0)", "Transpose()", "Reflect(0, reverse=True)", "Repeat(2, 2)",
 * "IncreaseHeight(2)", "IncreaseResolution(2)", "RandomTranslateXY()", "Chain([Flip(0), IncreaseResolution(2)])",
 * "Concat((IdentityAugmenter(), Rotate(180)), axis=0)", "IdentityAugmenter()". `name` holds TTT_TRANSFORM_NAME bytes.
 */
enum { TTT_TRANSFORM_NAME = 128 };
void ttt_transform_name(const ttt_transform *transform, char *name);
/* The other way; false for a name that is none. "RandomTranslateXY()" becomes a shift by (0, 0). */
bool ttt_transform_from_name(const char *name, ttt_transform *transform);
bool ttt_transform_equal(const ttt_transform *a, const ttt_transform *b);
/* True when a result can have more cells than the grid (reflect, repeat, scale, concat). */
bool ttt_transform_enlarges(const ttt_transform *transform);
bool ttt_transform_has_shift(const ttt_transform *transform);

/* The 23 transforms of the method in the order of the reference; index 0..22. Shifts are (0, 0), to be drawn. */
enum { TTT_METHOD_TRANSFORMS = 23 };
const ttt_transform *ttt_method_transform(int index);

/* The eight symmetries of the square, for views: a byte 0..7. Bit 2 set: transposed first; the low bits: then so many
 * quarter turns counter-clockwise. 0 is the identity. */
typedef uint8_t ttt_symmetry;
enum { TTT_SYMMETRIES = 8 };
void ttt_symmetry_apply(ttt_symmetry symmetry, const ttt_grid *grid, ttt_grid *out); /* out must not be grid */
ttt_symmetry ttt_symmetry_inverse(ttt_symmetry symmetry);
ttt_symmetry ttt_symmetry_compose(ttt_symmetry first, ttt_symmetry second);
const ttt_transform *ttt_symmetry_transform(ttt_symmetry symmetry); /* one named step (or none, or a chain of two) */

/* Colour maps: cell v becomes map[v]. */
typedef struct ttt_colours {
    uint8_t map[TTT_COLOURS];
} ttt_colours;
ttt_colours ttt_colours_identity(void);
bool ttt_colours_are_identity(const ttt_colours *colours);
void ttt_colours_apply(const ttt_colours *colours, const ttt_grid *grid, ttt_grid *out); /* out may be grid */
void ttt_colours_apply_pair(const ttt_colours *colours, const ttt_pair *pair, ttt_pair *out);
/* Undoes the map on the colours that `used` (bit c = colour c) becomes; the other colours map to themselves.
 * False when the map is not one-to-one on `used`. Use 0x3ff for a permutation. */
bool ttt_colours_inverse(const ttt_colours *colours, uint16_t used, ttt_colours *inverse);
/* Ours: a random permutation of 1..9, or, with probability zero_moves, of 0..9. */
ttt_colours ttt_colours_random(ttt_random *random, double zero_moves);
/* The reference's rule: 0 stays; the colours in `used` go to colours outside `used` first, and only when those run
 * out are colours of the task swapped in pairs. One-to-one on `used`, not always a permutation. */
ttt_colours ttt_colours_reference(ttt_random *random, uint16_t used);
/* Whether the reference's rule could have drawn this map for these colours (golden vectors). */
bool ttt_colours_reference_legal(const ttt_colours *colours, uint16_t used);

#endif
