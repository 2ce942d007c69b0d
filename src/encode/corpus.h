/* What a model is trained on and judged by: pairs of many rules from the files people have, less a list of ids that
 * are left out. Of these, tasks whose test outputs are known become the questions of the evaluation. */
#ifndef TTT_ENCODE_CORPUS_H
#define TTT_ENCODE_CORPUS_H

#include "arc/task_read.h"
#include "encode/example_stream.h"

/* Ids, one a line; blanks around them and everything from a # on are ignored. {0} is empty; sorted once read. */
typedef struct ttt_id_list {
    char **items;
    size_t count, capacity;
} ttt_id_list;
ttt_status ttt_id_list_read(ttt_id_list *list, const char *path, ttt_error *err);
bool ttt_id_list_has(const ttt_id_list *list, const char *id);
void ttt_id_list_release(ttt_id_list *list);

/* One data set. */
typedef struct ttt_corpus_part {
    ttt_pair_store store; /* a group per rule: all pairs of a task, or the examples of a RE-ARC file */
    double weight;        /* share of the training examples */
    size_t left_out;      /* tasks or RE-ARC files left out */
} ttt_corpus_part;

/* {0} is empty; release with ttt_corpus_release. */
typedef struct ttt_corpus {
    ttt_corpus_part parts[TTT_EXAMPLE_SOURCES];
    size_t part_count;
    ttt_task_set held_out; /* tasks left out, test outputs included */
} ttt_corpus;
void ttt_corpus_release(ttt_corpus *corpus);

/* Adds a data set: whatever ttt_task_set_read or ttt_pairs_read understands. For a file named *challenges* the file
 * beside it named *solutions* is read too, if there is one. `weight` <= 0: the number of its rules. */
ttt_status ttt_corpus_add(ttt_corpus *corpus, const char *path, double weight, const ttt_id_list *left_out,
                          ttt_problem_sink problems, ttt_error *err);
/* The parts as sources of a stream; returns their number. A part without rules is left away. */
size_t ttt_corpus_sources(const ttt_corpus *corpus, ttt_example_source sources[TTT_EXAMPLE_SOURCES]);

/* Test output `number` of the held-out tasks (those whose output is known, in order) as an example whose loss is the
 * question's alone, shown with as many demonstrations as `max_tokens` allow. *more = false: there is none with this
 * number. One too long for max_tokens even without demonstrations is an error. */
ttt_status ttt_corpus_question(const ttt_corpus *corpus, int64_t number, const ttt_encoding *encoding,
                               int32_t max_tokens, ttt_sequence *sequence, bool *more, ttt_error *err);

#endif
