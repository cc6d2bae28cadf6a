/* The size that a transform gives to the images of a dataset, as the network takes them. */
#include "data/input.h"

#include "data/private.h"

static bioft_status channels_of(const struct dataset *d, uint32_t channels, uint32_t *ret, struct error *err)
{
    if (d->channels != channels && !(d->channels == 1 && channels == 3))
        return error_set(err, BIOFT_ERR_INVALID, "dataset '%s': images of %u channel%s, the network takes %u%s",
                         d->name, d->channels, d->channels == 1 ? "" : "s", channels,
                         channels == 1 ? ": colour is not made grey" : "");
    *ret = channels;
    return BIOFT_OK;
}

/* `transform: none`: the data's own size, which all images must have. */
static bioft_status own_size(const struct dataset *d, struct image_format *ret, struct error *err)
{
    const struct sides *s = &d->private->sides;
    if (s->min_height != s->max_height || s->min_width != s->max_width)
        return error_set(err, BIOFT_ERR_INVALID,
                         "dataset '%s': its images have %u to %u rows and %u to %u columns; "
                         "'transform: none' needs one size, 'transform: auto' makes one",
                         d->name, s->min_height, s->max_height, s->min_width, s->max_width);
    ret->height = s->min_height;
    ret->width = s->min_width;
    return BIOFT_OK;
}

/* Arrays of floats are taken at their size: resizing is defined on bytes. */
static bioft_status check_float(const struct dataset *d, const struct image_format *p, struct error *err)
{
    if (d->private->format != BIOFT_SAMPLE_F32_CHW || (d->height == p->height && d->width == p->width))
        return BIOFT_OK;
    return error_set(err, BIOFT_ERR_UNSUPPORTED,
                     "dataset '%s': float images of %ux%u are not resized to %ux%u: use "
                     "'transform: none', or save them as uint8",
                     d->name, d->width, d->height, p->width, p->height);
}

static bioft_status check_map(const struct dataset *d, const struct transform_spec *t, const struct image_format *p,
                              struct error *err)
{
    const uint32_t shorter = p->height < p->width ? p->height : p->width;
    const uint64_t padding = t->train == CROP_RANDOM ? t->padding : 0;
    if (t->resize && t->resize + 2 * padding < shorter)
        return error_set(err, BIOFT_ERR_INVALID,
                         "dataset '%s': transform: %u pixels (resize and padding) are fewer than "
                         "size: %u",
                         d->name, t->resize + 2 * t->padding, shorter);
    return BIOFT_OK;
}

bioft_status input_size(const struct dataset *d, const struct transform_spec *t, uint32_t channels, uint32_t height,
                        uint32_t width, struct image_format *ret, struct error *err)
{
    struct image_format p = *ret;
    bioft_status st = channels_of(d, channels, &p.channels, err);

    if (st != BIOFT_OK)
        return st;
    p.height = height;
    p.width = width;
    if (t->kind == TRANSFORM_NONE)
        st = own_size(d, &p, err);
    else if (t->kind == TRANSFORM_MAP && t->size)
        p.height = p.width = t->size;
    if (st != BIOFT_OK)
        return st;
    st = check_float(d, &p, err);
    if (st != BIOFT_OK)
        return st;
    if (t->kind == TRANSFORM_MAP)
        st = check_map(d, t, &p, err);
    if (st != BIOFT_OK)
        return st;
    *ret = p;
    return BIOFT_OK;
}
