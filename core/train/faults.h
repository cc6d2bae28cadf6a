/* All that is wrong with a file, listed together. */
#ifndef TRAIN_FAULTS_H
#define TRAIN_FAULTS_H

#include "base/error.h"
#include "base/text.h"

struct faults {
    struct text text;
    size_t count;
};
void faults_add(struct faults *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool faults_full(const struct faults *f); /* what is added now is only counted */
/* "PATH: WHAT:" and a line a fault, the first twenty; BIOFT_OK where there is none. Empties f. */
bioft_status faults_end(struct faults *f, const char *path, const char *what, struct error *err);

/* "[6, 1, 5, 5]" */
enum { SHAPE_TEXT = 8 * 22 };
const char *shape_text(char ret[SHAPE_TEXT], unsigned dims, const uint64_t *shape);

#endif
