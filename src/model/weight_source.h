/* Where a model's weights come from: a folder in Hugging Face's layout, or a GGUF file. Either gives a configuration
 * and the tensors of the model's list (tensors.h), as they are stored, row by row in our order. Private to src/model.
 */
#ifndef TTT_MODEL_WEIGHT_SOURCE_H
#define TTT_MODEL_WEIGHT_SOURCE_H

#include "model/config.h"
#include "model/gguf.h"
#include "model/tensors.h"

typedef struct ttt_weight_source ttt_weight_source;

/* A tensor as stored; its bytes lie in the memory map, at any alignment. */
typedef struct ttt_stored {
    const char *path; /* the file it lies in */
    ttt_dtype dtype;
    size_t rows, columns, row_bytes;
    const uint8_t *data;
    size_t interleaved; /* rows of a head whose halves are interleaved; 0: the rows are in our order */
} ttt_stored;

/* Reads the configuration and opens the weights; a tensor that the configuration does not imply is refused. */
ttt_status ttt_weight_source_open(const char *path, ttt_weight_source **source, ttt_error *err);
void ttt_weight_source_close(ttt_weight_source *source); /* NULL is fine */
const ttt_model_config *ttt_weight_source_config(const ttt_weight_source *source);
const ttt_gguf *ttt_weight_source_gguf(const ttt_weight_source *source); /* NULL: a folder */

/* A tensor of the list of the source's configuration. Missing, of another shape, or of a type that is not read: an
 * error that names file and tensor. */
ttt_status ttt_weight_source_get(const ttt_weight_source *source, const ttt_tensor *tensor, ttt_stored *stored,
                                 ttt_error *err);
/* The bytes of row `row` of ours. */
const uint8_t *ttt_stored_row(const ttt_stored *stored, size_t row);
/* Which row of a tensor with interleaved heads our row `row` is, and the other way. */
size_t ttt_interleaved_row(size_t head_rows, size_t row);
size_t ttt_halved_row(size_t head_rows, size_t row);

#endif
