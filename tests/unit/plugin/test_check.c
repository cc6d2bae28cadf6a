/* Every fault of a descriptor, in its words. */
#include "test.h"

static bioft_status feedback(void *self, const bioft_layer *layer, bioft_feedback *ret)
{
    (void)self;
    (void)layer;
    (void)ret;
    return BIOFT_OK;
}

static bioft_status fill_feedback(void *self, const bioft_layer *layer, uint64_t step, const float *w, float *v)
{
    (void)self;
    (void)layer;
    (void)step;
    (void)w;
    (void)v;
    return BIOFT_OK;
}

static bioft_status route(void *self, const bioft_layer *layer, bioft_route *ret)
{
    (void)self;
    (void)layer;
    (void)ret;
    return BIOFT_OK;
}

static bioft_status local(void *self, const bioft_layer *layer, const bioft_local *io)
{
    (void)self;
    (void)layer;
    (void)io;
    return BIOFT_OK;
}

static bioft_status run(void *self, const bioft_victim *v, const bioft_batch *clean, double epsilon, float *ret_x)
{
    (void)self;
    (void)v;
    (void)clean;
    (void)epsilon;
    (void)ret_x;
    return BIOFT_OK;
}

static bioft_status reader_open(const void *self, void **ret)
{
    (void)self;
    (void)ret;
    return BIOFT_OK;
}

static const char *const choices[] = { "none", "xavier", NULL };
static const char *const twice[] = { "none", "none", NULL };
static const char *const none[] = { NULL };
static const char *const spaced[] = { "a b", NULL };

static const bioft_option good[] = {
    { .name = "number",
      .type = BIOFT_F64,
      .offset = offsetof(struct sample, number),
      .def = 0.5,
      .max = 1,
      .help = "a number" },
    { .name = "integer",
      .type = BIOFT_I64,
      .offset = offsetof(struct sample, integer),
      .def = 3,
      .min = 1,
      .max = 9,
      .help = "an integer" },
    { .name = "truth", .type = BIOFT_BOOL, .offset = offsetof(struct sample, truth), .def = 1, .help = "a truth" },
    { .name = "choice",
      .type = BIOFT_CHOICE,
      .offset = offsetof(struct sample, choice),
      .def = 1,
      .choices = choices,
      .help = "a choice" },
    { .name = "text",
      .type = BIOFT_STRING,
      .offset = offsetof(struct sample, text),
      .def_string = "abc",
      .help = "a text" },
    { .name = "path", .type = BIOFT_PATH, .offset = offsetof(struct sample, path), .help = "a path" },
    { .name = "numbers",
      .type = BIOFT_F64_LIST,
      .offset = offsetof(struct sample, numbers),
      .max = 1,
      .def_string = "[0, 0.5]",
      .unit = "pixels",
      .help = "numbers" },
};

struct bench { /* a plugin without fault, to be spoilt */
    struct plugin p;
    bioft_option options[COUNT(good)];
    char path[64];
};

static struct bench *bench(uint32_t kind)
{
    static struct bench b;
    b = (struct bench){ .p = { .path = b.path } };
    strcpy(b.path, "/x/sample.so");
    memcpy(b.options, good, sizeof good);
    b.p.descriptor = (bioft_plugin){
        BIOFT_PLUGIN(kind, "sample", "1.0", "Jos\xc3\xa9", "MIT"),
        .summary = "a sample",
        .reference = "",
        .instance_size = sizeof(struct sample),
        .options = b.options,
        .option_count = COUNT(good),
        .option_size = sizeof(bioft_option),
        .vtable = &b.p.api,
    };
    if (kind == BIOFT_KIND_RULE)
        b.p.api.rule = (bioft_rule){ .struct_size = sizeof(bioft_rule), .feedback = feedback };
    else if (kind == BIOFT_KIND_ATTACK)
        b.p.api.attack = (bioft_attack){ .struct_size = sizeof(bioft_attack), .norm = BIOFT_L2, .run = run };
    return &b;
}

/* All the faults, "/x/sample.so: " left out of each line. */
static void says(const struct bench *b, const char *want)
{
    struct error err = { 0 };
    char got[sizeof err.text] = "";
    const bioft_status st = plugin_check(&b->p, "sample", &err);
    assert_int_equal(st, *want ? BIOFT_ERR_FORMAT : BIOFT_OK);
    for (const char *line = err.text; *line;) {
        const size_t n = strcspn(line, "\n"), prefix = strlen(b->path) + 2;
        assert_int_equal(strncmp(line, b->path, prefix - 2), 0);
        strncat(got, line + prefix, n - prefix + (line[n] == '\n'));
        line += n + (line[n] == '\n');
    }
    assert_string_equal(got, want);
}

