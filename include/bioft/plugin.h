/* bioft's plugin contract: what every plugin shares. Read this header first.
 *
 * A plugin is a shared object DIR/KIND/NAME.so that exports one symbol, bioft_plugin_entry, and links to
 * nothing of bioft. It describes itself in a static const bioft_plugin; the host reads that, writes the
 * options (and its own address where host_offset asks for it) into a zeroed instance, and then calls the
 * plugin through the vtable of its kind (rule.h, backbone.h, dataset.h, attack.h, loss.h, engine.h).
 *
 * Threads. Every callback carries one of these words:
 *   [control]  one thread at a time per instance; may allocate, read files, take time
 *   [step]     inside a training or attack step; one thread at a time per instance;
 *              no allocation, no I/O, no waiting
 *   [any]      any thread, several at once
 * Two instances of one plugin may be in use in two threads at the same time: nothing that changes is global.
 *
 * Memory. What the host passes in belongs to the host and may be read until the callback returns, unless a
 * comment says "as long as the instance". What a plugin allocates it frees in destroy. Nothing allocated on
 * one side is freed on the other.
 *
 * Errors. A callback returns BIOFT_OK or a negative status, and says why through host->fail, which returns
 * the status: `return host->fail(host, BIOFT_ERR_IO, "text");`. Output parameters come last, are named ret,
 * and stay untouched on failure. A plugin never prints, never exits, never changes process-wide state.
 *
 * Growth. Structs begin with struct_size and grow at the end only. The host adopts a plugin's struct by copy:
 * shorter is filled with zeros, which means the documented default; longer is accepted only where what the
 * host does not know is zero. Unknown flags and enumeration values are refused. Fields named reserved are zero.
 *
 * Arrays are plain float32: activations and images NCHW, conv weights OIHW, linear weights [out][in]. */
#ifndef BIOFT_PLUGIN_H
#define BIOFT_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BIOFT_MAGIC       0x54464f42u /* "BOFT" */
#define BIOFT_ABI_MAJOR   0u          /* 1 when frozen: until then nothing is promised */
#define BIOFT_ABI_MINOR   4u
#define BIOFT_ABI_VERSION (BIOFT_ABI_MAJOR << 16 | BIOFT_ABI_MINOR)
#define BIOFT_NONE        0xffffffffu /* no index */

/* Is `field` inside the struct that the other side gave? For fields newer than the first version. */
#define BIOFT_HAS(p, type, field) ((p)->struct_size >= offsetof(type, field) + sizeof((p)->field))

/* What a caller can do differently, not what went wrong: that is in the text given to host->fail. */
typedef int32_t bioft_status;
enum {
    BIOFT_OK = 0,
    BIOFT_ERR_INVALID = -1, /* an argument, an option or a manifest is wrong */
    BIOFT_ERR_MEMORY = -2,
    BIOFT_ERR_IO = -3,
    BIOFT_ERR_FORMAT = -4, /* a file is not what it should be */
    BIOFT_ERR_UNSUPPORTED = -5,
    BIOFT_ERR_CANCELLED = -6 /* the user asked to stop */
};

/* Distributions of host->random: [0,1) floats; N(0,1) floats; uint32_t words. */
enum { BIOFT_UNIFORM = 1, BIOFT_NORMAL, BIOFT_BITS };

/* What the host does for a plugin. Written at host_offset, given to create(), lives as long as the instance. */
typedef struct bioft_host bioft_host;
struct bioft_host {
    uint32_t struct_size, abi_version;
    void *ctx; /* the host's own */
    /* Keeps a copy of `text` as the reason of the failure and returns `status`. [any] */
    bioft_status (*fail)(const bioft_host *host, bioft_status status, const char *text);
    /* A named float array that the host owns: zeroed when new, 64-byte aligned, in every checkpoint; the same
     * name is the same array, found again after a resume. [control]; looking one up that exists [step] */
    bioft_status (*state)(const bioft_host *host, const char *name, size_t count, float **ret);
    /* As state, and trained with the stage's optimizer: the host clears `grad` before each step, the plugin adds
     * to it. flags: 0. Losses only. [control]; looking one up that exists [step] */
    bioft_status (*trainable)(const bioft_host *host, const char *name, size_t count, uint32_t flags, float **ret_value,
                              float **ret_grad);
    /* Named work space, 64-byte aligned, not in checkpoints, its contents undefined at each callback.
     * Asking again for more bytes enlarges it. [control]; looking one up that is large enough [step] */
    bioft_status (*scratch)(const bioft_host *host, const char *name, size_t bytes, void **ret);
    /* Fills ret with `count` numbers of a distribution. Element i is a pure function of (trial seed, stream, key,
     * first + i), never of threads, ranks or the order of calls (Philox4x32-10, Salmon et al., SC 2011). [any] */
    bioft_status (*random)(const bioft_host *host, uint32_t kind, const char *stream, uint64_t key, uint64_t first,
                           void *ret, size_t count);
    /* An extension by id, such as "bioft.parallel/1" (bioft_parallel); NULL where there is none. [any] */
    const void *(*get_extension)(const bioft_host *host, const char *id);
};

