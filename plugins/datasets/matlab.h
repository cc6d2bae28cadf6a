/* The development kit's meta.mat: the struct array `synsets` of a MATLAB 5 file, as far as it says
 * which ILSVRC id is which wnid. */
#ifndef MATLAB_H
#define MATLAB_H

#include "dataset_util.h"

enum { WNID = 10 }; /* "n01440764" with its NUL */

struct synset {
    char wnid[WNID];
    uint32_t id;
};
/* Those without children, at most `room`. */
bioft_status matlab_synsets(const bioft_host *host, const char *path, uint32_t room, struct synset *ret,
                            uint32_t *ret_count);

#endif
