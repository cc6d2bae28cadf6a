/* An instance and its host: options, arrays, work space, random numbers, reasons of failures by thread, threads. */
#include "test.h"

#include "plugin/instance.h"
#include <pthread.h>
#include <stdatomic.h>

struct self {
    double rate;
    const char *word;
    const bioft_host *host;
    atomic_int *destroyed;
};

static bioft_status create(void *self, const bioft_host *host)
{
    struct self *s = self;
    s->host = host;
    return s->rate < 0 ? host->fail(host, BIOFT_ERR_INVALID, "rate and word do not go together") : BIOFT_OK;
}

static void destroy(void *self)
{
    struct self *s = self;
    if (s->destroyed)
        (*s->destroyed)++;
}

static const bioft_option options[] = {
    { .name = "rate", .type = BIOFT_F64, .offset = offsetof(struct self, rate), .def = 0.25, .help = "h" },
    { .name = "word", .type = BIOFT_STRING, .offset = offsetof(struct self, word), .def_string = "abc", .help = "h" },
};
static const struct plugin plugin = {
    .descriptor = { .kind = BIOFT_KIND_LOSS,
                    .name = "sample",
                    .instance_size = sizeof(struct self),
                    .options = options,
                    .option_count = COUNT(options),
                    .option_size = sizeof *options,
                    .create = create,
                    .destroy = destroy },
};

static struct instance *make(bool trainables)
{
    struct instance *i = NULL;
    struct error err = { 0 };
    const struct instance_params p = { .plugin = &plugin, .seed = 1, .trainables = trainables };
    if (instance_create(&p, &i, &err) != BIOFT_OK)
        test_fail("%s\n", err.text);
    return i;
}

/* The words of a failure that the host itself has found. */
static void refused(struct instance *i, bioft_status st, bioft_status want, const char *words)
{
    struct error err = { 0 };
    assert_int_equal(st, want);
    assert_int_equal(instance_error(i, st, &err), want);
    assert_int_equal(err.status, want);
    assert_string_equal(err.text, words);
}

static void creates_and_destroys(void **state)
{
    atomic_int destroyed = 0;
    struct instance *i = make(false);
    struct self *s = i->self;
    (void)state;
    assert_true(s->rate == 0.25);
    assert_string_equal(s->word, "abc");
    assert_ptr_equal(s->host, &i->host);
    assert_ptr_equal(instance_of_host(s->host), i);
    assert_int_equal(s->host->struct_size, sizeof(bioft_host));
    assert_int_equal(s->host->abi_version, BIOFT_ABI_VERSION);
    s->destroyed = &destroyed;
    instance_destroy(i);
    assert_int_equal(destroyed, 1);
    instance_destroy(NULL);
}

/* Instead of a create() that keeps it. */
static void writes_the_host_where_asked(void **state)
{
    struct plugin asking = plugin;
    const struct instance_params p = { .plugin = &asking };
    struct instance *i;
    struct error err;
    (void)state;
    asking.descriptor.create = NULL;
    asking.descriptor.host_offset = offsetof(struct self, host);
    assert_int_equal(instance_create(&p, &i, &err), BIOFT_OK);
    assert_null(((struct self *)i->self)->host);
    instance_destroy(i);
    asking.descriptor.flags = BIOFT_PLUGIN_HOST;
    assert_int_equal(instance_create(&p, &i, &err), BIOFT_OK);
    assert_ptr_equal(((struct self *)i->self)->host, &i->host);
    assert_true(((struct self *)i->self)->rate == 0.25);
    instance_destroy(i);
}

static void takes_given_values(void **state)
{
    const struct option_value values[] = { { .number = 3 }, { .text = "given" } };
    const struct instance_params p = { .plugin = &plugin, .values = values };
    struct instance *i;
    struct error err;
    (void)state;
    assert_int_equal(instance_create(&p, &i, &err), BIOFT_OK);
    assert_true(((struct self *)i->self)->rate == 3);
    assert_string_equal(((struct self *)i->self)->word, "given");
    instance_destroy(i);
}

