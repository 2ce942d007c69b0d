/* Checkpoints: everything a training needs to go on bit for bit, in one file each, written atomically. The last two
 * are kept, so that one is whole whatever happens. */
#ifndef TTT_TRAIN_CHECKPOINT_H
#define TTT_TRAIN_CHECKPOINT_H

#include "train/loop.h"

/* Writes <folder>/checkpoint-<steps>.safetensors (the session's trainable state, *state, and `notes`, a string to
 * string object for the caller's own settings, or NULL), then removes all but the newest two. Makes the folder. */
ttt_status ttt_checkpoint_save(const char *folder, const ttt_session *session, const ttt_train_state *state,
                               const json_t *notes, ttt_error *err);
/* Loads the newest that can be read; *found is false when there is none. A broken newest one is passed over for the
 * one before; `problem` (may be NULL) then says what was wrong with it, else its message is empty. *notes is the
 * caller's to json_decref (may be NULL: not wanted). */
ttt_status ttt_checkpoint_load(const char *folder, ttt_session *session, ttt_train_state *state, json_t **notes,
                               bool *found, ttt_error *problem, ttt_error *err);

#endif
