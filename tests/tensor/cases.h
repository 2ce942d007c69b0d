/* The one table of operation cases that every mode of test runs: shapes, packings, masks and adapters chosen so that
 * every branch of a kernel is taken. All numbers of a case (ids, positions, ranges, pages, adapters) are functions of a
 * sequence's number and a token's place in it, so that any part of a case can be run as a batch of its own. */
#ifndef TTT_TESTS_TENSOR_CASES_H
#define TTT_TESTS_TENSOR_CASES_H

#include "tensor/backend.h"

enum { CASE_SEQUENCES = 8, CASE_TOKENS = 1100, CASE_ADAPTERS = 3, CASE_PAGES = 48 };

typedef enum case_mask {
    MASK_CAUSAL, /* [0, index + 1) */
    MASK_BLOCKS, /* blocks of MASK_BLOCK tokens, every other one sees its whole block; else causal */
    MASK_WINDOW, /* the last few keys only: kv_low > 0 */
    MASK_RANDOM  /* any range of the sequence, its own key in it or not */
} case_mask;
enum { MASK_BLOCK = 20 };

typedef enum case_adapters {
    ADAPTERS_NONE,
    ADAPTERS_ONE,    /* one for all rows */
    ADAPTERS_SEVERAL /* several, by segments that cross sequences; rows without; an entry of the table that is empty */
} case_adapters;

typedef struct op_case {
    const char *name;
    int32_t width, heads, kv_heads, head_dim, hidden, vocabulary, axes;
    int32_t lengths[CASE_SEQUENCES]; /* of the sequences; 0 ends the list */
    case_mask mask;
    case_adapters adapters;
    int32_t rank;
    bool bias;           /* q, k and v have one */
    bool qk_norm;        /* every head of q and k is normalised before its rotation */
    bool full;           /* the weights themselves are trainable too */
    ttt_dtype dtype;     /* of frozen matrices; widths that they have are multiples of its block */
    bool unpacked;       /* the same numbers, which bf16 can hold, given to the backend as float32 */
    bool tied;           /* the output projection is the embedding */
    int32_t count_every; /* the loss counts every so many rows */
} op_case;

extern const op_case op_cases[];
extern const size_t op_case_count;
extern const op_case speed_cases[]; /* sizes of real work, for bench */
extern const size_t speed_case_count;

/* Rows [first, end) of a sequence of the case. */
typedef struct case_piece {
    int32_t sequence, first, end;
} case_piece;

/* A batch with the arrays it points to. */
typedef struct case_batch {
    ttt_batch batch;
    int32_t ids[CASE_TOKENS], positions[CASE_TOKENS * TTT_MAX_AXES], sequence[CASE_TOKENS], index[CASE_TOKENS];
    int32_t kv_low[CASE_TOKENS], kv_high[CASE_TOKENS];
    int32_t page_first[CASE_SEQUENCES + 1], pages[CASE_PAGES];
    int32_t segment_end[CASE_TOKENS], segment_adapter[CASE_TOKENS];
} case_batch;

int32_t case_sequences(const op_case *c);
int32_t case_tokens(const op_case *c);
ttt_shape case_shape(const op_case *c, int32_t layers);
/* The store's page that holds page `page` of a sequence: scattered, never the same for two. */
int32_t case_page(const op_case *c, int32_t sequence, int32_t page);
/* A batch of these pieces in this order; at most one piece of a sequence. */
void case_batch_of(const op_case *c, const case_piece *pieces, int32_t count, case_batch *batch);
/* The whole case as one batch. */
void case_batch_whole(const op_case *c, case_batch *batch);

#endif
