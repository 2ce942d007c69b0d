/* Backends by name. */
#include "tensor/backend.h"

#include <stdlib.h>
#include <string.h>

ttt_status ttt_backend_new(const char *device, int threads, ttt_backend **backend, ttt_error *err) {
    *backend = NULL;
    if (strcmp(device, "ref") == 0) return ttt_backend_ref_new(backend, err);
    if (strcmp(device, "cpu") == 0) {
        const char *isa = getenv("TTT_ISA");
        if (isa != NULL && strcmp(isa, "ref") == 0) return ttt_backend_ref_new(backend, err);
        return ttt_backend_cpu_new(threads, backend, err);
    }
    return ttt_fail(err, TTT_ERROR_ARGUMENT, "unknown device \"%s\", expected \"cpu\" or \"ref\"", device);
}

void ttt_backend_free(ttt_backend *backend) {
    if (backend != NULL) backend->ops->free(backend);
}