/* Types of options, and what the host writes at `offset` of the instance before create():
 * F64 double; I64 int64_t; BOOL and CHOICE int32_t (CHOICE: the index); STRING and PATH const char * (PATH:
 * made absolute against the manifest's folder; NULL where the default is NULL and nothing was given);
 * lists bioft_list of double, int64_t or const char *. Strings and lists live as long as the instance. */
enum {
    BIOFT_F64 = 1,
    BIOFT_I64,
    BIOFT_BOOL,
    BIOFT_STRING,
    BIOFT_PATH,
    BIOFT_CHOICE,
    BIOFT_F64_LIST,
    BIOFT_I64_LIST,
    BIOFT_STRING_LIST
};
typedef struct bioft_list {
    size_t count;
    const void *items;
} bioft_list;

/* bioft_option.flags, since ABI 0.3. FRACTIONS: a manifest may write 8/255 (F64, F64_LIST). LABEL_SMOOTHING: a loss's; a
 * stage's `label_smoothing` sets it (F64; at most one). Of an attack (I64), by which `bioft check` estimates its time:
 * STEPS, how often it goes forward and back; QUERIES, how often forward alone; CLASSES, towards how many classes it takes
 * its steps. Units and names stand for them in a plugin of ABI 0.2 or older: "pixel..."; "label_smoothing"; "steps",
 * "queries", "classes". */
enum {
    BIOFT_OPTION_FRACTIONS = 1,
    BIOFT_OPTION_STEPS = 2,
    BIOFT_OPTION_LABEL_SMOOTHING = 4,
    BIOFT_OPTION_QUERIES = 8,
    BIOFT_OPTION_CLASSES = 16
};

/* One option. `min` = `max` = 0 means no bounds. For CHOICE `def` is the index of the default in `choices`, a
 * NULL-terminated list. For STRING, PATH and lists the default is def_string; a list's is written as in a
 * manifest, "[0, 1]". */
typedef struct bioft_option {
    const char *name;                       /* [a-z][a-z0-9_]*, none of the manifest's reserved keys */
    uint32_t type, offset, flags, reserved; /* flags: BIOFT_OPTION_... */
    double def, min, max;
    const char *def_string;
    const char *const *choices;
    const char *unit, *help; /* unit: "" or NULL where there is none */
} bioft_option;

/* A descriptor's head: what it is and whose. */
#define BIOFT_PLUGIN(kind_, name_, version_, author_, license_) \
    .magic = BIOFT_MAGIC, .struct_size = sizeof(bioft_plugin), .abi_version = BIOFT_ABI_VERSION, .kind = (kind_), \
    .name = (name_), .version = (version_), .author = (author_), .license = (license_)

/* In a descriptor: the options of an array. */
#define BIOFT_OPTIONS(table) \
    .options = (table), .option_count = sizeof(table) / sizeof((table)[0]), .option_size = sizeof((table)[0])

/* bioft_plugin.flags. HOST, since ABI 0.3: the host writes a const bioft_host * at host_offset of the instance. */
enum { BIOFT_PLUGIN_HOST = 1 };
/* In a descriptor: where the host is written, so that no create() is needed for it. */
#define BIOFT_HOST_AT(type, field) .flags = BIOFT_PLUGIN_HOST, .host_offset = offsetof(type, field)

