/* What is predicted on, made into the network's input: arrays, and folders of images. */
#include "cli/predict_input.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"
#include "cli/predict_decode.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 16 };

struct input_worker {
    struct decoder *decoder;
    struct canvas canvas;
};

/* By the ending: what they really are is seen when they are read. */
static bool looks_like_image(const char *name)
{
    static const char *const endings[] = { "*.jpg", "*.jpeg", "*.jpe", "*.png" };
    char lower[512];
    size_t i = 0;

    for (; name[i] && i < sizeof lower - 1; i++)
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] + 32) : name[i];
    lower[i] = '\0';
    for (size_t k = 0; k < sizeof endings / sizeof *endings; k++)
        if (text_match(endings[k], lower))
            return true;
    return false;
}

/* Images of a folder and the folders in it, in the bytewise order of their names. */
static bioft_status add_folder(struct input *in, const char *below, unsigned depth, struct error *err)
{
    char **names = NULL;
    size_t count = 0;
    char *folder = path_join(in->folder, below);
    bioft_status st = folder ? file_list(folder, &names, &count, err) : error_memory(err, in->folder);

    for (size_t i = 0; i < count && st == BIOFT_OK; i++) {
        const size_t length = strlen(names[i]);
        const bool is_folder = length > 0 && names[i][length - 1] == '/';
        const char *path = arena_printf(in->arena, "%s%s", below, names[i]);
        if (!path)
            st = error_memory(err, in->folder);
        else if (is_folder && depth == DEEPEST)
            st = error_set(err, BIOFT_ERR_INVALID, "%s/%s: folders deeper than %d", in->folder, path, DEEPEST);
        else if (is_folder)
            st = add_folder(in, path, depth + 1, err);
        else if (!looks_like_image(names[i]))
            in->passed_over++;
        else if (!mem_grow(&in->names, &in->name_capacity, in->count + 1, sizeof *in->names))
            st = error_memory(err, in->folder);
        else
            in->names[in->count++] = path;
    }
    file_list_free(names, count);
    free(folder);
    return st;
}

static bioft_status open_folder(struct input *in, const struct input_params *p, struct error *err)
{
    in->folder = p->path;
    bioft_status st = add_folder(in, "", 0, err);
    if (st != BIOFT_OK)
        return st;
    if (in->count == 0)
        st = error_set(err, BIOFT_ERR_INVALID, "%s: no images in it (.jpg, .jpeg, .png)", p->path);
    if (st != BIOFT_OK)
        return st;
    if (in->passed_over > 0)
        log_write(p->log, LOG_INFO, "%s: %zu files skipped, %zu images", p->path, in->passed_over, in->count);
    return BIOFT_OK;
}

static bioft_status shape_error(const struct input_params *p, const struct npy *a, struct error *err)
{
    return error_set(err, BIOFT_ERR_INVALID,
                     "%s: %s of %u dimensions; <f4 of [images, %u, height, width], already "
                     "normalised, or |u1 pixels of [images, height, width(, 3)] are taken",
                     p->path, a->descr, a->dims, p->image->channels);
}

/* Floats are the network's input as they are. */
static bioft_status open_floats(struct input *in, const struct input_params *p, struct error *err)
{
    const struct npy *a = &in->array;

    if (a->dims != 4)
        return shape_error(p, a, err);
    if (a->shape[1] != p->image->channels)
        return error_set(err, BIOFT_ERR_INVALID, "%s: images of %llu channels, the network takes %u", p->path,
                         (unsigned long long)a->shape[1], p->image->channels);
    if (a->shape[2] == 0 || a->shape[3] == 0 || a->shape[2] > 65500 || a->shape[3] > 65500)
        return error_set(err, BIOFT_ERR_INVALID, "%s: images of %llux%llu", p->path, (unsigned long long)a->shape[3],
                         (unsigned long long)a->shape[2]);
    for (size_t i = 0; i < a->count; i++)
        if (!isfinite(((const float *)a->data)[i]))
            return error_set(err, BIOFT_ERR_INVALID, "%s: the value at index %zu is not finite", p->path, i);
    in->image.height = (uint32_t)a->shape[2];
    in->image.width = (uint32_t)a->shape[3];
    return BIOFT_OK;
}

static bioft_status open_array(struct input *in, const struct input_params *p, struct error *err)
{
    const struct npy *a = &in->array;
    bioft_status st = npy_read(p->path, &in->array, err);

    if (st != BIOFT_OK)
        return st;
    if (a->dtype == NPY_F32)
        st = open_floats(in, p, err);
    else if (a->dtype != NPY_U8 || (a->dims != 3 && !(a->dims == 4 && (a->shape[3] == 3 || a->shape[3] == 1))))
        st = shape_error(p, a, err);
    else if (a->count > 0 && (a->shape[1] > 65500 || a->shape[2] > 65500))
        st = error_set(err, BIOFT_ERR_INVALID, "%s: images of %llux%llu", p->path, (unsigned long long)a->shape[2],
                       (unsigned long long)a->shape[1]);
    if (st == BIOFT_OK && a->count == 0)
        st = error_set(err, BIOFT_ERR_INVALID, "%s: no images in it", p->path);
    in->count = st == BIOFT_OK ? (size_t)a->shape[0] : 0;
    return st;
}

