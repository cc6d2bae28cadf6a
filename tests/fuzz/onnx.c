/* onnx: a file is refused with words, or becomes a graph by the host's own builder; each of its ways to be read. */
#include "fuzz.h"

#include "graph/builder.h"
#include "translate.h"

static bool build(const struct model *m, const struct request *request)
{
    const struct graph_params params = { .head_outputs = request->head == HEAD_ADDED ? 7 : 0 };
    struct graph *g = calloc(1, sizeof *g);
    struct fault fault = { 0 };
    struct builder b;
    bool built;

    MUST(g && (g->arena = arena_create()));
    builder_init(&b, &params, g);
    translate(m, request, &b.api, &fault);
    if (fault.status == BIOFT_OK)
        builder_check(&b);
    MUST(fault.status == BIOFT_OK || fault.text[0] != '\0');
    MUST(b.error.status == BIOFT_OK || b.error.text[0] != '\0');
    built = fault.status == BIOFT_OK && b.error.status == BIOFT_OK;
    builder_end(&b);
    graph_destroy(g);
    return built;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fault fault = { 0 };
    struct model m;

    if (model_parse(&m, "t", data, size, &fault) != BIOFT_OK) {
        MUST(fault.text[0] != '\0' && !m.proto);
        return 0;
    }
    MUST(fault.status == BIOFT_OK);
    build(&m, &(struct request){ .size = 16 });
    build(&m, &(struct request){ .size = 8, .head = HEAD_ADDED, .values = VALUES_RANDOM, .order = ORDER_BGR });
    model_free(&m);
    return 0;
}
