/* An attack without fault, with an option of every type; its library prints while it is loaded. */
#include <bioft/attack.h>
#include <stdio.h>

typedef struct {
    double alpha;
    int64_t steps;
    int32_t random_start, mode;
    const char *word, *file;
    bioft_list scales, sizes, words;
} complete;

static const char *const modes[] = { "plain", "fancy", NULL };
static const bioft_option options[] = {
    { .name = "alpha",
      .type = BIOFT_F64,
      .offset = offsetof(complete, alpha),
      .def = 0.25,
      .min = 0,
      .max = 1,
      .unit = "pixels",
      .help = "step" },
    { .name = "steps",
      .type = BIOFT_I64,
      .offset = offsetof(complete, steps),
      .def = 5,
      .min = 1,
      .max = 1000,
      .help = "how many" },
    { .name = "random_start",
      .type = BIOFT_BOOL,
      .offset = offsetof(complete, random_start),
      .def = 1,
      .help = "start somewhere in the ball" },
    { .name = "mode", .type = BIOFT_CHOICE, .offset = offsetof(complete, mode), .choices = modes, .help = "a | b" },
    { .name = "word",
      .type = BIOFT_STRING,
      .offset = offsetof(complete, word),
      .def_string = "it's",
      .help = "a word" },
    { .name = "file", .type = BIOFT_PATH, .offset = offsetof(complete, file), .help = "a file" },
    { .name = "scales",
      .type = BIOFT_F64_LIST,
      .offset = offsetof(complete, scales),
      .def_string = "[0.5, 1]",
      .help = "numbers" },
    { .name = "sizes", .type = BIOFT_I64_LIST, .offset = offsetof(complete, sizes), .help = "integers" },
    { .name = "words",
      .type = BIOFT_STRING_LIST,
      .offset = offsetof(complete, words),
      .def_string = "[a, b]",
      .help = "words" },
};

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    (void)self;
    (void)v;
    (void)clean;
    (void)epsilon;
    (void)ret_x;
    return BIOFT_OK;
}

__attribute__((constructor)) static void load(void)
{
    puts("a library that greets");
    fflush(stdout);
}

static const bioft_attack attack = {
    .struct_size = sizeof attack, .flags = BIOFT_ATTACK_GRADIENT, .norm = BIOFT_LINF, .run = run
};
static const bioft_plugin plugin = {
    BIOFT_PLUGIN(BIOFT_KIND_ATTACK, "complete", "2.1", "tests", "MIT"),
    .summary = "does nothing | well",
    .reference = "nobody, nowhere",
    .instance_size = sizeof(complete),
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .option_size = sizeof *options,
    .vtable = &attack,
};

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : NULL; }
