/* The conformance run: the tests that a plugin of each kind has to pass, and what they find. */
#ifndef CONFORM_CONFORM_H
#define CONFORM_CONFORM_H

#include "base/log.h"
#include "plugin/options.h"

/* What the run is doing, in memory that outlives the process: read by the parent where the child died. */
enum { TRACE_TEXT = 512, TRACE_GUARDS = 256, TRACE_NAME = 48 };
struct trace_guard {
    uintptr_t map, map_end; /* with the pages before and after */
    uintptr_t begin, end;   /* of the array */
    uint32_t released, readonly;
    char name[TRACE_NAME];
};
struct conform_trace {
    char calling[TRACE_TEXT]; /* "fill_feedback(layer 'conv', step 0)"; "": none */
    char says[TRACE_TEXT];    /* what the contract says of that call */
    char header[TRACE_NAME];
    uint32_t line;
    uint32_t signal, done; /* done: the test came to its end */
    uintptr_t address;     /* of a fault */
    uint64_t guard_count;  /* the ring of the last arrays */
    struct trace_guard guards[TRACE_GUARDS];
};

struct conform_finding {
    const char *called, *came_back, *says, *header;
    uint32_t line;
};
struct conform_params {
    struct plugin *const *plugins; /* of the file */
    size_t plugin_count;
    const struct plugin *plugin;       /* the one to test */
    struct registry *registry;         /* where engines are found; NULL: none are */
    const struct option_value *values; /* NULL: defaults */
    const char *root;                  /* of a dataset, absolute, or NULL */
    const struct log *log;
    uint64_t seed;
    struct conform_trace *trace;
    void (*found)(void *ctx, const struct conform_finding *f);
    void (*skipped)(void *ctx, const char *reason);
    void *ctx;
};

/* One test: its name, a sentence, and what it does. */
struct conform;
struct conform_test {
    const char *name, *what;
    void (*run)(struct conform *c);
};
/* Those of a kind: first those of all kinds. */
size_t conform_count(uint32_t kind);
const struct conform_test *conform_test(uint32_t kind, size_t index);
/* Runs one. Findings are handed to p->found as they come. */
void conform_run(const struct conform_params *p, const struct conform_test *test);

/* Where a name of the contract stands in a header; 0: nowhere. */
uint32_t conform_line(const char *header, const char *name);
/* "16 bytes after the end of 'v' (400 bytes)": what a faulting address means, or "". */
void conform_address(const struct conform_trace *t, char *ret, size_t size);
const char *conform_status_word(bioft_status status);

#endif