static void passes(void **state)
{
    (void)state;
    says(bench(BIOFT_KIND_RULE), "");
    says(bench(BIOFT_KIND_ATTACK), "");
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.api.rule.feedback = NULL; /* backpropagation has nothing of its own */
    says(b, "");
}

static void checks_notes(void **state)
{
    static const char *const good_notes[] = { "a note", NULL }, *const bad[] = { "a note", "two\nlines", "", NULL };
    static const char *many[66];
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.notes = good_notes;
    says(b, "");
    b->p.descriptor.notes = bad;
    says(b, "its note 2 has a control character or a line break");
    for (int i = 0; i < 65; i++)
        many[i] = "a note";
    b->p.descriptor.notes = many;
    says(b, "its note 65 is one of more than 64");
}

static void checks_strings(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.version = NULL;
    b->p.descriptor.author = "";
    b->p.descriptor.license = "M\xffT";
    b->p.descriptor.summary = "two\nlines";
    b->p.descriptor.reference = NULL;
    says(b, "its version is NULL\nits author is empty\nits license is not UTF-8\n"
            "its summary has a control character or a line break\nits reference is NULL");
    char *huge = malloc(5000);
    memset(huge, 'x', 4999);
    huge[4999] = '\0';
    b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.author = "\x7f";
    says(b, "its author has a control character or a line break");
    b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.summary = huge;
    says(b, "its summary is longer than 4096 bytes");
    free(huge);
}

static void checks_the_name(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.name = "other";
    says(b, "name 'other' differs from the file's: rename the file to other.so");
    b->p.descriptor.name = "Sample-1";
    says(b, "name 'Sample-1': a-z, 0-9 and _ only, at most 64 of them");
    b->p.descriptor.name = "../sample";
    says(b, "name '../sample': a-z, 0-9 and _ only, at most 64 of them");
    b->p.descriptor.name = NULL;
    says(b, "its name is NULL");
}

static void names_the_plugin_of_several(void **state)
{
    struct error err;
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.name = "another";
    assert_int_equal(plugin_check(&b->p, NULL, &err), BIOFT_OK);
    b->p.descriptor.version = "";
    assert_int_equal(plugin_check(&b->p, NULL, &err), BIOFT_ERR_FORMAT);
    assert_string_equal(err.text, "/x/sample.so: plugin 'another': its version is empty");
}

static void checks_kind_folder_and_flags(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.kind = 9;
    b->p.descriptor.flags = 4;
    says(b, "kind 9 is unknown to this bioft\nunknown flag 0x4");
    b = bench(BIOFT_KIND_RULE);
    strcpy(b->path, "/x/losses/sample.so");
    says(b, "kind is rule, but it lies in the folder losses");
    strcpy(b->path, "/x/learning_rules/sample.so");
    says(b, "");
    strcpy(b->path, "/x/my_losses/sample.so");
    says(b, "");
    b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.vtable = NULL;
    says(b, "its vtable is NULL");
    b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.instance_size = (size_t)1 << 40;
    says(b, "an instance of 1099511627776 bytes makes no sense: keep arrays in host->state or host->scratch");
}

