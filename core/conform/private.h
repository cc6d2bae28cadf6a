/* What the tests of all kinds share. Only for this room. */
#ifndef CONFORM_PRIVATE_H
#define CONFORM_PRIVATE_H

#include "base/memory.h"
#include "base/threads.h"
#include "conform/conform.h"

struct guard;
struct conform {
    const struct conform_params *p;
    const bioft_plugin *d; /* the plugin's descriptor */
    struct arena *arena;
    struct guard *guards;
    size_t guard_count, guard_capacity;
    size_t findings;
    bool skip;
};

/* What is called now and what the contract says of it; `name` is a name in `header`. */
void calling(struct conform *c, const char *header, const char *name, const char *says, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* A finding about the present call: what came back. */
void conform_find(struct conform *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The contract's sentence for the next finding, where it is another than the call's. */
void conform_says(struct conform *c, const char *header, const char *name, const char *text);
/* The test cannot be done here. */
void conform_skip(struct conform *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An array for a plugin that ends where a page ends that cannot be touched: 64-byte aligned where `aligned`, else of
 * float alignment. Zeroed. The name shows in findings. */
void *guard_take(struct conform *c, const char *name, size_t bytes, bool aligned);
float *guard_floats(struct conform *c, const char *name, size_t count);
/* May only be read from now on. */
void guard_readonly(struct conform *c, const void *memory);
/* A finding for every byte written outside the arrays, in what the pages leave over. */
void guard_check(struct conform *c);
/* The call is over: nobody may touch it again. */
void guard_release(struct conform *c, const void *memory);
void guard_release_calls(struct conform *c); /* all but those kept */
void guard_keep(struct conform *c, const void *memory);
void guard_finish(struct conform *c);

/* A plugin's instance behind a host whose arrays are guarded. */
struct subject {
    struct conform *c;
    void *self;
    bioft_host host;
    bioft_parallel parallel;
    struct pool *pool;
    uint64_t seed;
    bool step; /* inside a [step] callback */
    bool trainables, created;
    struct subject_array {
        char name[128];
        size_t count, bytes;
        float *value, *gradient; /* scratch: value alone */
        bool scratch;
    } *arrays;
    size_t array_count, array_capacity;
    char reason[512];
    bool has_reason;
};
/* NULL where it cannot be made; a finding says why. values NULL: those of the run. */
struct subject *subject_create(struct conform *c, const struct option_value *values, uint64_t seed, struct pool *pool);
/* Creates and destroys one; a refusal of the values with a reason is fine. */
void subject_try(struct conform *c, const struct option_value *values);
void subject_destroy(struct subject *s);
/* After a callback: did it do as promised? A failure without a reason, or with one, is a finding. */
bool subject_ok(struct subject *s, bioft_status st);
/* Moves all state of one into another; a finding where the arrays differ. */
bool subject_restore(struct subject *to, const struct subject *from);

/* "bioft.layer/1" as plain loops. */
const bioft_layer_ops *conform_layer_ops(void);

/* The first index at which two arrays differ in bits, or SIZE_MAX. */
size_t first_difference(const void *a, const void *b, size_t count, size_t size);
/* The first value that is not finite, or SIZE_MAX. */
size_t first_nonfinite(const float *v, size_t count);
void random_floats(struct conform *c, const char *stream, uint64_t key, float low, float high, float *ret,
                   size_t count);
/* Bytes of the heap in use, where that is known; 0 otherwise. */
size_t heap_bytes(void);
/* Does `round` take more memory each time it is called? A finding then. */
void check_leak(struct conform *c, bool (*round)(struct conform *c));

/* The tables, ended by a NULL name. */
extern const struct conform_test conform_all[], conform_rule[], conform_backbone[], conform_dataset[], conform_attack[],
    conform_loss[], conform_engine[];

#endif
