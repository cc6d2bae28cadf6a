/* A network to predict with: from a bioft checkpoint alone, or from a backbone's name and a file of
 * weights. */
#ifndef CLI_PREDICT_NETWORK_H
#define CLI_PREDICT_NETWORK_H

#include "network/network.h"
#include "train/checkpoint_network.h"

struct predictor_params {
    const char *weights;  /* the file */
    const char *backbone; /* NULL: the checkpoint's */
    uint32_t classes;     /* 0: as wide as the file's head */
    const char *engine;   /* NULL: the highest score */
    uint32_t precision;   /* BIOFT_F32, BIOFT_BF16 */
    uint32_t threads, batch;
    const char *const *plugin_paths;
    size_t plugin_path_count;
    const struct log *log;
};
struct predictor {
    const struct predictor_params *params;
    struct arena *arena;
    struct registry *registry;
    struct pool *pool;
    struct weights *file; /* until predictor_build */
    struct checkpoint_network network;
    struct engine *engine;
    struct network built;
    struct program *program;
};
/* Opens the file and says what the network takes (network.image) and gives. */
bioft_status predictor_open(const struct predictor_params *params, struct predictor *ret, struct error *err);
/* The program, for images of this size and up to `batch` at once. */
bioft_status predictor_build(struct predictor *p, uint32_t height, uint32_t width, struct error *err);
void predictor_close(struct predictor *p); /* zero is fine */

#endif
