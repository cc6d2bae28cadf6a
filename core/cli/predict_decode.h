/* An image's file as pixels. */
#ifndef CLI_PREDICT_DECODE_H
#define CLI_PREDICT_DECODE_H

#include "data/sample.h"

struct decoder; /* one thread's room */
bioft_status decoder_create(struct decoder **ret, struct error *err);
void decoder_destroy(struct decoder *d); /* NULL is fine */
/* channels: 3, or 1 for an image that is grey. *ret lives until the next call; `name` is for
 * messages. */
bioft_status decoder_read(struct decoder *d, const char *path, const char *name, uint32_t channels, struct pixels *ret,
                          struct error *err);

#endif