static void reports_a_failed_create(void **state)
{
    const struct option_value values[] = { { .number = -1 }, { .text = "given" } };
    const struct instance_params p = { .plugin = &plugin, .values = values };
    struct instance *i = NULL;
    struct error err;
    (void)state;
    assert_int_equal(instance_create(&p, &i, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "loss 'sample': rate and word do not go together");
    assert_null(i);
}

static void owns_states(void **state)
{
    struct instance *i = make(false);
    const bioft_host *h = &i->host;
    float *a, *b, *again;
    (void)state;
    assert_int_equal(h->state(h, "a", 1000, &a), BIOFT_OK);
    assert_int_equal((uintptr_t)a % 64, 0);
    for (size_t k = 0; k < 1000; k++)
        assert_true(a[k] == 0);
    a[999] = 5;
    for (int n = 0; n < 300; n++) { /* many others, so that every table grows */
        char name[32];
        snprintf(name, sizeof name, "layer%d.conv.weight", n);
        assert_int_equal(h->state(h, name, 1 + (size_t)n, &b), BIOFT_OK);
        b[n] = (float)n;
    }
    assert_int_equal(h->state(h, "a", 1000, &again), BIOFT_OK);
    assert_ptr_equal(again, a);
    assert_true(a[999] == 5);
    assert_int_equal(i->array_count, 301);
    assert_string_equal(i->arrays[0].name, "a");
    assert_string_equal(i->arrays[300].name, "layer299.conv.weight");
    assert_int_equal(instance_array(i, "layer123.conv.weight")->count, 124);
    assert_true(instance_array(i, "layer123.conv.weight")->value[123] == 123);
    assert_null(instance_array(i, "layer300.conv.weight"));
    instance_destroy(i);
}

static void refuses_bad_states(void **state)
{
    struct instance *i = make(false);
    const bioft_host *h = &i->host;
    float untouched, *a = &untouched, *g = &untouched;
    (void)state;
    refused(i, h->state(h, "a", 0, &a), BIOFT_ERR_INVALID, "loss 'sample': state 'a': 0 asked for");
    refused(i, h->state(h, "a", SIZE_MAX / 2, &a), BIOFT_ERR_MEMORY,
            "loss 'sample': state 'a': 9223372036854775807 asked for, more than this machine's memory holds");
    refused(i, h->state(h, "a", (size_t)1 << 44, &a), BIOFT_ERR_MEMORY,
            "loss 'sample': state 'a': 17592186044416 asked for, more than this machine's memory holds");
    refused(i, h->state(h, NULL, 3, &a), BIOFT_ERR_INVALID, "loss 'sample': a state's name is NULL");
    refused(i, h->state(h, "", 3, &a), BIOFT_ERR_INVALID, "loss 'sample': a state's name is empty");
    refused(i, h->state(h, "a\nb", 3, &a), BIOFT_ERR_INVALID,
            "loss 'sample': a state's name has a control character or a line break");
    refused(i, h->trainable(h, "a", 3, 0, &a, &g), BIOFT_ERR_UNSUPPORTED,
            "loss 'sample': trainable arrays are for losses alone");
    assert_int_equal(i->array_count, 0);
    assert_ptr_equal(a, &untouched);
    assert_int_equal(h->state(h, "a", 3, &a), BIOFT_OK);
    refused(i, h->state(h, "a", 4, &g), BIOFT_ERR_INVALID, "loss 'sample': 'a' has 3 numbers, asked for with 4");
    assert_ptr_equal(g, &untouched);
    instance_destroy(i);
}

static void owns_trainables(void **state)
{
    struct instance *i = make(true);
    const bioft_host *h = &i->host;
    float *v = NULL, *g = NULL, *v2, *g2, *a;
    (void)state;
    assert_int_equal(h->trainable(h, "proxies", 10, 0, &v, &g), BIOFT_OK);
    assert_int_equal(h->trainable(h, "proxies", 10, 0, &v2, &g2), BIOFT_OK);
    assert_ptr_equal(v, v2);
    assert_ptr_equal(g, g2);
    assert_ptr_not_equal(v, g);
    const struct named_array *n = instance_array(i, "proxies");
    assert_ptr_equal(n->value, v);
    assert_ptr_equal(n->gradient, g);
    assert_non_null(n->moment1);
    assert_non_null(n->moment2);
    refused(i, h->trainable(h, "other", 10, 1, &v, &g), BIOFT_ERR_UNSUPPORTED,
            "loss 'sample': unknown flag 0x1 of trainable");
    refused(i, h->state(h, "proxies", 10, &a), BIOFT_ERR_INVALID,
            "loss 'sample': 'proxies' is a trainable and cannot be asked for as a state too");
    assert_int_equal(h->state(h, "a", 10, &a), BIOFT_OK);
    assert_null(instance_array(i, "a")->gradient);
    refused(i, h->trainable(h, "a", 10, 0, &v, &g), BIOFT_ERR_INVALID,
            "loss 'sample': 'a' is a state and cannot be asked for as a trainable too");
    instance_destroy(i);
}

static void lends_scratch(void **state)
{
    struct instance *i = make(false);
    const bioft_host *h = &i->host;
    void *a, *again, *b;
    (void)state;
    assert_int_equal(h->scratch(h, "a", 100, &a), BIOFT_OK);
    assert_int_equal((uintptr_t)a % 64, 0);
    memset(a, 1, 100);
    assert_int_equal(h->scratch(h, "b", 10, &b), BIOFT_OK);
    assert_ptr_not_equal(a, b);
    assert_int_equal(h->scratch(h, "a", 50, &again), BIOFT_OK);
    assert_ptr_equal(a, again);
    assert_int_equal(h->scratch(h, "a", 100000, &again), BIOFT_OK);
    assert_int_equal((uintptr_t)again % 64, 0);
    memset(again, 2, 100000);
    for (int n = 0; n < 100; n++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", n);
        assert_int_equal(h->scratch(h, name, 8, &b), BIOFT_OK);
    }
    assert_int_equal(h->scratch(h, "a", 100000, &b), BIOFT_OK);
    assert_ptr_equal(b, again);
    refused(i, h->scratch(h, "a", 0, &a), BIOFT_ERR_INVALID, "loss 'sample': scratch 'a': 0 asked for");
    refused(i, h->scratch(h, "c", (size_t)1 << 50, &a), BIOFT_ERR_MEMORY,
            "loss 'sample': scratch 'c': 1125899906842624 asked for, more than this machine's memory holds");
    instance_destroy(i);
}

/* The published vectors of seed 1, stream "M", key 7. */
static void draws_by_key(void **state)
{
    static const uint32_t words[] = { 0xddc7084f, 0xa220ed44, 0x1c14ddde, 0xc3dcf420, 0xddc544c3, 0xc6208e1b };
    static const float uniform[] = { 0.86631823f, 0.63331491f, 0.10969335f, 0.76509023f };
    struct instance *i = make(false);
    const bioft_host *h = &i->host;
    uint32_t bits[6];
    float u[4];
    (void)state;
    assert_int_equal(h->random(h, BIOFT_BITS, "M", 7, 0, bits, 6), BIOFT_OK);
    assert_memory_equal(bits, words, sizeof words);
    assert_int_equal(h->random(h, BIOFT_BITS, "M", 7, 3, bits, 2), BIOFT_OK);
    assert_memory_equal(bits, words + 3, 2 * sizeof *bits);
    assert_int_equal(h->random(h, BIOFT_UNIFORM, "M", 7, 0, u, 4), BIOFT_OK);
    for (int k = 0; k < 4; k++)
        assert_true(fabsf(u[k] - uniform[k]) < 1e-7f);
    refused(i, h->random(h, 9, "M", 7, 0, u, 4), BIOFT_ERR_INVALID,
            "loss 'sample': 9 is not a distribution of random numbers");
    refused(i, h->random(h, BIOFT_UNIFORM, "", 7, 0, u, 4), BIOFT_ERR_INVALID,
            "loss 'sample': random numbers need a stream's name");
    instance_destroy(i);
}

static void tells_reasons(void **state)
{
    struct instance *i = make(false);
    const bioft_host *h = &i->host;
    char huge[5000];
    struct error err = { 0 };
    (void)state;
    refused(i, BIOFT_ERR_IO, BIOFT_ERR_IO, "loss 'sample': failed without a message");
    assert_int_equal(h->fail(h, BIOFT_ERR_FORMAT, "first"), BIOFT_ERR_FORMAT);
    assert_int_equal(h->fail(h, BIOFT_ERR_IO, "second\x1b[31m\tline\n"), BIOFT_ERR_IO);
    refused(i, BIOFT_ERR_IO, BIOFT_ERR_IO, "loss 'sample': second?[31m?line");
    refused(i, BIOFT_ERR_IO, BIOFT_ERR_IO, "loss 'sample': failed without a message"); /* told once */
    h->fail(h, BIOFT_ERR_IO, NULL);
    refused(i, BIOFT_ERR_IO, BIOFT_ERR_IO, "loss 'sample': failed without a message");
    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    h->fail(h, BIOFT_ERR_IO, huge);
    assert_int_equal(instance_error(i, BIOFT_ERR_IO, &err), BIOFT_ERR_IO);
    assert_contains(err.text, "loss 'sample': xxxx");
    h->fail(h, 5, "odd");
    assert_int_equal(instance_error(i, 5, &err), BIOFT_ERR_INVALID);
    assert_string_equal(err.text, "loss 'sample': failed with status 5, which the contract does not have: odd");
    assert_int_equal(instance_error(i, -77, NULL), BIOFT_ERR_INVALID);
    instance_destroy(i);
}

struct failing {
    struct instance *instance;
    pthread_barrier_t *barrier;
    int number, wrong;
};

static void *fail_often(void *arg)
{
    struct failing *f = arg;
    const bioft_host *h = &f->instance->host;
    for (int n = 0; n < 200; n++) {
        char text[64], want[96];
        struct error err = { 0 };
        snprintf(text, sizeof text, "thread %d failed %d times", f->number, n);
        snprintf(want, sizeof want, "loss 'sample': %s", text);
        const bioft_status st = h->fail(h, BIOFT_ERR_IO - n % 2, text);
        if (n % 2)
            pthread_barrier_wait(f->barrier); /* every other time all have failed before one asks */
        f->wrong += instance_error(f->instance, st, &err) != st || strcmp(err.text, want) != 0;
    }
    return NULL;
}

/* Eight threads on one instance, more than there are reasons at first, and two instances in one thread. */
static void keeps_reasons_apart(void **state)
{
    enum { THREADS = 8 };
    struct instance *one = make(false), *other = make(false);
    struct failing f[THREADS];
    pthread_t threads[THREADS];
    pthread_barrier_t barrier;
    (void)state;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int n = 0; n < THREADS; n++) {
        f[n] = (struct failing){ .instance = one, .barrier = &barrier, .number = n };
        assert_int_equal(pthread_create(&threads[n], NULL, fail_often, &f[n]), 0);
    }
    for (int n = 0; n < THREADS; n++) {
        pthread_join(threads[n], NULL);
        assert_int_equal(f[n].wrong, 0);
    }
    pthread_barrier_destroy(&barrier);
    one->host.fail(&one->host, BIOFT_ERR_IO, "of one");
    other->host.fail(&other->host, BIOFT_ERR_IO, "of the other");
    refused(one, BIOFT_ERR_IO, BIOFT_ERR_IO, "loss 'sample': of one");
    refused(other, BIOFT_ERR_IO, BIOFT_ERR_IO, "loss 'sample': of the other");
    instance_destroy(one);
    instance_destroy(other);
}

