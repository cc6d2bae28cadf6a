/* MS-COCO's instances_*.json as a stream of yajl's events. What is not needed, the outlines above
 * all, is passed over without being kept. */
#include "coco_json.h"

#include "lines.h"
#include <stdlib.h>
#include <yajl/yajl_parse.h>

enum { DEEPEST = 32, LONGEST_STRING = 1 << 20, MOST_CATEGORIES = 65536 };
#define LARGEST_ID (UINT64_C(1) << 53)

enum section { OTHER, IMAGES, ANNOTATIONS, CATEGORIES, SECTIONS };
static const char *const section_names[SECTIONS] = { "", "images", "annotations", "categories" };

enum key { KEY_NONE, KEY_ID, KEY_FILE_NAME, KEY_IMAGE_ID, KEY_CATEGORY_ID, KEY_ISCROWD, KEY_NAME, KEYS };
static const char *const key_names[KEYS] = {
    "", "id", "file_name", "image_id", "category_id", "iscrowd", "name",
};
/* Keys that are read in each section, and those that have to be there. */
static const unsigned wanted_keys[SECTIONS] = {
    0,
    1u << KEY_ID | 1u << KEY_FILE_NAME,
    1u << KEY_IMAGE_ID | 1u << KEY_CATEGORY_ID | 1u << KEY_ISCROWD,
    1u << KEY_ID | 1u << KEY_NAME,
};
static const unsigned needed_keys[SECTIONS] = {
    0,
    1u << KEY_ID | 1u << KEY_FILE_NAME,
    1u << KEY_IMAGE_ID | 1u << KEY_CATEGORY_ID,
    1u << KEY_ID | 1u << KEY_NAME,
};

struct reading {
    const char *path;
    struct image_list *texts;
    struct coco_file *file;
    yajl_handle parser;
    bioft_status status; /* of the first failure */
    int depth;           /* brackets that are open: 1 the file's object, 2 a section, 3 an entry */
    enum section section;
    enum key key;
    unsigned seen_sections, seen_keys;
    uint64_t number[KEYS];
    const char *text[KEYS];
};

/* Fails at a byte of the file; 0 stops the parser. */
static int fail(struct reading *r, const char *text)
{
    const size_t at = yajl_get_bytes_consumed(r->parser);
    if (r->status == BIOFT_OK)
        r->status = r->texts->files->fail_at(r->texts->host, BIOFT_ERR_FORMAT, r->path, 0, at, text);
    return 0;
}

static int out_of_memory(struct reading *r)
{
    if (r->status == BIOFT_OK)
        r->status = r->texts->host->fail(r->texts->host, BIOFT_ERR_MEMORY, "out of memory for the annotations");
    return 0;
}

static int wrong_type(struct reading *r, const char *what, const char *expected)
{
    char text[200];
    snprintf(text, sizeof text, "'%s' is not %s", what, expected);
    return fail(r, text);
}

/* A value that is none of what the sections have. 1: it may be passed over. */
static int pass_over(struct reading *r)
{
    char text[100];

    if (r->depth == 0)
        return fail(r, "the file is not a JSON object");
    if (r->depth == 1 && r->section)
        return wrong_type(r, section_names[r->section], "an array");
    if (r->depth == 2 && r->section) {
        snprintf(text, sizeof text, "an entry of '%s' that is not an object", section_names[r->section]);
        return fail(r, text);
    }
    if (r->depth == 3 && r->section && r->key)
        return wrong_type(r, key_names[r->key],
                          r->key == KEY_FILE_NAME || r->key == KEY_NAME ? "a string" : "an integer of at most 2^53");
    return 1;
}

static int on_null(void *ctx) { return pass_over(ctx); }

static int on_boolean(void *ctx, int value)
{
    (void)value;
    return pass_over(ctx);
}

static int on_number(void *ctx, const char *digits, size_t length)
{
    struct reading *r = ctx;
    uint64_t value = 0;

    if (r->depth != 3 || !r->section || !r->key || r->key == KEY_FILE_NAME || r->key == KEY_NAME)
        return pass_over(r);
    for (size_t i = 0; i < length; i++) {
        if (digits[i] < '0' || digits[i] > '9' || value > LARGEST_ID / 10)
            return pass_over(r);
        value = value * 10 + (uint64_t)(digits[i] - '0');
    }
    if (value > LARGEST_ID)
        return pass_over(r);
    r->number[r->key] = value;
    return 1;
}

