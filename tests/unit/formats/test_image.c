/* JPEG and PNG: the pixels that Pillow reads, and every way a file can be hostile. */
#include "hostile.h"

#include "base/sha256.h"
#include "formats/image.h"

#include <zlib.h>

#include "image_golden.h"

enum { COUNT = sizeof images / sizeof *images };

static bioft_status read_image(const uint8_t *bytes, size_t size, struct error *err)
{
    struct bitmap image = { .pixels = NULL };
    bioft_status st = image_decode("t", bytes, size, 0, &image, err);
    if (st != BIOFT_OK)
        assert_true(image.width == 0 && image.height == 0);
    image_free(&image);
    return st;
}

static void expect_pixels(const char *name, const void *bytes, size_t size, unsigned flags, struct bitmap *p,
                          const char *sha256)
{
    struct error err;
    char hash[SHA256_HEX];
    if (image_decode("t", bytes, size, flags, p, &err) != BIOFT_OK)
        fail_msg("%s: %s", name, err.text);
    sha256_bytes(p->pixels, (size_t)p->width * p->height * 3, hash);
    if (strcmp(hash, sha256) != 0)
        fail_msg("%s: other pixels than Pillow's", name);
}

/* All into one struct, forwards and backwards: nothing of one image is left for the next. */
static void reads_the_pixels_of_pillow(void **state)
{
    struct bitmap p = { .pixels = NULL };
    (void)state;
    for (size_t k = 0; k < 2 * COUNT; k++) {
        size_t i = k < COUNT ? k : 2 * COUNT - 1 - k;
        expect_read(read_image, images[i].name, images[i].bytes, images[i].size);
        expect_pixels(images[i].name, images[i].bytes, images[i].size, 0, &p, images[i].sha256);
        assert_int_equal(p.width, images[i].width);
        assert_int_equal(p.height, images[i].height);
        if ((p.warnings > 0) != (strstr(images[i].name, "damaged") != NULL))
            fail_msg("%s: %u warnings", images[i].name, p.warnings);
        expect_pixels(images[i].name, images[i].bytes, images[i].size, IMAGE_PILLOW_GREY16, &p,
                      images[i].pillow ? images[i].pillow : images[i].sha256);
    }
    image_free(&p);
    image_free(NULL);
}

static void refuses_prefixes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        if (!strstr(images[i].name, "after"))
            expect_prefixes_refused(read_image, images[i].bytes, images[i].size);
    /* Without JPEG's end, two bytes: every pixel is there, and still it is told. */
    expect_refused(read_image, "no end", images[0].bytes, images[0].size - 2, "truncated");
    expect_refused(read_image, "half", images[0].bytes, images[0].size - 40, "truncated");
}

static void survives_changes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        uint8_t bytes[1024];
        assert_true(images[i].size >= 1 && images[i].size <= sizeof bytes);
        memcpy(bytes, images[i].bytes, images[i].size);
        for (size_t k = 0; k < images[i].size; k++) {
            struct error err;
            for (unsigned bit = 0; bit < 8; bit += 3) {
                bytes[k] ^= (uint8_t)(1u << bit);
                read_copy(read_image, bytes, images[i].size, &err);
                bytes[k] ^= (uint8_t)(1u << bit);
            }
        }
    }
}

static void names_other_kinds(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *words;
    } cases[] = {
        { "", 0, "an empty file" },
        { "GIF89a", 6, "a GIF image" },
        { "<!DOCTYPE html>", 15, "HTML or XML" },
        { "RIFF\0\0\0\0WEBP", 12, "WebP" },
        { "\xff", 1, "neither JPEG nor PNG" },
        { "\x89PNG\r\n\x1a", 7, "neither JPEG nor PNG" },
        { "\xff\xd8", 2, "JPEG" },
        { "\xff\xd8\xff\xd9", 4, "JPEG" },
        { "\x89PNG\r\n\x1a\n", 8, "PNG: truncated" },
        { "\xff\xd8\xff\xe0\0\0", 6, "JPEG" },
        { "\xff\xd8\xff\xe0\0\1\xff\xda", 8, "JPEG" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(read_image, "kind", cases[i].bytes, cases[i].size, cases[i].words);
}

/* Where the frame header's precision stands in the first golden file. */
static size_t find_frame(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + 10 < size; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == 0xc0)
            return i + 4;
    fail_msg("no frame header");
    return 0;
}

