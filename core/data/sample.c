/* Samples: the host's side of bioft_sample, and what its pixels must be before the rest of core
 * sees them. */
#include "data/sample.h"

#include "data/private.h"
#include "formats/image.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_SIDE = 65500, MOST_CHANNELS = 4 };

struct reader {
    const struct dataset *dataset;
    void *handle; /* the plugin's */
    bioft_sample view;
    uint8_t *room; /* behind reserve() */
    size_t capacity;
    const void *bytes; /* what the plugin gave: room or its own */
    size_t count;
    struct bitmap decoded;
};

static void *on_reserve(bioft_sample *s, size_t bytes)
{
    struct reader *r = s->ctx;
    if (bytes > r->capacity || !r->room) {
        uint8_t *more = mem_aligned(bytes, 1);
        if (!more)
            return NULL;
        free(r->room);
        r->room = more;
        r->capacity = bytes;
    }
    r->bytes = r->room;
    r->count = bytes;
    return r->room;
}

static bioft_status on_map(bioft_sample *s, const void *bytes, size_t count)
{
    struct reader *r = s->ctx;
    r->bytes = bytes;
    r->count = count;
    return BIOFT_OK;
}

bioft_status reader_open(const struct dataset *d, struct reader **ret, struct error *err)
{
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    struct reader *r = mem_array(1, sizeof *r);

    if (!r)
        return error_memory(err, "a reader");
    r->dataset = d;
    if (api->reader_open) {
        const bioft_status st = api->reader_open(d->instance->self, &r->handle);
        if (st != BIOFT_OK) {
            free(r);
            return instance_error(d->instance, st, err);
        }
    }
    *ret = r;
    return BIOFT_OK;
}

void reader_close(struct reader *r)
{
    if (!r)
        return;
    const bioft_dataset *api = &r->dataset->instance->plugin->api.dataset;
    if (api->reader_open && api->reader_close)
        api->reader_close(r->dataset->instance->self, r->handle);
    free(r->room);
    image_free(&r->decoded);
    free(r);
}

static bool in_range(const float *x, size_t count)
{
    bool good = true;

    for (size_t i = 0; i < count; i++)
        good &= x[i] >= 0.0f && x[i] <= 1.0f;
    return good;
}

/* Raw arrays: as many bytes as their sides say, where floats may lie, and in which range. */
static bioft_status check_raw(const struct reader *r, struct error *err)
{
    const bioft_sample *v = &r->view;
    const size_t item = v->format == BIOFT_SAMPLE_F32_CHW ? sizeof(float) : 1;

    if (!v->height || !v->width || v->height > LARGEST_SIDE || v->width > LARGEST_SIDE)
        return error_set(err, BIOFT_ERR_FORMAT, "%ux%u pixels: sides are 1 to %d", v->width, v->height, LARGEST_SIDE);
    if (!v->channels || v->channels > MOST_CHANNELS)
        return error_set(err, BIOFT_ERR_FORMAT, "%u channels: 1 to %d are possible", v->channels, MOST_CHANNELS);
    if (r->count != (size_t)v->height * v->width * v->channels * item)
        return error_set(err, BIOFT_ERR_FORMAT, "%zu bytes for %ux%ux%u", r->count, v->height, v->width, v->channels);
    if ((uintptr_t)r->bytes % item)
        return error_set(err, BIOFT_ERR_INVALID, "floats at an address that is not a multiple of 4");
    if (v->format == BIOFT_SAMPLE_F32_CHW && !in_range((const void *)r->bytes, r->count / item))
        return error_set(err, BIOFT_ERR_FORMAT, "a value that is not finite or outside [0,1]");
    return BIOFT_OK;
}

static void name_of(const struct reader *r, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const struct dataset *d = r->dataset;
    if (d->instance->plugin->api.dataset.name(d->instance->self, split, index, ret, size) != BIOFT_OK)
        snprintf(ret, size, "sample %llu", (unsigned long long)index);
}

bioft_status reader_blame(const struct reader *r, uint32_t split, uint64_t index, bioft_status status,
                          struct error *err)
{
    char name[512];
    name_of(r, split, index, name, sizeof name);
    error_prefix(err, "dataset '%s': %s", r->dataset->name, name);
    return status;
}

static bioft_status decode(struct reader *r, uint32_t split, uint64_t index, struct pixels *ret, struct error *err)
{
    char name[512];
    bioft_status st;

    name_of(r, split, index, name, sizeof name);
    st = image_decode(name, r->bytes, r->count, 0, &r->decoded, err);
    if (st != BIOFT_OK) {
        error_prefix(err, "dataset '%s'", r->dataset->name);
        return st;
    }
    *ret = (struct pixels){
        .format = BIOFT_SAMPLE_U8_HWC,
        .height = r->decoded.height,
        .width = r->decoded.width,
        .channels = 3,
        .data = r->decoded.pixels,
    };
    return BIOFT_OK;
}

bioft_status reader_sample(struct reader *r, uint32_t split, uint64_t index, struct pixels *ret, bool *ret_encoded,
                           struct error *err)
{
    const struct dataset *d = r->dataset;
    const bioft_dataset *api = &d->instance->plugin->api.dataset;
    bioft_status st;

    r->view = (bioft_sample){ .struct_size = sizeof r->view, .ctx = r, .reserve = on_reserve, .map = on_map };
    r->bytes = NULL;
    r->count = 0;
    st = api->sample(d->instance->self, r->handle, split, index, &r->view);
    if (st != BIOFT_OK)
        return instance_error(d->instance, st, err);
    if (ret_encoded)
        *ret_encoded = r->view.format == BIOFT_SAMPLE_ENCODED;
    if (r->bytes && r->view.format == BIOFT_SAMPLE_ENCODED)
        return decode(r, split, index, ret, err);
    if (!r->bytes)
        st = error_set(err, BIOFT_ERR_INVALID, "the plugin gave no bytes");
    else if (r->view.format == BIOFT_SAMPLE_U8_HWC || r->view.format == BIOFT_SAMPLE_F32_CHW)
        st = check_raw(r, err);
    else
        st = error_set(err, BIOFT_ERR_INVALID, "the plugin gave an unknown format: %u", r->view.format);
    if (st != BIOFT_OK)
        return reader_blame(r, split, index, st, err);
    *ret = (struct pixels){
        .format = r->view.format,
        .height = r->view.height,
        .width = r->view.width,
        .channels = r->view.channels,
        .data = r->bytes,
    };
    return BIOFT_OK;
}

void reader_source(const struct reader *r, char ret[SHA256_HEX]) { sha256_bytes(r->bytes, r->count, ret); }

bioft_status reader_pixels(struct reader *r, const struct split *s, uint64_t position, struct pixels *ret,
                           struct error *err)
{
    const struct dataset *d = r->dataset;
    const struct pixel_store *held = &d->private->stored[s - d->splits];

    if (!held->pixels)
        return reader_sample(r, s->number, s->index[position], ret, NULL, err);
    *ret = pixel_store_pixels(held, position, d->channels);
    return BIOFT_OK;
}