static int on_string(void *ctx, const unsigned char *bytes, size_t length)
{
    struct reading *r = ctx;

    if (length > LONGEST_STRING)
        return fail(r, "a string of more than 1 MiB");
    if (r->depth != 3 || !r->section || (r->key != KEY_FILE_NAME && r->key != KEY_NAME))
        return pass_over(r);
    if (!length || memchr(bytes, '\0', length))
        return fail(r, "an empty name, or one with a NUL");
    r->text[r->key] = image_list_text(r->texts, (const char *)bytes, length);
    return r->text[r->key] ? 1 : out_of_memory(r);
}

static int enter(struct reading *r)
{
    if (r->depth == DEEPEST)
        return fail(r, "brackets more than 32 deep");
    r->depth++;
    return 1;
}

static int on_start_map(void *ctx)
{
    struct reading *r = ctx;

    if (r->depth == 2 && r->section) {
        r->seen_keys = 0;
        r->number[KEY_ISCROWD] = 0;
    } else if (r->depth > 0 && !pass_over(r)) {
        return 0;
    }
    r->key = KEY_NONE;
    return enter(r);
}

static int on_start_array(void *ctx)
{
    struct reading *r = ctx;

    if (r->depth == 1 && r->section) {
        if (r->seen_sections & 1u << r->section) {
            char text[100];
            snprintf(text, sizeof text, "a second '%s'", section_names[r->section]);
            return fail(r, text);
        }
        r->seen_sections |= 1u << r->section;
    } else if (!pass_over(r)) {
        return 0;
    }
    r->key = KEY_NONE;
    return enter(r);
}

static int on_end_array(void *ctx)
{
    struct reading *r = ctx;
    r->depth--;
    if (r->depth == 1)
        r->section = OTHER;
    return 1;
}

static int is_name(const char *name, const unsigned char *bytes, size_t length)
{
    return strlen(name) == length && !memcmp(name, bytes, length);
}

static int on_key(void *ctx, const unsigned char *bytes, size_t length)
{
    struct reading *r = ctx;
    char text[100];

    if (length > LONGEST_STRING)
        return fail(r, "a string of more than 1 MiB");
    if (r->depth == 1) {
        r->section = OTHER;
        for (int s = 1; s < SECTIONS; s++)
            if (is_name(section_names[s], bytes, length))
                r->section = (enum section)s;
        return 1;
    }
    if (r->depth != 3 || !r->section)
        return 1;
    r->key = KEY_NONE;
    for (int k = 1; k < KEYS; k++)
        if (wanted_keys[r->section] & 1u << k && is_name(key_names[k], bytes, length))
            r->key = (enum key)k;
    if (!r->key)
        return 1;
    if (r->seen_keys & 1u << r->key) {
        snprintf(text, sizeof text, "a second '%s' in one entry", key_names[r->key]);
        return fail(r, text);
    }
    r->seen_keys |= 1u << r->key;
    return 1;
}

/* Room for one more of `size` bytes; 0: out of memory. */
static int grow(void *items, uint64_t count, uint64_t *capacity, size_t size)
{
    void **array = items;
    if (count == *capacity) {
        const uint64_t more = *capacity ? *capacity * 2 : 1024;
        void *grown = realloc(*array, more * size);
        if (!grown)
            return 0;
        *array = grown;
        *capacity = more;
    }
    return 1;
}

static int add_image(struct reading *r, uint64_t at)
{
    struct coco_file *f = r->file;
    void *items = f->images;

    if (path_fault(r->text[KEY_FILE_NAME]) || strchr(r->text[KEY_FILE_NAME], '/'))
        return fail(r, "a file_name that is not the plain name of a file");
    if (!grow(&items, f->image_count, &f->image_capacity, sizeof *f->images))
        return out_of_memory(r);
    f->images = items;
    f->images[f->image_count++] = (struct coco_image){ .id = r->number[KEY_ID],
                                                       .at = at,
                                                       .file_name = r->text[KEY_FILE_NAME] };
    return 1;
}

