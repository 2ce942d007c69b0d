#include "solve/choose.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int by_votes(const void *left, const void *right) {
    const ttt_candidate_record *a = left, *b = right;
    if (a->votes != b->votes) return a->votes > b->votes ? -1 : 1;
    if (a->identity_votes != b->identity_votes) return a->identity_votes > b->identity_votes ? -1 : 1;
    return (a->first_seen > b->first_seen) - (a->first_seen < b->first_seen);
}

ttt_status ttt_choose_candidates(ttt_test_record *test, ttt_error *err) {
    test->candidates.count = test->scores.count = 0;
    for (size_t i = 0; i < test->views.count; i++) {
        const ttt_view_record *view = &test->views.items[i];
        size_t at = 0;
        if (view->answer == NULL) continue;
        while (at < test->candidates.count && strcmp(test->candidates.items[at].answer, view->answer) != 0) at++;
        if (at == test->candidates.count) {
            ttt_candidate_record candidate = {.answer = view->answer, .first_seen = (int64_t)i};
            TTT_TRY(TTT_PUSH(&test->candidates, candidate, err));
        }
        test->candidates.items[at].votes++;
        test->candidates.items[at].identity_votes += view->identity;
    }
    if (test->candidates.count > 1) {
        qsort(test->candidates.items, test->candidates.count, sizeof *test->candidates.items, by_votes);
    }
    return TTT_OK;
}

/* Sums scores into the candidates. */
static void sum_scores(ttt_test_record *test) {
    for (size_t i = 0; i < test->candidates.count; i++) {
        ttt_candidate_record *candidate = &test->candidates.items[i];
        candidate->scored = false;
        candidate->score = 0;
        for (size_t j = 0; j < test->scores.count; j++) {
            if (test->scores.items[j].candidate != (int64_t)i) continue;
            candidate->score += test->scores.items[j].log_probability;
            candidate->scored = true;
        }
    }
}

/* Those that have a score go before those without. (A score of 0 is the best there is: the model was certain.) */
static bool outscores(const ttt_candidate_record *candidate, const ttt_candidate_record *other) {
    return candidate->scored && (!other->scored || candidate->score > other->score);
}

/* Candidates are in the order of votes, so the first of equals wins. The answer `taken` is out of the race (NULL: none
 * is). */
static const char *best(const ttt_test_record *test, bool by_score, const char *taken) {
    const ttt_candidate_record *winner = NULL;
    for (size_t i = 0; i < test->candidates.count; i++) {
        const ttt_candidate_record *candidate = &test->candidates.items[i];
        if (taken != NULL && strcmp(candidate->answer, taken) == 0) continue;
        if (winner == NULL || (by_score && outscores(candidate, winner))) winner = candidate;
    }
    return winner == NULL ? NULL : winner->answer;
}

static ttt_status vote_paper(ttt_test_record *test,
                             ttt_status (*vote)(const char *const *, const int32_t *, size_t, ttt_arena *,
                                                const char *[2], ttt_error *),
                             ttt_arena *arena, ttt_error *err) {
    ttt_status status = TTT_OK;
    size_t count = 0;
    const char **answers = ttt_allocate(test->views.count, sizeof *answers);
    int32_t *groups = ttt_allocate(test->views.count, sizeof *groups);
    if (answers == NULL || groups == NULL) TTT_TRY_OUT(ttt_fail(err, TTT_ERROR_MEMORY, "no memory for a vote"));
    for (size_t i = 0; i < test->views.count; i++) {
        if (test->views.items[i].answer == NULL) continue;
        answers[count] = test->views.items[i].answer;
        groups[count++] = test->views.items[i].group;
    }
    if (count > 0) status = vote(answers, groups, count, arena, test->voted, err);
out:
    ttt_free(answers);
    ttt_free(groups);
    return status;
}

ttt_status ttt_choose_voted(ttt_vote_method method, ttt_test_record *test,
                            ttt_status (*vote)(const char *const *answers, const int32_t *groups, size_t count,
                                               ttt_arena *arena, const char *attempts[2], ttt_error *err),
                            ttt_arena *arena, ttt_error *err) {
    test->voted[0] = test->voted[1] = NULL;
    sum_scores(test);
    if (method == TTT_VOTE_PAPER) {
        if (vote == NULL) return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "the paper's vote is not defined for this task");
        return vote_paper(test, vote, arena, err);
    }
    test->voted[0] = best(test, method == TTT_VOTE_RESCORE, NULL);
    if (test->voted[0] != NULL) test->voted[1] = best(test, false, test->voted[0]);
    return TTT_OK;
}