/* Changes one row of the table and says what must come. */
static const struct {
    const char *what;
    size_t at;
    bioft_option row;
    const char *want;
} rows[] = {
    { "name NULL", 0, { .type = BIOFT_F64, .help = "h" }, "option 0: its name is NULL" },
    { "name",
      0,
      { .name = "9x", .type = BIOFT_F64, .help = "h" },
      "option '9x': a name is a letter, then a-z, 0-9 and _" },
    { "reserved everywhere",
      0,
      { .name = "plugin", .type = BIOFT_F64, .help = "h" },
      "option 'plugin': this name is a key of the manifest" },
    { "reserved for rules",
      0,
      { .name = "layers", .type = BIOFT_F64, .help = "h" },
      "option 'layers': this name is a key of the manifest" },
    { "reserved for attacks only", 0, { .name = "epsilon", .type = BIOFT_F64, .help = "h" }, "" },
    { "help", 0, { .name = "number", .type = BIOFT_F64 }, "option 'number': its help is NULL" },
    { "unit",
      0,
      { .name = "number", .type = BIOFT_F64, .help = "h", .unit = "\n" },
      "option 'number': its unit has a control character or a line break" },
    { "flag",
      0,
      { .name = "number", .type = BIOFT_F64, .help = "h", .flags = 32, .reserved = 3 },
      "option 'number': unknown flag 0x20\noption 'number': reserved is 3, not 0" },
    { "fractions of an integer",
      1,
      { .name = "integer", .type = BIOFT_I64, .offset = 8, .help = "h", .flags = BIOFT_OPTION_FRACTIONS },
      "option 'integer': FRACTIONS are for F64 and F64_LIST" },
    { "steps of a rule",
      1,
      { .name = "integer", .type = BIOFT_I64, .offset = 8, .help = "h", .flags = BIOFT_OPTION_STEPS },
      "option 'integer': STEPS, QUERIES and CLASSES are for an I64 of an attack" },
    { "smoothing of a rule",
      0,
      { .name = "number", .type = BIOFT_F64, .help = "h", .flags = BIOFT_OPTION_LABEL_SMOOTHING },
      "option 'number': LABEL_SMOOTHING is for an F64 of a loss" },
    { "type", 0, { .name = "number", .type = 77, .help = "h" }, "option 'number': type 77 is unknown to this bioft" },
    { "outside",
      0,
      { .name = "number", .type = BIOFT_F64, .offset = sizeof(struct sample), .help = "h" },
      "option 'number': bytes 88 to 96 lie outside the instance of 88" },
    { "far outside",
      0,
      { .name = "number", .type = BIOFT_F64, .offset = 0xfffffff8u, .help = "h" },
      "option 'number': bytes 4294967288 to 4294967296 lie outside the instance of 88" },
    { "partly outside",
      0,
      { .name = "number", .type = BIOFT_F64_LIST, .offset = sizeof(struct sample) - 8, .help = "h" },
      "option 'number': bytes 80 to 96 lie outside the instance of 88" },
    { "unaligned",
      0,
      { .name = "number", .type = BIOFT_F64, .offset = 4, .help = "h" },
      "option 'number': offset 4 is not aligned to 8\noptions 'number' and 'integer' overlap in the instance" },
    { "twice", 0, { .name = "integer", .type = BIOFT_F64, .help = "h" }, "option 'integer' is there twice" },
    { "overlap",
      0,
      { .name = "number", .type = BIOFT_F64, .offset = 8, .help = "h" },
      "options 'number' and 'integer' overlap in the instance" },
    { "above",
      0,
      { .name = "number", .type = BIOFT_F64, .def = 2, .max = 1, .help = "h" },
      "option 'number': default: 2 is above the largest, 1" },
    { "below",
      0,
      { .name = "number", .type = BIOFT_F64, .def = -2, .max = 1, .help = "h" },
      "option 'number': default: -2 is below the smallest, 0" },
    { "bounds",
      0,
      { .name = "number", .type = BIOFT_F64, .min = 2, .max = 1, .help = "h" },
      "option 'number': min 2 is above max 1" },
    { "no number as bound",
      0,
      { .name = "number", .type = BIOFT_F64, .max = (double)NAN, .help = "h" },
      "option 'number': min 0 is above max nan" },
    { "endless bound", 0, { .name = "number", .type = BIOFT_F64, .max = (double)INFINITY, .help = "h" }, "" },
    { "no number as default",
      0,
      { .name = "number", .type = BIOFT_F64, .def = (double)NAN, .help = "h" },
      "option 'number': default: number expected, found 'nan'" },
    { "half an integer",
      1,
      { .name = "integer", .type = BIOFT_I64, .offset = 8, .def = 0.5, .help = "h" },
      "option 'integer': default: integer expected, found '0.5'" },
    { "bounds of integers",
      1,
      { .name = "integer", .type = BIOFT_I64, .offset = 8, .def = 1, .max = 1.5, .help = "h" },
      "option 'integer': bounds 0 and 1.5 of an integer must be whole" },
    { "neither true nor false",
      2,
      { .name = "truth", .type = BIOFT_BOOL, .offset = 16, .def = 2, .help = "h" },
      "option 'truth': default: true or false expected, found '2'" },
    { "bounds of a truth",
      2,
      { .name = "truth", .type = BIOFT_BOOL, .offset = 16, .max = 1, .help = "h" },
      "option 'truth': has bounds, but is not a number" },
    { "choices NULL",
      3,
      { .name = "choice", .type = BIOFT_CHOICE, .offset = 20, .help = "h" },
      "option 'choice': no choices" },
    { "choices empty",
      3,
      { .name = "choice", .type = BIOFT_CHOICE, .offset = 20, .choices = none, .help = "h" },
      "option 'choice': no choices" },
    { "choices twice",
      3,
      { .name = "choice", .type = BIOFT_CHOICE, .offset = 20, .choices = twice, .help = "h" },
      "option 'choice': choice 'none' is there twice" },
    { "choices spaced",
      3,
      { .name = "choice", .type = BIOFT_CHOICE, .offset = 20, .choices = spaced, .help = "h" },
      "option 'choice': choice 'a b': letters, digits, and _ . + - only" },
    { "no such choice",
      3,
      { .name = "choice", .type = BIOFT_CHOICE, .offset = 20, .choices = choices, .def = 2, .help = "h" },
      "option 'choice': default: 2 is not an index of its 2 choices" },
    { "half a choice",
      3,
      { .name = "choice", .type = BIOFT_CHOICE, .offset = 20, .choices = choices, .def = 0.5, .help = "h" },
      "option 'choice': default: 0.5 is not an index of its 2 choices" },
    { "choices of a text",
      4,
      { .name = "text", .type = BIOFT_STRING, .offset = 24, .choices = choices, .help = "h" },
      "option 'text': has choices, but is not a CHOICE" },
    { "number of a text",
      4,
      { .name = "text", .type = BIOFT_STRING, .offset = 24, .def = 1, .help = "h" },
      "option 'text': def is not used by its type: give def_string" },
    { "text of a number",
      0,
      { .name = "number", .type = BIOFT_F64, .def_string = "1", .help = "h" },
      "option 'number': def_string is not used by its type: give def" },
    { "bad text",
      4,
      { .name = "text", .type = BIOFT_STRING, .offset = 24, .def_string = "\t", .help = "h" },
      "option 'text': def_string has a control character or a line break" },
    { "relative path",
      5,
      { .name = "path", .type = BIOFT_PATH, .offset = 32, .def_string = "data", .help = "h" },
      "option 'path': default: a path must be absolute, or NULL for none" },
    { "no list",
      6,
      { .name = "numbers", .type = BIOFT_F64_LIST, .offset = 40, .def_string = "0, 1", .help = "h" },
      "option 'numbers': default: no list such as [0, 1]" },
    { "list out of range",
      6,
      { .name = "numbers", .type = BIOFT_F64_LIST, .offset = 40, .def_string = "[0, 3]", .max = 2, .help = "h" },
      "option 'numbers': default: 3 is above the largest, 2" },
};

