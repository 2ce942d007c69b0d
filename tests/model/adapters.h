/* The golden adapters and sessions for them: what the tests of adapter folders share. Include support.h first. */
#ifndef TTT_TESTS_MODEL_ADAPTERS_H
#define TTT_TESTS_MODEL_ADAPTERS_H

#include "model/fixture.h"

#include "base/json.h"

enum { ADAPTERS_ROOM = 128, ADAPTERS_VOCABULARY = 24 };

/* In tests/model/golden/adapter, which scripts/parity/make_adapter_golden.py makes. */
support_path adapters_golden(const char *name);
json_t *adapters_json(const char *path);
ttt_model *adapters_model(const char *folder, ttt_backend *backend);
/* A session for training what is in the folder, not yet loaded. */
ttt_session *adapters_session(ttt_model *model, const char *folder);
void adapters_assert_same(const ttt_session *a, const ttt_session *b); /* values of all parameters */

#endif
