/* The loops of lanes.h in plain C. */
#define SET lanes_plain
#include "lanes.inc"