static void refuses_hostile_jpeg_headers(void **state)
{
    static const struct {
        const char *what;
        uint8_t at, value[4], count; /* at: from the precision on */
        const char *words;
    } cases[] = {
        { "12 bits", 0, { 12 }, 1, "precision 12" },
        { "no rows", 1, { 0, 0 }, 2, "JPEG" },
        { "no columns", 3, { 0, 0 }, 2, "JPEG" },
        { "65535 x 65535", 1, { 255, 255, 255, 255 }, 4, "65500" },
        { "65500 x 65500", 1, { 0xff, 0xdc, 0xff, 0xdc }, 4, "pixels" },
        { "10000 x 10000 in 700 bytes", 1, { 0x27, 0x10, 0x27, 0x10 }, 4, "cannot hold" },
        { "2 components", 5, { 2 }, 1, "JPEG" },
        { "sampling 0", 7, { 0 }, 1, "JPEG" },
        { "sampling 15", 7, { 0xff }, 1, "JPEG" },
        { "quantization table 9", 8, { 9 }, 1, "JPEG" },
        { "lossless", 0, { 8 }, 1, "SOF" },
    };
    uint8_t bytes[1024];
    size_t size = images[0].size;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(bytes, images[0].bytes, size);
        size_t frame = find_frame(bytes, size);
        memcpy(bytes + frame + cases[i].at, cases[i].value, cases[i].count);
        if (strcmp(cases[i].what, "lossless") == 0)
            bytes[frame - 3] = 0xc3;
        expect_refused(read_image, cases[i].what, bytes, size, cases[i].words);
    }
}

static void refuses_two_components(void **state)
{
    static const char two[] =
        "\xff\xd8\xff\xc0\0\x0e\x08\0\x08\0\x08\2\1\x11\0\2\x11\0\xff\xda\0\x0a\2\1\0\2\0\0\x3f\0";
    (void)state;
    expect_refused(read_image, "2 components", two, sizeof two - 1, "2 components");
}

/* A small progressive file whose scans are repeated: each costs a pass over the image. */
static void refuses_endless_scans(void **state)
{
    enum { SCANS = 10000 };
    static uint8_t bytes[1024 + SCANS * 32];
    size_t p = 0, scan = 0, end;
    (void)state;
    while (strcmp(images[p].name, "JPEG grey progressive") != 0)
        p++;
    const uint8_t *from = (const uint8_t *)images[p].bytes;
    while (from[scan] != 0xff || from[scan + 1] != 0xda)
        scan++;
    end = scan + 2;
    while (from[end] != 0xff || from[end + 1] == 0)
        end++;
    assert_true(end - scan >= 8 && end - scan <= 64);
    /* The first scan's header, DC only, without any data: decoded with a warning. */
    memcpy(bytes, from, scan);
    size_t size = scan;
    for (int i = 0; i < SCANS; i++, size += 10)
        memcpy(bytes + size, from + scan, 10);
    memcpy(bytes + size, "\xff\xd9", 2);
    expect_refused(read_image, "10,000 scans", bytes, size + 2, "more than 100 scans");
}