enum {
    BIOFT_KIND_RULE = 1,
    BIOFT_KIND_BACKBONE,
    BIOFT_KIND_DATASET,
    BIOFT_KIND_ATTACK,
    BIOFT_KIND_LOSS,
    BIOFT_KIND_ENGINE
};

/* What a plugin declares of itself: static const, lives as long as the file is loaded. */
typedef struct bioft_plugin {
    uint32_t magic, struct_size, abi_version, kind;
    const char *name; /* [a-z0-9_]+, the file's name where it holds one plugin */
    const char *version, *author, *license;
    const char *summary;   /* one line */
    const char *reference; /* the paper it implements, or "" */
    size_t instance_size;  /* bytes the host allocates, zeroed; may be 0 */
    const bioft_option *options;
    uint32_t option_count, option_size; /* option_size: the plugin's sizeof(bioft_option), the stride;
                                                          not read where option_count is 0 */
    uint64_t flags;                     /* BIOFT_PLUGIN_... */
    /* After the options and the host are written. NULL: nothing to do. `host` lives as long as the instance. [control] */
    bioft_status (*create)(void *self, const bioft_host *host);
    /* Called once for each instance whose create succeeded or is NULL. NULL: nothing to do. [control] */
    void (*destroy)(void *self);
    /* What the plugin offers beyond its vtable, by id; NULL callback or NULL answer: nothing. [any] */
    const void *(*extension)(void *self, const char *id);
    const void *vtable;             /* bioft_rule, bioft_backbone, ... as `kind` says */
    uint32_t host_offset, reserved; /* since ABI 0.3; read where flags has BIOFT_PLUGIN_HOST */
    /* Since ABI 0.4: what its users have to know, a line an entry, NULL-terminated: above all where it deviates from
     * `reference`. `bioft plugin show` prints them. NULL: nothing. */
    const char *const *notes;
} bioft_plugin;

/* One batch, as losses, rules and attacks see it. Arrays live until the callback returns. */
typedef struct bioft_batch {
    uint32_t struct_size, n;
    uint32_t classes, label_words; /* label_words = (classes + 63) / 64 */
    uint64_t step, epoch;          /* updates done before this batch in this stage; 0 in evaluation */
    const float *x;                /* [n][c][h][w]; pixels in [0,1] for attacks, normalised for rules */
    const uint64_t *sample;        /* [n] number of the sample in its split: stable */
    const int32_t *label;          /* [n], -1 where a sample has not exactly one label */
    const uint64_t *labels;        /* [n][label_words] bit sets */
    const int32_t *target;         /* [n] for a targeted attack, else NULL */
} bioft_batch;

/* Host extension "bioft.parallel/1": the host's threads. */
typedef struct bioft_parallel {
    uint32_t struct_size, threads; /* threads: how many may run at once, the caller's included */
    /* Calls body(ctx, index, thread) once for every index below `count`; returns when all are done. Which thread
     * gets which index is unspecified: write results by index, never by thread. Inside `body` no second run. [step] */
    void (*run)(const bioft_host *host, size_t count, void (*body)(void *ctx, size_t index, uint32_t thread),
                void *ctx);
} bioft_parallel;

/* Host extension "bioft.generator/1", since ABI 0.3: host->random's numbers made elsewhere, on a GPU for one. Element i of
 * (stream, key) is word i % 4 of Philox4x32-10 (Salmon et al., SC 2011) of the counter {i / 4 low, i / 4 high, key low,
 * key high}, each 32 bits, under the key that `key` gives. BIOFT_BITS: the word w. BIOFT_UNIFORM: (w >> 8) 2^-24.
 * BIOFT_NORMAL, Box and Muller's pairs: of words w, w' at an even i, r cos a and r sin a at i + 1, in float64,
 * r = sqrt(-2 log(((w >> 8) + 1) 2^-24)), a = 2 pi (w' >> 8) 2^-24. */
typedef struct bioft_generator {
    uint32_t struct_size, reserved;
    /* Philox's key for this instance's `stream`. BIOFT_ERR_INVALID: no name. [any] */
    bioft_status (*key)(const bioft_host *host, const char *stream, uint32_t ret[2]);
} bioft_generator;

/* The one exported symbol: the plugins of this file in order, NULL after the last. [any] */
#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
const bioft_plugin *
bioft_plugin_entry(uint32_t index);

#ifdef __cplusplus
}
#endif
#endif
