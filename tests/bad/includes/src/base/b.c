#include "arc/grid.h"
