/* What a program takes, how it is refused, and that its steps allocate nothing. */
#include "compare.h"
#include "net.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

/* The program's own allocator, which counts and hands on to glibc's; a sanitizer has one of its own already. What
 * libraries take inside a call is their own affair: some of OpenBLAS's kernels for small matrices pack into malloc's
 * memory, oneDNN lists a primitive's arguments there, libtorch has its tensors there, and the loader puts a thread's
 * own variables of a library, and the C library their destructors, there when the thread first meets them. */
static atomic_int counting, allocations;
#ifndef SANITIZED
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static void count(void *caller)
{
    static const char *const libraries[] = { "libopenblas", "libdnnl",  "libstdc++", "libgomp",
                                             "ld-linux",    "libtorch", "libc10",    "libc.so" };
    Dl_info from;

    if (!atomic_load(&counting))
        return;
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (dladdr(caller, &from) != 0 && from.dli_fname && strstr(from.dli_fname, libraries[i]))
            return;
    atomic_fetch_add(&allocations, 1);
}

void *malloc(size_t size)
{
    count(__builtin_return_address(0));
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_calloc(number, size);
}

void *realloc(void *memory, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    count(__builtin_return_address(0));
    *ret = __libc_memalign(alignment, size);
    return *ret ? 0 : 12;
}
#endif

static const struct op ops[] = {
    { .op = BIOFT_OP_CONV2D, .out = 6, .kernel = { 5, 5 }, .padding = { 2, 2, 2, 2 }, .no_bias = true },
    { .op = BIOFT_OP_BATCHNORM },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_MAXPOOL, .kernel = { 2, 2 } },
    { .op = BIOFT_OP_CONV2D, .out = 16, .kernel = { 5, 5 } },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_CONV2D, .out = 64, .kernel = { 7, 7 }, .padding = { 3, 3, 3, 3 } },
    { .op = BIOFT_OP_TANH },
    { .op = BIOFT_OP_AVGPOOL, .kernel = { 2, 2 } },
    { .op = BIOFT_OP_DROPOUT, .dropout = 0.5f },
    { .op = BIOFT_OP_FLATTEN },
    { .op = BIOFT_OP_LINEAR, .out = 120 },
    { .op = BIOFT_OP_RELU },
    { .op = BIOFT_OP_LINEAR, .out = 10 },
    { 0 },
};
enum { N = 20, OUTPUTS = 10 };

struct trial {
    struct net net;
    struct rig rig;
    float *x, *d_out, *out, *dx;
    double lr[PARAMETERS];
};

static int begin(void **state)
{
    struct trial *t = mem_array(1, sizeof *t);

    assert_non_null(t);
    net_make(&t->net, 1, 28, 28, ops);
    rig_open(&t->rig, &t->net, 2);
    t->x = net_random(N * node_count(&t->net.nodes[0]), 1);
    t->d_out = net_random(N * OUTPUTS, 2);
    t->out = net_random(N * OUTPUTS, 3);
    t->dx = net_random(N * node_count(&t->net.nodes[0]), 4);
    for (int i = 0; i < PARAMETERS; i++)
        t->lr[i] = 1e-3;
    *state = t;
    return 0;
}

static int end(void **state)
{
    struct trial *t = *state;

    rig_close(&t->rig);
    net_free(&t->net);
    free(t->x);
    free(t->d_out);
    free(t->out);
    free(t->dx);
    free(t);
    return 0;
}

static void call(struct trial *t, bioft_status st)
{
    atomic_store(&counting, 0);
    if (st != BIOFT_OK)
        fail_msg("%s", rig_error(&t->rig, st));
    assert_int_equal(atomic_load(&allocations), 0);
}

static bioft_status local(void *ctx, uint32_t layer, const bioft_local *io)
{
    (void)ctx, (void)layer;
    for (uint32_t i = 0; io->dw && i < 10; i++)
        io->dw[i] = 1;
    return BIOFT_OK;
}

static bioft_status updated(void *ctx, uint32_t layer, float *w, const float *dw, int32_t *ret_changed)
{
    (void)ctx, (void)layer, (void)w, (void)dw;
    *ret_changed = 1;
    return BIOFT_OK;
}

