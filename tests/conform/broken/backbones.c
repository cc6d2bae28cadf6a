/* Backbones that break the contract in one way each, chosen by WAY. */
#include "broken.h"

#include <stdlib.h>

enum { GROWS, RENAMES, OVERFLOWS, OTHER_VALUES, LEAKS };

typedef struct {
    float *kept;
} broken;

/* How often any instance has built: what no instance may know. */
static uint32_t builds;

static bioft_status build(void *self, const bioft_builder *b)
{
    float values[8 * 3 * 3];
    bioft_tensor x = b->input(b, 1, 20, 20);
    builds++;
    const char *name = WAY == RENAMES && builds % 2 ? "conv_again" : "conv";
    x = b->conv2d(b, name, x,
                  &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d),
                                   .out = 8,
                                   .kernel = { 3, 3 },
                                   .init = BIOFT_INIT_NORMAL,
                                   .init_std = WAY == OVERFLOWS ? 3e38f : 0.2f });
    for (uint32_t i = 0; i < 8 * 3 * 3; i++)
        values[i] = (float)(i % 7) * 0.05f - 0.15f + (WAY == OTHER_VALUES ? (float)builds * 1e-3f : 0.0f);
    if (WAY != OVERFLOWS)
        b->weights(b, WAY == RENAMES && builds % 2 ? "conv_again.weight" : "conv.weight", values, 8 * 3 * 3);
    x = b->tanh_(b, x);
    for (uint32_t i = 0; WAY == GROWS && i < builds % 2; i++)
        x = b->conv2d(b, "more", x,
                      &(bioft_conv2d){ .struct_size = sizeof(bioft_conv2d), .out = 4, .kernel = { 1, 1 } });
    if (WAY == LEAKS)
        ((broken *)self)->kept = malloc(1000);
    x = b->adaptive_avgpool(b, x, 3, 3);
    b->head(b, "fc", b->flatten(b, x), &(bioft_linear){ .struct_size = sizeof(bioft_linear), .out = 10 });
    return BIOFT_OK;
}

static const bioft_backbone backbone = { .struct_size = sizeof(backbone), .build = build };

BROKEN(BIOFT_KIND_BACKBONE, NAME, broken, &backbone, .create = NULL)
