/* Images in arrays of NumPy: dimensions and values, and the callbacks of a dataset of them. */
#include "npy.h"

enum { MAX_SIDE = 65500, MAX_CHANNELS = 4 };

/* Floats are pixels: finite and in [0,1]. The index of the first that is not is told. */
static bioft_status check_pixels(const npy *d, const char *path, const bioft_array *a)
{
    const float *v = a->data;
    const uint64_t plane = a->shape[2] * a->shape[3], image = a->shape[1] * plane;

    for (uint64_t i = 0; i < a->shape[0] * image; i++) {
        const uint64_t at = i % image;
        if (!(v[i] >= 0.0f && v[i] <= 1.0f))
            return fail_at(d, path,
                           "pixel [%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "] is %g: pixels are in [0,1]",
                           i / image, at / plane, at % plane / a->shape[3], at % a->shape[3], (double)v[i]);
    }
    return BIOFT_OK;
}

/* Grey images without a dimension for it: a channel is put in. */
static void add_channel(bioft_array *a)
{
    if (a->dims != 3)
        return;
    a->dims = 4;
    if (a->dtype == BIOFT_DTYPE_U8) {
        a->shape[3] = 1;
        return;
    }
    a->shape[3] = a->shape[2];
    a->shape[2] = a->shape[1];
    a->shape[1] = 1;
}

/* Dimensions and type; the first split's are those of all. */
static bioft_status check_images(npy *d, const char *path, bioft_array *a)
{
    const int bytes = a->dtype == BIOFT_DTYPE_U8;

    if (a->dtype == BIOFT_DTYPE_I64)
        return fail_at(d, path,
                       "images are integers: save them as uint8 [n,h,w,c], or as float32 "
                       "[n,c,h,w] in [0,1]");
    add_channel(a);
    if (a->dims != 4)
        return fail_at(d, path,
                       "%u dimensions; images are uint8 [n,h,w,c] or float32 [n,c,h,w], "
                       "grey ones also [n,h,w]",
                       a->dims);
    const uint64_t height = a->shape[bytes ? 1 : 2], width = a->shape[bytes ? 2 : 3],
                   channels = a->shape[bytes ? 3 : 1];
    if (!height || !width || height > MAX_SIDE || width > MAX_SIDE || !channels || channels > MAX_CHANNELS)
        return fail_at(d, path,
                       "images of %" PRIu64 " rows, %" PRIu64 " columns and %" PRIu64
                       " channels: 1 to %d, 1 to %d and 1 to %d are possible; %s",
                       height, width, channels, MAX_SIDE, MAX_SIDE, MAX_CHANNELS,
                       bytes ? "uint8 is [n,h,w,c]" : "float32 is [n,c,h,w]");
    if (d->split_count && (d->height != height || d->width != width || d->channels != channels || d->dtype != a->dtype))
        return fail_at(d, path, "images of %" PRIu64 "x%" PRIu64 "x%" PRIu64 " in %s, the others are %ux%ux%u in %s",
                       height, width, channels, bytes ? "bytes" : "floats", d->height, d->width, d->channels,
                       d->dtype == BIOFT_DTYPE_U8 ? "bytes" : "floats");
    d->height = (uint32_t)height;
    d->width = (uint32_t)width;
    d->channels = (uint32_t)channels;
    d->dtype = a->dtype;
    return bytes ? BIOFT_OK : check_pixels(d, path, a);
}

bioft_status npy_add_split(npy *d, const char *split, const char *images, const char *labels)
{
    struct arrays *s = &d->splits[d->split_count];
    bioft_status st = check_images(d, images, &s->images);

    if (st == BIOFT_OK)
        st = npy_check_labels(d, labels, &s->labels, s->images.shape[0]);
    if (st != BIOFT_OK)
        return st;
    s->name = split;
    s->count = s->images.shape[0];
    d->split_count++;
    return BIOFT_OK;
}

bioft_status npy_describe(const npy *d, bioft_info *info)
{
    bioft_status st = number_classes(info, d->classes);
    for (uint32_t i = 0; st == BIOFT_OK && i < d->split_count; i++)
        st = info->split(info, d->splits[i].name, d->splits[i].count);
    return st;
}

bioft_status npy_name(const void *self, uint32_t split, uint64_t index, char *ret, size_t size)
{
    const npy *d = self;
    return sample_name(d->host, d->splits[split].name, index, ret, size);
}

bioft_status npy_sample(const void *self, void *reader, uint32_t split, uint64_t index, bioft_sample *ret)
{
    const npy *d = self;
    const size_t size = (size_t)d->height * d->width * d->channels * (d->dtype == BIOFT_DTYPE_U8 ? 1 : sizeof(float));
    (void)reader;
    ret->format = d->dtype == BIOFT_DTYPE_U8 ? BIOFT_SAMPLE_U8_HWC : BIOFT_SAMPLE_F32_CHW;
    ret->height = d->height;
    ret->width = d->width;
    ret->channels = d->channels;
    return ret->map(ret, (const uint8_t *)d->splits[split].images.data + index * size, size);
}

int32_t npy_multi_label(const void *self) { return ((const npy *)self)->multi_label; }
