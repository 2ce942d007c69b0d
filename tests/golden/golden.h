/* The golden vectors of the method's reference implementation: one checker per file of the folder, and what they
 * share. A case is passed when every check in it holds; the first that does not is printed. Whatever deviates from the
 * schema (golden/README.md beside the vectors) fails its case. */
#ifndef TTT_TESTS_GOLDEN_H
#define TTT_TESTS_GOLDEN_H

#include "arc/leave_out.h"
#include "arc/task_read.h"

/* The tally of one file and the case under way. */
typedef struct golden {
    const char *file;
    size_t passed, failed, skipped;
    const char *skip_reason;
    bool case_failed;
    char label[128];
} golden;

void golden_begin(golden *g, const char *label, ...) __attribute__((format(printf, 2, 3)));
/* Fails the case under way; only its first reason is printed. Returns false. */
bool golden_fail(golden *g, const char *reason, ...) __attribute__((format(printf, 2, 3)));
void golden_end(golden *g);

static inline bool golden_holds(void) {
    return true;
} /* a call, so that a check may stand as a statement */
/* false, and the case failed, unless the condition holds; the rest is the reason in printf style. */
#define GOLDEN_CHECK(g, condition, ...) ((condition) ? golden_holds() : golden_fail((g), __VA_ARGS__))

/* --- Values from the vectors: on a mismatch the case fails and the result is NULL, false or -1 ---------------------
 */

/* Whether the object has exactly the members named (separated by blanks); those after a '|' may be missing. */
bool golden_has_members(golden *g, const json_t *object, const char *names);
const json_t *golden_list(golden *g, const json_t *object, const char *key);
const json_t *golden_object(golden *g, const json_t *object, const char *key);
const char *golden_string(golden *g, const json_t *object, const char *key);
/* An integer >= 0; -1 on a mismatch. */
int64_t golden_count(golden *g, const json_t *object, const char *key);
bool golden_number(golden *g, const json_t *value, double *number);
/* `empty`: [[]] is allowed, a grid of 1 x 0. */
bool golden_grid(golden *g, const json_t *value, bool empty, ttt_grid *grid);
bool golden_pair(golden *g, const json_t *value, ttt_pair *pair);
/* Pairs in fresh memory (ttt_free), at most TTT_DEMONSTRATIONS_MAX of them. */
ttt_pair *golden_pairs(golden *g, const json_t *list, size_t *count);
/* Small numbers 0..limit-1; returns how many, at most TTT_DEMONSTRATIONS_MAX. */
int golden_numbers(golden *g, const json_t *list, int limit, uint8_t *numbers);
bool golden_colours(golden *g, const json_t *list, ttt_colours *colours);
/* An empty list and no failure when `value` is null; otherwise the transform of that name. */
bool golden_transform(golden *g, const json_t *name, ttt_transform *transform);

/* --- The checkers; `root` is the whole file ----------------------------------------------------------------------- */

void golden_augmenters(golden *g, const json_t *root);
void golden_leave_n(golden *g, const json_t *root);
void golden_selection(golden *g, const json_t *root);
void golden_voting(golden *g, const json_t *root);
void golden_inference_queries(golden *g, const json_t *root);
void golden_eval(golden *g, const json_t *root);
void golden_lr_schedule(golden *g, const json_t *root);
void golden_formats(golden *g, const json_t *root);
void golden_decode(golden *g, const json_t *root);

#endif
