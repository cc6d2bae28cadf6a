/* An instance of a backbone that is a function of the test. */
#ifndef TESTS_GRAPH_FAKE_H
#define TESTS_GRAPH_FAKE_H

#include "graph/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

typedef bioft_status build_fn(void *self, const bioft_builder *b);

struct fake {
    struct plugin plugin;
    struct instance instance;
    struct graph_params params;
};

static inline void fake_init(struct fake *f, build_fn *build)
{
    memset(f, 0, sizeof *f);
    f->plugin.descriptor.name = "fake";
    f->plugin.descriptor.kind = BIOFT_KIND_BACKBONE;
    f->plugin.api.backbone.build = build;
    f->instance.plugin = &f->plugin;
    f->params.backbone = &f->instance;
}

/* Builds what must work. */
static inline struct graph *fake_build(struct fake *f)
{
    struct error err = { 0 };
    struct graph *g = NULL;

    if (graph_build(&f->params, &g, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    assert_non_null(g);
    return g;
}

/* Builds what must fail with a text that holds `part`. */
static inline void fake_fail(struct fake *f, bioft_status status, const char *part)
{
    struct error err = { 0 };
    struct graph *g = NULL;

    assert_int_equal(graph_build(&f->params, &g, &err), status);
    assert_null(g);
    assert_int_equal(err.status, status);
    if (!strstr(err.text, part))
        fail_msg("'%s' is not in: %s", part, err.text);
}

/* The builder's structs in short. */
static inline bioft_conv2d conv_of(uint32_t out, uint32_t kernel)
{
    return (bioft_conv2d){ .struct_size = sizeof(bioft_conv2d), .out = out, .kernel = { kernel, kernel } };
}

static inline bioft_linear linear_of(uint32_t out)
{
    return (bioft_linear){ .struct_size = sizeof(bioft_linear), .out = out };
}

static inline bioft_pool pool_of(uint32_t kernel, uint32_t stride)
{
    return (bioft_pool){
        .struct_size = sizeof(bioft_pool),
        .kernel = { kernel, kernel },
        .stride = { stride, stride },
    };
}

static inline bioft_norm norm_of(void) { return (bioft_norm){ .struct_size = sizeof(bioft_norm) }; }

static inline bioft_tensor conv(const bioft_builder *b, const char *name, bioft_tensor x, bioft_conv2d c)
{
    return b->conv2d(b, name, x, &c);
}

static inline bioft_tensor linear(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out)
{
    const bioft_linear l = linear_of(out);
    return b->linear(b, name, x, &l);
}

static inline bioft_tensor head(const bioft_builder *b, const char *name, bioft_tensor x, uint32_t out)
{
    const bioft_linear l = linear_of(out);
    return b->head(b, name, x, &l);
}

static inline bioft_tensor norm(const bioft_builder *b, const char *name, bioft_tensor x)
{
    const bioft_norm n = norm_of();
    return b->batchnorm(b, name, x, &n);
}

#endif