/* From the very first step; feedback that redraws, a routed layer, all hooks. */
static void steps_allocate_nothing(void **state)
{
    struct trial *t = *state;
    const struct rig *r = &t->rig;
    const uint32_t everything = BIOFT_DY | BIOFT_DX | BIOFT_DW;
    const bioft_feedback redraws = { .struct_size = sizeof redraws,
                                     .g = BIOFT_G_SIGN,
                                     .m = BIOFT_M_ABS_NORMAL,
                                     .redraw = BIOFT_REDRAW_EACH_UPDATE,
                                     .high = 1,
                                     .scale = BIOFT_SCALE_MATCH_NORM };
    bioft_route routes[LAYERS] = { { 0 }, { .reads = everything & BIOFT_DY, .writes = BIOFT_DW } };
    const bioft_hooks hooks = { .struct_size = sizeof hooks, .ctx = t, .local = local, .updated = updated };
    void *train = rig_program(&t->rig, BIOFT_TRAIN, 0, N, routes);
    void *eval = rig_program(&t->rig, BIOFT_EVAL, 0, N, NULL), *attack = rig_program(&t->rig, BIOFT_ATTACK, 0, N, NULL);

    for (uint32_t l = 0; l < t->net.graph.layer_count; l++)
        assert_int_equal(r->api->set_feedback(r->self, r->model, l, &redraws, 0), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        const bioft_update u = { .struct_size = sizeof u,
                                 .kind = BIOFT_ADAM,
                                 .t = i,
                                 .lr = t->lr,
                                 .beta1 = 0.9,
                                 .beta2 = 0.999,
                                 .eps = 1e-8,
                                 .gradient_scale = 1 };
        const uint32_t n = i == 2 ? 7 : N;
        uint32_t bad;
        atomic_store(&counting, 1);
        call(t, r->api->forward(r->self, train, n, t->x, i, t->out));
        atomic_store(&counting, 1);
        call(t, r->api->backward(r->self, train, t->d_out, i == 3 ? BIOFT_ACCUMULATE : 0, t->dx, &hooks));
        atomic_store(&counting, 1);
        call(t, r->api->backward(r->self, train, t->d_out, BIOFT_EXACT | BIOFT_NO_PARAMETERS, t->dx, &hooks));
        atomic_store(&counting, 1);
        call(t, r->api->update(r->self, r->model, &u, &hooks, &bad));
        atomic_store(&counting, 1);
        for (uint32_t l = 0; l < t->net.graph.layer_count; l++)
            call(t, r->api->set_feedback(r->self, r->model, l, &redraws, i));
        atomic_store(&counting, 1);
        call(t, r->api->forward(r->self, eval, n, t->x, 0, t->out));
        atomic_store(&counting, 1);
        call(t, r->api->forward(r->self, attack, n, t->x, 0, t->out));
        atomic_store(&counting, 1);
        call(t, r->api->backward(r->self, attack, t->d_out, 0, t->dx, NULL));
    }
    r->api->program_destroy(r->self, train);
    r->api->program_destroy(r->self, eval);
    r->api->program_destroy(r->self, attack);
}

#ifndef SANITIZED
/* The counter counts, inside the engine too. */
static void the_counter_counts(void **state)
{
    struct trial *t = *state;
    void *p;

    atomic_store(&counting, 1);
    p = rig_program(&t->rig, BIOFT_EVAL, 0, N, NULL);
    atomic_store(&counting, 0);
    assert_true(atomic_exchange(&allocations, 0) > 2);
    t->rig.api->program_destroy(t->rig.self, p);
}
#endif

static uint64_t bytes(struct trial *t, uint32_t kind, uint32_t batch)
{
    void *p = rig_program(&t->rig, kind, 0, batch, NULL);
    uint64_t ret = t->rig.api->program_bytes(t->rig.self, p);

    t->rig.api->program_destroy(t->rig.self, p);
    return ret;
}

/* Evaluation shares memory over time, an attack keeps less than training; columns do not grow with the batch. */
static void sizes(void **state)
{
    struct trial *t = *state;
    const uint64_t eval = bytes(t, BIOFT_EVAL, 256), attack = bytes(t, BIOFT_ATTACK, 256);
    const uint64_t train = bytes(t, BIOFT_TRAIN, 256), more = bytes(t, BIOFT_EVAL, 512);
    const char *block = getenv("BIOFT_TEST_BLOCK"); /* channels that stand together, the last ones filled up */
    const uint32_t channels = block ? (uint32_t)strtoul(block, NULL, 10) : 1;
    uint64_t all = 0, columns = 784 * 25 + 100 * 150 + 100 * 784;

    for (uint32_t i = 0; i < t->net.graph.node_count; i++) {
        const bioft_node *d = &t->net.nodes[i];
        all += (uint64_t)(d->channels + channels - 1) / channels * channels * d->height * d->width;
    }
    assert_true(eval < attack && attack < train);
    assert_true(more - eval < 256 * 4 * all / 2);
    assert_true(bytes(t, BIOFT_TRAIN, 512) - train < 256 * 4 * (2 * all + columns) / 2);
}

static void limit(void **state)
{
    struct trial *t = *state;
    bioft_use use = { .struct_size = sizeof use, .kind = BIOFT_TRAIN, .precision = BIOFT_F32, .max_batch = 64 };
    const uint64_t needs = bytes(t, BIOFT_TRAIN, 64);
    void *p = NULL;

    use.memory_limit = needs - 1;
    assert_int_equal(t->rig.api->program_create(t->rig.self, t->rig.model, &use, NULL, &p), BIOFT_ERR_MEMORY);
    assert_non_null(strstr(rig_error(&t->rig, BIOFT_ERR_MEMORY), "smaller batches"));
    assert_null(p);
    use.memory_limit = needs;
    assert_int_equal(t->rig.api->program_create(t->rig.self, t->rig.model, &use, NULL, &p), 0);
    t->rig.api->program_destroy(t->rig.self, p);
#ifndef SANITIZED
    use.memory_limit = 0;
    use.max_batch = INT32_MAX;
    p = NULL;
    assert_int_equal(t->rig.api->program_create(t->rig.self, t->rig.model, &use, NULL, &p), BIOFT_ERR_MEMORY);
    assert_null(p);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifndef SANITIZED
        cmocka_unit_test_setup_teardown(the_counter_counts, begin, end),
#endif
        cmocka_unit_test_setup_teardown(steps_allocate_nothing, begin, end),
        cmocka_unit_test_setup_teardown(sizes, begin, end),
        cmocka_unit_test_setup_teardown(limit, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
