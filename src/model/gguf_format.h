/* What reading and writing GGUF share: the format's numbers. Private to the gguf files of src/model. */
#ifndef TTT_MODEL_GGUF_FORMAT_H
#define TTT_MODEL_GGUF_FORMAT_H

#include "tensor/backend.h"

enum {
    TTT_GGUF_ALIGNMENT = 32, /* of the data, where "general.alignment" is absent */
    TTT_GGUF_RANK = 4
};

/* The types of metadata values, by their numbers in files. */
typedef enum ttt_gguf_value {
    TTT_GGUF_U8,
    TTT_GGUF_I8,
    TTT_GGUF_U16,
    TTT_GGUF_I16,
    TTT_GGUF_U32,
    TTT_GGUF_I32,
    TTT_GGUF_F32,
    TTT_GGUF_BOOL,
    TTT_GGUF_STRING,
    TTT_GGUF_ARRAY,
    TTT_GGUF_U64,
    TTT_GGUF_I64,
    TTT_GGUF_F64,
    TTT_GGUF_VALUE_COUNT
} ttt_gguf_value;

/* A type of tensors, by its number in files: `block` numbers take `bytes`. */
typedef struct ttt_gguf_type {
    uint32_t number;
    ttt_dtype dtype; /* TTT_DTYPE_COUNT: known by its size only */
    const char *name;
    size_t block, bytes;
} ttt_gguf_type;
const ttt_gguf_type *ttt_gguf_type_of(uint32_t number);       /* NULL: none of the format */
const ttt_gguf_type *ttt_gguf_type_of_dtype(ttt_dtype dtype); /* every dtype has one */

#endif
