/* A number of a named series at a step: what programs that draw training curves take. */
#ifndef FORMATS_SCALAR_H
#define FORMATS_SCALAR_H

#include <stdint.h>

struct scalar {
    const char *name; /* parts separated by '/' */
    double time;      /* seconds since 1970 */
    int64_t step;
    double value;
};

#endif
