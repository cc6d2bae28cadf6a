/* What the tests of this room share: folders, files and a dataset made in the test itself. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* After those it needs. */
#include <cmocka.h>

#include "data/batch.h"
#include "plugin/load.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Set-up and tear-down: an empty folder that is the working directory meanwhile; *state is its
 * path. */
int enter_folder(void **state);
int leave_folder(void **state);
void write_file(const char *path, const void *bytes, size_t size);
void write_gzip(const char *path, const void *bytes, size_t size);
/* A .npy file of version 1.0: descr as numpy writes it, dims sizes, the data's bytes. */
void write_npy(const char *path, const char *descr, const char *shape, const void *data, size_t size);

/* The plugin of the build tree, loaded. */
const struct plugin *load_dataset(const char *name);
/* A spec of it with all defaults and an absolute root (NULL: none). Lives for the program. */
struct dataset_spec plain_spec(const struct plugin *plugin, const char *root);
/* Opens, or fails the test with the error. */
struct dataset *open_dataset(const struct dataset_spec *spec);
/* Must not open; the text has every one of the parts, which are separated by '|'. */
void expect_refused(const struct dataset_spec *spec, const char *what, const char *parts);

/* Labels, names and samples asked for by four threads at once, of data of one size whose classes
 * are all kept. */
void hammer(const struct dataset *d);

void assert_contains(const char *text, const char *part);

/* A dataset without files, as its fields say. Its pixel is fake_byte(split, index, y, x, c), as a
 * byte or divided by 255. */
struct fake {
    uint32_t classes, splits, height, width, channels, format;
    uint64_t counts[4];
    bool multi_label;
    int32_t (*label)(uint32_t split, uint64_t index);   /* single; -1: none; NULL: index % classes */
    uint64_t (*labels)(uint32_t split, uint64_t index); /* multi: bits */
    uint64_t fail_at;                                   /* sample() of this index fails; UINT64_MAX: none */
};
extern struct fake fake; /* read by the plugin */
uint8_t fake_byte(uint32_t split, uint64_t index, uint32_t y, uint32_t x, uint32_t c);
const struct plugin *fake_plugin(void);
void fake_reset(void); /* train 40 and test 20 of 5 classes, 6x5 grey bytes */

#endif
