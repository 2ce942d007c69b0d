/* Inside src/arc: the JSON files at a path, one after the other, whether the path is a file, a folder or an archive. */
#ifndef TTT_ARC_JSON_FILES_H
#define TTT_ARC_JSON_FILES_H

#include "arc/task_read.h"

/* `name` is the place for errors ("tasks/00d62c1b.json", "re_arc.tar.zst: re_arc/tasks/00d62c1b.json"), `id` the file's
 * name without folder and ".json". `text` is borrowed, not parsed yet, never empty. A failure is a problem of the file
 * where there are several, else it is returned. */
typedef ttt_status ttt_json_visitor(void *context, const char *name, const char *id, const char *text, size_t bytes,
                                    ttt_error *err);

/* Visits every *.json file at `path`, except metadata.json: the file itself, the files right in a folder (or, where it
 * has none, in the folder `tasks` in it) by name, the files anywhere in an archive in its order. A file of several that
 * cannot be read is a problem; no file at all is an error. */
ttt_status ttt_json_files_read(const char *path, ttt_json_visitor *visit, void *context, ttt_problem_sink problems,
                               ttt_error *err);

/* Passes a failure with what was read to the sink and forgets it; failures that are none of the data's (memory,
 * cancelled), and all without a sink, are returned as they are. TTT_OK stays TTT_OK. */
ttt_status ttt_problem_report(ttt_problem_sink problems, ttt_status status, ttt_error *err);

#endif
