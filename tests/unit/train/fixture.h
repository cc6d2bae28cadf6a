/* What the tests of training share: an engine, networks, data and specs made without a manifest. */
#ifndef TESTS_TRAIN_FIXTURE_H
#define TESTS_TRAIN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/memory.h"
#include "train/stage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fails the test with what went wrong. */
#define OK(call, err) \
    do { \
        if ((call) != BIOFT_OK) \
            fail_msg("%s: %s", #call, (err).text); \
    } while (0)

struct fixture {
    struct registry *registry; /* of BIOFT_PLUGIN_PATH */
    struct arena *arena;
    struct pool *pool;
    struct engine *engine;
    char *folder; /* absolute, of this test, removed at its end */
};
/* Without an engine. */
void fixture_open(struct fixture *f, unsigned threads);
void fixture_engine(struct fixture *f);
void fixture_close(struct fixture *f);
/* One for all tests of a program, on one thread and with an engine: cmocka's group functions. */
extern struct fixture fixture;
int fixture_open_group(void **state);
int fixture_close_group(void **state);
/* An absolute path in the folder. */
const char *fixture_path(struct fixture *f, const char *name);

const struct plugin *fixture_plugin(struct fixture *f, uint32_t kind, const char *name);
/* Options as "name=value"; NULL ends them. A list's items are separated by spaces. */
struct choice fixture_choice(struct fixture *f, uint32_t kind, const char *name, ...);
/* One rule for all layers. */
struct rule_spec *fixture_rule(struct fixture *f, struct choice rule);

struct graph *fixture_graph(struct fixture *f, struct choice backbone, uint32_t outputs);
/* With first values. */
struct model *fixture_model(struct fixture *f, const struct graph *g, uint64_t seed);
float *fixture_read(struct model *m, uint32_t what, uint32_t parameter); /* free() */
void fixture_write(struct model *m, uint32_t what, uint32_t parameter, const float *values);

/* A data set of the npy kind in the folder: `count` training images of noise around a pattern for
 * each class. */
struct dataset *fixture_data(struct fixture *f, struct image_format image, uint64_t count, uint32_t classes);
/* The same kind from a folder that is there. */
struct dataset *fixture_open_data(struct fixture *f, const char *folder);
/* A trial of one stage with one rule for all layers, SGD with lr 0.1, batches of 8. */
struct trial *fixture_trial(struct fixture *f, struct choice backbone, struct dataset *data, struct choice rule,
                            const char *loss);

#endif