static uint32_t crc32_of(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

static size_t add_chunk(uint8_t *to, const char *type, const void *data, uint32_t size)
{
    const uint32_t big[2] = { size, 0 };
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(big[0] >> (24 - 8 * i));
    memcpy(to + 4, type, 4);
    if (size)
        memcpy(to + 8, data, size);
    uint32_t crc = crc32_of(to + 4, size + 4);
    for (int i = 0; i < 4; i++)
        to[8 + size + (uint32_t)i] = (uint8_t)(crc >> (24 - 8 * i));
    return 12 + (size_t)size;
}

/* A PNG file whose header says what is given, with the data of an image of one grey pixel. */
static size_t make_png(uint8_t *to, uint32_t width, uint32_t height, uint8_t depth, uint8_t colour, const char *extra,
                       const void *data, uint32_t size)
{
    static const uint8_t pixel[] = { 0x78, 0xda, 0x63, 0x10, 0, 0, 0, 0x12, 0, 0x11 };
    uint8_t header[13] = { 0 };
    for (int i = 0; i < 4; i++) {
        header[i] = (uint8_t)(width >> (24 - 8 * i));
        header[4 + i] = (uint8_t)(height >> (24 - 8 * i));
    }
    header[8] = depth;
    header[9] = colour;
    memcpy(to, "\x89PNG\r\n\x1a\n", 8);
    size_t at = 8;
    at += add_chunk(to + at, "IHDR", header, sizeof header);
    if (extra)
        at += add_chunk(to + at, extra, data, size);
    at += add_chunk(to + at, "IDAT", pixel, sizeof pixel);
    return at + add_chunk(to + at, "IEND", NULL, 0);
}

static void refuses_hostile_png_headers(void **state)
{
    static const struct {
        const char *what;
        uint32_t width, height;
        uint8_t depth, colour;
        const char *words;
    } cases[] = {
        { "2^31-1 squared", 0x7fffffff, 0x7fffffff, 8, 2, "PNG" },
        { "65500 squared, a bomb", 65500, 65500, 8, 2, "PNG: truncated" },
        { "65500 squared, 1 bit", 65500, 65500, 1, 0, "cannot hold" },
        { "width 0", 0, 1, 8, 0, "PNG" },
        { "65501 wide", 65501, 1, 8, 0, "PNG" },
        { "depth 3", 1, 1, 3, 0, "PNG" },
        { "colour 5", 1, 1, 8, 5, "PNG" },
        { "no palette", 1, 1, 8, 3, "PNG" },
        { "two pixels", 2, 1, 8, 0, "PNG" },
    };
    uint8_t bytes[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_refused(read_image, cases[i].what, bytes,
                       make_png(bytes, cases[i].width, cases[i].height, cases[i].depth, cases[i].colour, NULL, NULL, 0),
                       cases[i].words);
    size_t size = make_png(bytes, 1, 1, 8, 0, NULL, NULL, 0);
    expect_read(read_image, "one pixel", bytes, size);
    expect_refused(read_image, "no end", bytes, size - 12, "truncated");
    bytes[size - 13] ^= 1;
    expect_refused(read_image, "wrong CRC in IDAT", bytes, size, "PNG");
    bytes[size - 13] ^= 1;
    bytes[8 + 8 + 13] ^= 1;
    expect_refused(read_image, "wrong CRC in IHDR", bytes, size, "PNG");
}

static void refuses_an_index_beyond_the_palette(void **state)
{
    uint8_t bytes[256];
    struct bitmap p = { .pixels = NULL };
    struct error err;
    static const uint8_t colours[6] = { 1, 2, 3, 4, 5, 6 };
    (void)state;
    /* The pixel's value is 0x10: the packed nibble 1 with depth 4, 16 with depth 8. */
    size_t size = make_png(bytes, 1, 1, 8, 3, "PLTE", colours, 6);
    expect_refused(read_image, "index 16", bytes, size, "index 16 in a palette of 2 colours");
    size = make_png(bytes, 1, 1, 4, 3, "PLTE", colours, 6);
    assert_int_equal(image_decode("t", bytes, size, 0, &p, &err), BIOFT_OK);
    assert_memory_equal(p.pixels, colours + 3, 3);
    image_free(&p);
}

static void passes_over_chunks_unread(void **state)
{
    enum { LARGE = 3 << 20 };
    static uint8_t bytes[LARGE + 1024], data[LARGE];
    (void)state;
    memcpy(data, "a", 2);
    expect_read(read_image, "a large text", bytes, make_png(bytes, 1, 1, 8, 0, "tEXt", data, LARGE));
    expect_read(read_image, "a damaged profile", bytes, make_png(bytes, 1, 1, 8, 0, "iCCP", data, 1000));
    expect_read(read_image, "transparency of a wrong size", bytes, make_png(bytes, 1, 1, 8, 0, "tRNS", data, 1000));
    size_t size = make_png(bytes, 1, 1, 8, 0, "tEXt", data, 10);
    bytes[8 + 25 + 8 + 10] ^= 1;
    expect_read(read_image, "a wrong CRC in a text", bytes, size);
    expect_refused(read_image, "an unknown critical chunk", bytes, make_png(bytes, 1, 1, 8, 0, "QQQQ", data, 10),
                   "PNG");
}

/* Neither a profile that unpacks to 1 GiB nor a million texts cost their size. */
static void passes_over_a_bomb_and_many_chunks(void **state)
{
    enum { TEXTS = 1000000, PROFILE = 1100000, ROOM = 14 * TEXTS + 1024 };
    uint8_t *bytes = malloc(ROOM), *profile = calloc(1, PROFILE), tail[64];
    size_t size;
    z_stream z = { .zalloc = Z_NULL };
    (void)state;
    assert_true(bytes && profile);
    /* Behind the name "x" and the method: a block of 1 MiB of zeros, which ends where a byte ends, 1024 times. */
    assert_int_equal(deflateInit(&z, 9), Z_OK);
    memcpy(profile, "x\0", 3);
    memset(bytes, 0, 1 << 20);
    z.next_in = bytes;
    z.avail_in = 1 << 20;
    z.next_out = profile + 3;
    z.avail_out = PROFILE - 3;
    assert_int_equal(deflate(&z, Z_FULL_FLUSH), Z_OK);
    const size_t first = 3 + 2, block = (size_t)z.total_out - 2; /* zlib's header has two bytes */
    deflateEnd(&z);
    assert_true(first + 1024 * block <= PROFILE);
    for (size_t i = 1; i < 1024; i++)
        memcpy(profile + first + i * block, profile + first, block);
    expect_read(read_image, "a profile of 1 GiB", bytes, make_png(bytes, 1, 1, 8, 0, "iCCP", profile, PROFILE));
    size = make_png(bytes, 1, 1, 8, 0, NULL, NULL, 0);
    const size_t left = size - 33;
    memcpy(tail, bytes + 33, left);
    size = 33 + add_chunk(bytes + 33, "tEXt", "a", 2);
    for (size_t i = 1; i < TEXTS; i++, size += 14)
        memcpy(bytes + size, bytes + 33, 14);
    memcpy(bytes + size, tail, left);
    expect_read(read_image, "a million texts", bytes, size + left);
    free(profile);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_pixels_of_pillow),
        cmocka_unit_test(refuses_prefixes),
        cmocka_unit_test(survives_changes),
        cmocka_unit_test(names_other_kinds),
        cmocka_unit_test(refuses_hostile_jpeg_headers),
        cmocka_unit_test(refuses_two_components),
        cmocka_unit_test(refuses_endless_scans),
        cmocka_unit_test(refuses_hostile_png_headers),
        cmocka_unit_test(refuses_an_index_beyond_the_palette),
        cmocka_unit_test(passes_over_chunks_unread),
        cmocka_unit_test(passes_over_a_bomb_and_many_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
