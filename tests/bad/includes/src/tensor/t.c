#include <stdio.h>
#include "base/status.h"
#include "tensor/backend.h"
/* printf("x") */
void ttt_fine(char *s) { snprintf(s, 1, "x"); }
