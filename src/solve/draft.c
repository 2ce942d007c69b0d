/* After a token that no known answer has, none is guessed from until one agrees again: an answer that differs in a cell
 * costs a token written alone, and one that has nothing in common with what is known costs nothing. */
#include "solve/draft.h"

#include <string.h>

enum { DRAFTS = 8 };

struct ttt_drafts {
    ttt_problem *problem;
    size_t test, first, count;
    size_t answers;
    const char *texts[DRAFTS]; /* the last one added comes first */
    /* [count, DRAFTS] the texts as the views would have them, empty until they are asked for. */
    ttt_sequence *sequences;
};

ttt_status ttt_drafts_new(ttt_problem *problem, size_t test, size_t first, size_t count, ttt_drafts **drafts,
                          ttt_error *err) {
    ttt_drafts *made = ttt_allocate(1, sizeof *made);
    *drafts = NULL;
    if (made != NULL) {
        *made = (ttt_drafts){.problem = problem, .test = test, .first = first, .count = count};
        made->sequences = ttt_allocate(count * DRAFTS, sizeof *made->sequences);
    }
    if (made == NULL || made->sequences == NULL) {
        ttt_drafts_free(made);
        return ttt_fail(err, TTT_ERROR_MEMORY, "no memory for drafts of %zu views", count);
    }
    *drafts = made;
    return TTT_OK;
}

void ttt_drafts_free(ttt_drafts *drafts) {
    if (drafts == NULL) return;
    for (size_t i = 0; drafts->sequences != NULL && i < drafts->count * DRAFTS; i++) {
        ttt_sequence_release(&drafts->sequences[i]);
    }
    ttt_free(drafts->sequences);
    ttt_free(drafts);
}

/* The text number `from` becomes the first, in every view; those before it move on by one. */
static void to_front(ttt_drafts *drafts, size_t from) {
    const char *text = drafts->texts[from];
    memmove(drafts->texts + 1, drafts->texts, from * sizeof *drafts->texts);
    drafts->texts[0] = text;
    for (size_t view = 0; view < drafts->count; view++) {
        ttt_sequence *row = drafts->sequences + view * DRAFTS;
        const ttt_sequence sequence = row[from];
        memmove(row + 1, row, from * sizeof *row);
        row[0] = sequence;
    }
}

void ttt_drafts_add(ttt_drafts *drafts, const char *answer) {
    size_t at = 0;
    while (at < drafts->answers && strcmp(drafts->texts[at], answer) != 0) at++;
    if (at == drafts->answers) {
        if (at < DRAFTS) drafts->answers++;
        if (at == DRAFTS) at--; /* the oldest goes */
        drafts->texts[at] = answer;
        for (size_t view = 0; view < drafts->count; view++) drafts->sequences[view * DRAFTS + at].length = 0;
    }
    to_front(drafts, at);
}

/* Answer number `answer` in a view; NULL when it cannot be had: then there is a guess less. */
static const ttt_sequence *seen_in(ttt_drafts *drafts, size_t view, size_t answer) {
    ttt_sequence *sequence = &drafts->sequences[view * DRAFTS + answer];
    int32_t first_target;
    ttt_error ignored;
    if (sequence->length > 0) return sequence;
    const ttt_status status = drafts->problem->ops->encode(drafts->problem, drafts->test, drafts->first + view,
                                                           drafts->texts[answer], sequence, &first_target, &ignored);
    if (status == TTT_OK) return sequence;
    sequence->length = 0;
    return NULL;
}

static int32_t agreeing(const int32_t *a, const int32_t *b, int32_t count) {
    int32_t same = 0;
    for (int32_t i = 0; i < count; i++) same += a[i] == b[i];
    return same;
}

int32_t ttt_drafts_guess(ttt_drafts *drafts, size_t view, const int32_t *ids, int32_t count, int32_t *guess,
                         int32_t room) {
    const ttt_sequence *best = NULL;
    int32_t most = 0;
    for (size_t i = 0; i < drafts->answers && count > 0; i++) {
        const ttt_sequence *sequence = seen_in(drafts, view, i);
        if (sequence == NULL || sequence->length <= count || sequence->ids[count - 1] != ids[count - 1]) continue;
        const int32_t same = agreeing(sequence->ids, ids, count);
        if (same > most) {
            best = sequence;
            most = same;
        }
    }
    if (best == NULL) return 0;
    if (room > best->length - count) room = best->length - count;
    memcpy(guess, best->ids + count, (size_t)room * sizeof *guess);
    return room;
}
