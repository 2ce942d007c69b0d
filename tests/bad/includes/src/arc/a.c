#include "model/model.h"
#include "../base/status.h"
#include "a.h"
#include "ttt.h"
#include "base/status.h"
void ttt_bad(void) {
    printf("x");
    fputs("x", stderr);
    exit(1);
}
