/* Images one after the other, each at its size. */
#include "data/pixel_store.h"

#include "base/memory.h"
#include <stdlib.h>

void pixel_store_finish(struct pixel_store *h)
{
    free(h->size);
    free(h->source);
    free(h->at);
    free(h->own);
    file_map_close(&h->map);
    *h = (struct pixel_store){ 0 };
}

bool size_bytes(struct size s, uint32_t channels, uint64_t *ret)
{
    const uint64_t area = (uint64_t)s.height * s.width;
    if (channels && area > UINT64_MAX / channels)
        return false;
    *ret = area * channels;
    return true;
}

bioft_status pixel_store_place(struct pixel_store *h, uint64_t count, uint32_t channels, struct error *err)
{
    uint64_t end = 0, bytes = 0;

    free(h->at);
    h->at = mem_array((size_t)count + 1, sizeof *h->at);
    if (!h->at)
        return error_memory(err, "images");
    for (uint64_t i = 0; i < count; i++) {
        h->at[i] = end;
        if (!size_bytes(h->size[i], channels, &bytes) || bytes > UINT64_MAX - end)
            return error_set(err, BIOFT_ERR_INVALID, "images of more bytes than can be counted");
        end += bytes;
    }
    h->at[count] = end;
    return BIOFT_OK;
}

struct pixels pixel_store_pixels(const struct pixel_store *h, uint64_t position, uint32_t channels)
{
    return (struct pixels){
        .format = BIOFT_SAMPLE_U8_HWC,
        .height = h->size[position].height,
        .width = h->size[position].width,
        .channels = channels,
        .data = h->pixels + h->at[position],
    };
}
