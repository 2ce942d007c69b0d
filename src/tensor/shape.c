#include "tensor/shape.h"

ttt_status ttt_shape_check(const ttt_shape *shape, ttt_error *err) {
    const struct {
        const char *name;
        int32_t value;
    } sizes[] = {{"layers", shape->layers},        {"width", shape->width},       {"heads", shape->heads},
                 {"kv_heads", shape->kv_heads},    {"head_dim", shape->head_dim}, {"hidden", shape->hidden},
                 {"vocabulary", shape->vocabulary}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (sizes[i].value < 1) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "model shape: %s is %d, expected at least 1", sizes[i].name,
                            sizes[i].value);
        }
    }
    if (shape->heads % shape->kv_heads != 0) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "model shape: %d heads are not a multiple of %d kv_heads",
                        shape->heads, shape->kv_heads);
    }
    if (shape->head_dim % 2 != 0 || shape->head_dim > TTT_MAX_HEAD_DIM) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "model shape: head_dim is %d, expected an even number up to %d",
                        shape->head_dim, (int)TTT_MAX_HEAD_DIM);
    }
    if (shape->axes < 1 || shape->axes > TTT_MAX_AXES) {
        return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "model shape: %d position axes, expected 1 to %d", shape->axes,
                        (int)TTT_MAX_AXES);
    }
    for (int32_t i = 0; i < shape->head_dim / 2; i++) {
        if (shape->axis[i] >= shape->axes) {
            return ttt_fail(err, TTT_ERROR_UNSUPPORTED, "model shape: rotary pair %d follows axis %d of %d", i,
                            shape->axis[i], shape->axes);
        }
    }
    return TTT_OK;
}