static int files_ctx, more_ctx;
static const int files_table = 1, more_table = 2;

static void count_index(void *ctx, size_t index, uint32_t thread)
{
    atomic_int *seen = ctx;
    (void)thread;
    seen[index]++;
}

static void offers_extensions(void **state)
{
    const struct extension extensions[] = {
        { .id = "bioft.files/1", .table = &files_table, .ctx = &files_ctx },
        { .id = "bioft.more/1", .table = &more_table, .ctx = &more_ctx },
    };
    struct instance_params p = { .plugin = &plugin, .extensions = extensions, .extension_count = 2 };
    struct instance *i;
    struct error err;
    atomic_int seen[100] = { 0 };
    (void)state;
    assert_int_equal(pool_create(3, &p.pool, &err), BIOFT_OK);
    assert_int_equal(instance_create(&p, &i, &err), BIOFT_OK);
    const bioft_host *h = &i->host;
    assert_ptr_equal(h->get_extension(h, "bioft.files/1"), &files_table);
    assert_ptr_equal(h->get_extension(h, "bioft.more/1"), &more_table);
    assert_ptr_equal(instance_extension_ctx(h, "bioft.more/1"), &more_ctx);
    assert_null(instance_extension_ctx(h, "bioft.none/1"));
    assert_null(h->get_extension(h, "bioft.files/1 "));
    assert_null(h->get_extension(h, "bioft.files/"));
    assert_null(h->get_extension(h, "bioft.parallel/2"));
    assert_null(h->get_extension(h, NULL));
    const bioft_parallel *parallel = h->get_extension(h, "bioft.parallel/1");
    assert_int_equal(parallel->struct_size, sizeof *parallel);
    assert_int_equal(parallel->threads, 3);
    parallel->run(h, 100, count_index, seen);
    for (size_t k = 0; k < 100; k++)
        assert_int_equal(seen[k], 1);
    instance_destroy(i);
    pool_destroy(p.pool);

    i = make(false); /* without a pool: on the caller's thread */
    parallel = i->host.get_extension(&i->host, "bioft.parallel/1");
    assert_int_equal(parallel->threads, 1);
    parallel->run(&i->host, 100, count_index, seen);
    assert_int_equal(seen[99], 2);
    instance_destroy(i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_and_destroys), cmocka_unit_test(writes_the_host_where_asked),
        cmocka_unit_test(takes_given_values),   cmocka_unit_test(reports_a_failed_create),
        cmocka_unit_test(owns_states),          cmocka_unit_test(refuses_bad_states),
        cmocka_unit_test(owns_trainables),      cmocka_unit_test(lends_scratch),
        cmocka_unit_test(draws_by_key),         cmocka_unit_test(tells_reasons),
        cmocka_unit_test(keeps_reasons_apart),  cmocka_unit_test(offers_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
