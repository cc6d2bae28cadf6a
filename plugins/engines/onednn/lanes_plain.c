/* The loops of lanes.h in plain C. */
#define SET      lanes_plain
#define SET_NAME "lanes:plain"
#include "lanes.inc"