static void checks_options(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct bench *b = bench(BIOFT_KIND_RULE);
        print_message("%s\n", rows[i].what);
        b->options[rows[i].at] = rows[i].row;
        says(b, rows[i].want);
    }
}

/* Where the host is written. */
static void checks_the_host(void **state)
{
    static const struct {
        uint64_t flags;
        uint32_t offset, reserved;
        const char *want;
    } hosts[] = {
        { 1, 80, 0, "" },
        { 1, 48, 0, "option 'numbers' and the host overlap in the instance" },
        { 1, 4, 0,
          "host_offset 4 is not aligned to 8\noption 'number' and the host overlap in the instance\n"
          "option 'integer' and the host overlap in the instance" },
        { 1, 88, 0, "host_offset: bytes 88 to 96 lie outside the instance of 88" },
        { 1, 0xfffffff8u, 0, "host_offset: bytes 4294967288 to 4294967296 lie outside the instance of 88" },
        { 0, 80, 0, "host_offset is 80, but flags lack BIOFT_PLUGIN_HOST" },
        { 1, 80, 7, "reserved is 7, not 0" },
        { 3, 80, 0, "unknown flag 0x2" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(hosts); i++) {
        struct bench *b = bench(BIOFT_KIND_RULE);
        b->p.descriptor.flags = hosts[i].flags;
        b->p.descriptor.host_offset = hosts[i].offset;
        b->p.descriptor.reserved = hosts[i].reserved;
        says(b, hosts[i].want);
    }
}

static void has_one_label_smoothing(void **state)
{
    struct bench *b = bench(BIOFT_KIND_ATTACK);
    (void)state;
    b->options[1].flags = BIOFT_OPTION_STEPS | BIOFT_OPTION_CLASSES;
    says(b, "");
    b = bench(BIOFT_KIND_RULE);
    b->options[0].flags = BIOFT_OPTION_LABEL_SMOOTHING;
    b->p.descriptor.option_count = 2;
    b->options[1] = b->options[0];
    b->options[1].name = "more";
    b->options[1].offset = 8;
    says(b, "option 'number': LABEL_SMOOTHING is for an F64 of a loss\n"
            "option 'more': LABEL_SMOOTHING is for an F64 of a loss\n"
            "options 'number' and 'more' both have LABEL_SMOOTHING");
}

static void checks_reserved_names_by_kind(void **state)
{
    static const struct {
        uint32_t kind;
        const char *name;
    } reserved[] = {
        { BIOFT_KIND_ATTACK, "epsilon" },
        { BIOFT_KIND_ATTACK, "restarts" },
        { BIOFT_KIND_ATTACK, "name" },
    };
    (void)state;
    for (size_t i = 0; i < COUNT(reserved); i++) {
        struct bench *b = bench(reserved[i].kind);
        char want[128];
        b->options[0].name = reserved[i].name;
        snprintf(want, sizeof want, "option '%s': this name is a key of the manifest", reserved[i].name);
        says(b, want);
    }
    struct bench *b = bench(BIOFT_KIND_ATTACK);
    b->options[0].name = "layers"; /* a key of rules alone */
    says(b, "");
}

static void finds_all_faults_at_once(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.descriptor.version = "";
    b->options[0].def = 7;
    b->options[1].help = NULL;
    b->p.api.rule.flags = 1;
    says(b, "its version is empty\noption 'number': default: 7 is above the largest, 1\n"
            "option 'integer': its help is NULL\nunknown flag 0x1 of its rule");
}

static void checks_rules(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_RULE);
    b->p.api.rule.fill_feedback = fill_feedback;
    says(b, "has feedback and fill_feedback: the second replaces the first, give one of them");
    b->p.api.rule.feedback = NULL;
    says(b, "");
    b->p.api.rule.route = route;
    says(b, "callback local is missing: route without it writes nothing");
    b->p.api.rule.local = local;
    says(b, "");
    b->p.api.rule.route = NULL;
    says(b, "callback route is missing: local is never called without it");
}

