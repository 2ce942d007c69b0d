#include "cli/tasks.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

typedef struct teller {
    const char *command;
    size_t *problems;
} teller;

static void tell(void *context, const ttt_error *problem) {
    teller *to = context;
    fprintf(stderr, "ttt %s: %s\n", to->command, problem->message);
    ++*to->problems;
}

static bool is_listed(const char *ids, const char *id) {
    size_t length = strlen(id);
    for (const char *at = ids; *at != '\0';) {
        size_t here = strcspn(at, ",");
        if (here == length && memcmp(at, id, length) == 0) return true;
        at += here + (at[here] == ',');
    }
    return false;
}

static ttt_status check_ids(const char *ids, const ttt_task_set *set, ttt_error *err) {
    for (const char *at = ids; *at != '\0';) {
        size_t here = strcspn(at, ",");
        char id[256];
        snprintf(id, sizeof id, "%.*s", (int)(here < sizeof id ? here : sizeof id - 1), at);
        if (ttt_task_set_find(set, id) == NULL) {
            return ttt_fail(err, TTT_ERROR_ARGUMENT, "--ids: no task '%s' was read", id);
        }
        at += here + (at[here] == ',');
    }
    return TTT_OK;
}

static void keep_listed(const char *ids, ttt_task_set *set) {
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (is_listed(ids, set->items[i].id)) {
            ttt_task task = set->items[i];
            set->items[i] = set->items[kept];
            set->items[kept++] = task;
        }
    }
    while (set->count > kept) ttt_task_release(&set->items[--set->count]);
}

ttt_status ttt_tasks_read(const ttt_task_source *source, const ttt_option_list *paths, ttt_task_set *set,
                          size_t *problems, ttt_error *err) {
    teller to = {source->command, problems};
    ttt_problem_sink sink = {.report = tell, .context = &to};
    for (size_t i = 0; i < paths->count; i++) TTT_TRY(ttt_task_set_read(set, paths->items[i], NULL, sink, err));
    if (source->solutions != NULL) TTT_TRY(ttt_solutions_read(set, source->solutions, sink, err));
    if (source->ids != NULL) {
        TTT_TRY(check_ids(source->ids, set, err));
        keep_listed(source->ids, set);
    }
    return TTT_OK;
}