static bioft_status open_workers(struct input *in, struct error *err)
{
    const unsigned count = pool_threads(in->pool);
    bioft_status st = BIOFT_OK;

    in->workers = mem_array(count, sizeof *in->workers);
    if (!in->workers)
        return error_memory(err, "images");
    for (unsigned i = 0; i < count && st == BIOFT_OK; i++)
        st = decoder_create(&in->workers[i].decoder, err);
    return st;
}

bioft_status input_open(const struct input_params *p, struct input *ret, struct error *err)
{
    struct input in = { .image = *p->image, .pool = p->pool, .log = p->log };
    bioft_status st;

    if (p->size)
        in.image.height = in.image.width = p->size;
    if (!(in.arena = arena_create())) {
        st = error_memory(err, p->path);
        goto end;
    }
    st = file_is_folder(p->path) ? open_folder(&in, p, err) : open_array(&in, p, err);
    if (st == BIOFT_OK)
        st = open_workers(&in, err);
    if (st == BIOFT_OK)
        transform_init_alone(&in.transform, p->spec, &in.image);

end:
    if (st == BIOFT_OK)
        *ret = in;
    else
        input_close(&in);
    return st;
}

void input_close(struct input *in)
{
    for (unsigned i = 0; in->workers && i < pool_threads(in->pool); i++) {
        decoder_destroy(in->workers[i].decoder);
        canvas_finish(&in->workers[i].canvas);
    }
    free(in->workers);
    free(in->names);
    npy_free(&in->array);
    arena_destroy(in->arena);
    *in = (struct input){ .count = 0 };
}

const char *input_name(const struct input *in, size_t index, char ret[INPUT_NAME])
{
    if (in->names)
        return in->names[index];
    snprintf(ret, INPUT_NAME, "%zu", index);
    return ret;
}

/* A batch being made by the pool's threads. */
struct reading {
    struct input *in;
    size_t first, image_size;
    float *ret;
    struct error *errors; /* [n], with a status where an image is broken */
};

static void array_pixels(const struct input *in, size_t index, struct pixels *ret)
{
    const struct npy *a = &in->array;
    const uint32_t channels = a->dims == 4 ? (uint32_t)a->shape[3] : 1;
    const size_t size = (size_t)a->shape[1] * (size_t)a->shape[2] * channels;

    *ret = (struct pixels){ .format = BIOFT_SAMPLE_U8_HWC,
                            .height = (uint32_t)a->shape[1],
                            .width = (uint32_t)a->shape[2],
                            .channels = channels,
                            .data = (const uint8_t *)a->data + index * size };
}

static void read_one(void *ctx, size_t i, uint32_t thread)
{
    struct reading *r = ctx;
    struct input *in = r->in;
    struct input_worker *w = &in->workers[thread];
    struct transform t = in->transform;
    struct error *err = &r->errors[i];
    struct pixels pixels;

    err->status = BIOFT_OK;
    if (in->names) {
        char *path = path_join(in->folder, in->names[r->first + i]);
        err->status = path ? decoder_read(w->decoder, path, in->names[r->first + i], in->image.channels, &pixels, err)
                           : error_memory(err, "a path");
        free(path);
    } else {
        array_pixels(in, r->first + i, &pixels);
    }
    if (err->status != BIOFT_OK)
        return;
    t.small = pixels.height <= in->image.height && pixels.width <= in->image.width;
    err->status = transform_apply(&t, &pixels, r->first + i, &w->canvas, r->ret + i * r->image_size, err);
}

/* Memory and options are the run's fault, anything else the image's. */
static bioft_status look_at(struct input *in, size_t index, const struct error *e, bool *ret_broken, struct error *err)
{
    char number[INPUT_NAME];

    *ret_broken = e->status != BIOFT_OK;
    if (e->status == BIOFT_OK)
        return BIOFT_OK;
    if (e->status == BIOFT_ERR_MEMORY || e->status == BIOFT_ERR_INVALID || !in->names) {
        *err = *e;
        return error_prefix(err, "%s", input_name(in, index, number));
    }
    in->broken++;
    log_write(in->log, LOG_WARNING, "%s; left out", e->text);
    return BIOFT_OK;
}

bioft_status input_read(struct input *in, size_t first, uint32_t n, float *ret, bool *ret_broken, struct error *err)
{
    const size_t size = (size_t)in->image.channels * in->image.height * in->image.width;
    struct reading r = { .in = in, .first = first, .image_size = size, .ret = ret };
    bioft_status st = BIOFT_OK;

    memset(ret_broken, 0, n * sizeof *ret_broken);
    if (!in->names && in->array.dtype == NPY_F32) {
        memcpy(ret, (const float *)in->array.data + first * size, n * size * sizeof *ret);
        return BIOFT_OK;
    }
    memset(ret, 0, n * size * sizeof *ret);
    r.errors = mem_array(n, sizeof *r.errors);
    if (!r.errors)
        return error_memory(err, "a batch");
    pool_run(in->pool, n, read_one, &r);
    for (uint32_t i = 0; i < n && st == BIOFT_OK; i++)
        st = look_at(in, first + i, &r.errors[i], &ret_broken[i], err);
    free(r.errors);
    return st;
}