static void checks_attacks(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_ATTACK);
    b->p.api.attack = (bioft_attack){ .flags = 0x41, .reserved = 5 };
    says(b, "unknown flag 0x40 of its attack\ncallback run is missing: every attack needs it\n"
            "norm 0 is unknown to this bioft\nreserved is 5, not 0, in its attack");
}

static void checks_the_others(void **state)
{
    (void)state;
    struct bench *b = bench(BIOFT_KIND_BACKBONE);
    says(b, "callback build is missing: every backbone needs it");
    b = bench(BIOFT_KIND_LOSS);
    b->p.api.loss.flags = 8;
    says(b, "unknown flag 0x8 of its loss\ncallback value is missing: every loss needs it");
    b = bench(BIOFT_KIND_DATASET);
    b->p.api.dataset.flags = 2;
    b->p.api.dataset.reader_open = reader_open;
    b->p.api.dataset.layout = "";
    b->p.api.dataset.source = "a page";
    says(b,
         "its layout is empty\nunknown flag 0x2 of its dataset\ncallback describe is missing: every dataset needs it\n"
         "callback labels is missing: every dataset needs it\ncallback name is missing: every dataset needs it\n"
         "callback sample is missing: every dataset needs it\n"
         "reader_open and reader_close go together: give both or neither");
}

static void checks_engines(void **state)
{
    static const char *const callbacks[] = {
        "score",   "supports",     "model_create",   "model_destroy",   "read",
        "write",   "set_feedback", "program_create", "program_destroy", "program_bytes",
        "forward", "backward",     "update",         "identity",        "layer",
    };
    struct text want = { 0 };
    (void)state;
    struct bench *b = bench(BIOFT_KIND_ENGINE);
    b->p.api.engine.draft = 99;
    text_add(&want, "built for engine draft 99, this bioft has 1: rebuild the plugin");
    for (size_t i = 0; i < COUNT(callbacks); i++)
        text_printf(&want, "\ncallback %s is missing: every engine needs it", callbacks[i]);
    says(b, want.data);
    text_free(&want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes),
        cmocka_unit_test(checks_notes),
        cmocka_unit_test(checks_strings),
        cmocka_unit_test(checks_the_name),
        cmocka_unit_test(names_the_plugin_of_several),
        cmocka_unit_test(checks_kind_folder_and_flags),
        cmocka_unit_test(checks_options),
        cmocka_unit_test(checks_the_host),
        cmocka_unit_test(has_one_label_smoothing),
        cmocka_unit_test(checks_reserved_names_by_kind),
        cmocka_unit_test(finds_all_faults_at_once),
        cmocka_unit_test(checks_rules),
        cmocka_unit_test(checks_attacks),
        cmocka_unit_test(checks_the_others),
        cmocka_unit_test(checks_engines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