static int add_annotation(struct reading *r, uint64_t at)
{
    struct coco_file *f = r->file;
    void *items = f->annotations;

    if (r->number[KEY_ISCROWD] > 1)
        return fail(r, "'iscrowd' is neither 0 nor 1");
    if (r->number[KEY_CATEGORY_ID] >= BIOFT_NONE)
        return fail(r, "a category_id beyond all there can be");
    if (!grow(&items, f->annotation_count, &f->annotation_capacity, sizeof *f->annotations))
        return out_of_memory(r);
    f->annotations = items;
    f->annotations[f->annotation_count++] = (struct coco_annotation){
        .image = r->number[KEY_IMAGE_ID],
        .at = at,
        .category = (uint32_t)r->number[KEY_CATEGORY_ID],
        .crowd = (int32_t)r->number[KEY_ISCROWD],
    };
    return 1;
}

static int add_category(struct reading *r, uint64_t at)
{
    struct coco_file *f = r->file;
    void *items = f->categories;

    if (f->category_count == MOST_CATEGORIES)
        return fail(r, "more categories than 65,536");
    if (!grow(&items, f->category_count, &f->category_capacity, sizeof *f->categories))
        return out_of_memory(r);
    f->categories = items;
    f->categories[f->category_count++] = (struct coco_category){ .id = r->number[KEY_ID],
                                                                 .at = at,
                                                                 .name = r->text[KEY_NAME] };
    return 1;
}

static int on_end_map(void *ctx)
{
    struct reading *r = ctx;
    const size_t at = yajl_get_bytes_consumed(r->parser);
    unsigned missing;

    if (r->depth-- != 3 || !r->section) {
        r->key = KEY_NONE;
        return 1;
    }
    r->key = KEY_NONE;
    missing = needed_keys[r->section] & ~r->seen_keys;
    for (int k = 1; k < KEYS; k++)
        if (missing & 1u << k) {
            char text[100];
            snprintf(text, sizeof text, "an entry of '%s' without '%s'", section_names[r->section], key_names[k]);
            return fail(r, text);
        }
    return r->section == IMAGES        ? add_image(r, at)
           : r->section == ANNOTATIONS ? add_annotation(r, at)
                                       : add_category(r, at);
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_start_map,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end_map,
    .yajl_start_array = on_start_array,
    .yajl_end_array = on_end_array,
};

/* yajl's own complaint, in one line. */
static void syntax_error(struct reading *r)
{
    char text[200] = "not valid JSON: ";
    unsigned char *why = yajl_get_error(r->parser, 0, NULL, 0);
    size_t n = strlen(text);

    for (const unsigned char *p = why; p && *p && *p != '\n' && n + 1 < sizeof text; p++)
        text[n++] = (char)*p;
    text[n] = '\0';
    if (why)
        yajl_free_error(r->parser, why);
    fail(r, text);
}

static bioft_status parse(struct reading *r, const uint8_t *bytes, uint64_t size)
{
    yajl_status st;

    r->parser = yajl_alloc(&callbacks, NULL, r);
    if (!r->parser) {
        out_of_memory(r);
        return r->status;
    }
    st = yajl_parse(r->parser, bytes, size);
    if (st == yajl_status_ok) {
        const size_t all = yajl_get_bytes_consumed(r->parser);
        st = yajl_complete_parse(r->parser);
        if (st == yajl_status_error)
            r->status = r->texts->files->fail_at(r->texts->host, BIOFT_ERR_FORMAT, r->path, 0, all,
                                                 "cut short: the JSON ends too early");
    }
    if (st != yajl_status_ok && r->status == BIOFT_OK)
        syntax_error(r);
    yajl_free(r->parser);
    for (int s = 1; r->status == BIOFT_OK && s < SECTIONS; s++)
        if (!(r->seen_sections & 1u << s)) {
            char text[100];
            snprintf(text, sizeof text, "no '%s' in it: not a COCO file of instances", section_names[s]);
            r->status = r->texts->files->fail_at(r->texts->host, BIOFT_ERR_FORMAT, r->path, 0, 0, text);
        }
    return r->status;
}

bioft_status coco_read(const char *path, struct image_list *texts, struct coco_file *ret)
{
    struct reading r = { .path = path, .texts = texts, .file = ret };
    const uint8_t *bytes;
    uint64_t size;
    bioft_status st = texts->files->map(texts->host, path, &bytes, &size);

    if (st == BIOFT_OK)
        st = parse(&r, bytes, size);
    return st == BIOFT_OK ? coco_check(path, texts, ret) : st;
}
