/* Which class each validation image of ILSVRC 2012 is of, and the classes' names, from whichever
 * of the published files is there (Russakovsky et al., "ImageNet large scale visual recognition
 * challenge", IJCV 2015).
 *
 * Two numbers must not be mixed up: a class's number here is the rank of its wnid, while the
 * development kit numbers the classes from 1 in an order of its own. */
#ifndef ILSVRC_TRUTH_H
#define ILSVRC_TRUTH_H

#include "lines.h"
#include "matlab.h"

enum { ILSVRC_CLASSES = 1000, ILSVRC_VALIDATION = 50000, ILSVRC_TRAIN = 1281167 };

struct truth {
    char (*wnid)[WNID]; /* [count] of image 1, 2, ... */
    uint64_t count;
    char path[256]; /* of the file that says so */
};
bioft_status truth_read(const bioft_host *host, struct truth *ret);
void truth_free(struct truth *t); /* zero is fine */

/* "tench, Tinca tinca" by wnid. */
struct class_words {
    char wnid[WNID];
    char words[118];
};
/* From LOC_synset_mapping.txt or map_clsloc.txt; none of them there: *ret_count is 0. By wnid.
 * *ret: free(). */
bioft_status class_words_read(const bioft_host *host, struct class_words **ret, uint32_t *ret_count);

#endif
