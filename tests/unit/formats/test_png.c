/* PNG written: read back by libpng's simplified reader, chunk by chunk, and the same each time. */
#include "hostile.h"

#include "base/file.h"
#include "formats/png.h"

#include <png.h>
#include <unistd.h>

enum { WIDTH = 5, HEIGHT = 3 };

static uint8_t *written(const char *path, uint32_t channels, const uint8_t *pixels, size_t *ret_size)
{
    struct error err;
    uint8_t *bytes = NULL;
    if (png_write(path, WIDTH, HEIGHT, channels, pixels, &err) != BIOFT_OK ||
        file_read(path, 10000, &bytes, ret_size, &err) != BIOFT_OK)
        fail_msg("%s", err.text);
    return bytes;
}

/* A chunk's length and type; returns where the next one begins. */
static size_t chunk(const uint8_t *bytes, size_t at, const char *type)
{
    assert_memory_equal(bytes + at + 4, type, 4);
    return at + 12 + ((size_t)bytes[at + 2] << 8 | bytes[at + 3]);
}

static void writes_what_was_given(void **state)
{
    char folder[] = "bioft-png-XXXXXX", path[64];
    uint8_t pixels[HEIGHT * WIDTH * 3], back[HEIGHT * WIDTH * 3];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.png", folder);
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(i * 37);
    for (uint32_t channels = 1; channels <= 3; channels += 2) {
        size_t size, again_size;
        uint8_t *bytes = written(path, channels, pixels, &size);
        uint8_t *again = written(path, channels, pixels, &again_size);
        assert_int_equal(size, again_size);
        assert_memory_equal(bytes, again, size);
        free(again);

        png_image image = { .version = PNG_IMAGE_VERSION };
        assert_true(png_image_begin_read_from_memory(&image, bytes, size));
        assert_int_equal(image.width, WIDTH);
        assert_int_equal(image.height, HEIGHT);
        assert_int_equal(image.format, channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB);
        assert_true(png_image_finish_read(&image, NULL, back, 0, NULL));
        assert_memory_equal(back, pixels, (size_t)HEIGHT * WIDTH * channels);

        size_t at = chunk(bytes, 8, "IHDR");
        at = chunk(bytes, at, "IDAT");
        assert_int_equal(chunk(bytes, at, "IEND"), size);
        free(bytes);
    }
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

static void refuses_what_is_no_image(void **state)
{
    static const uint32_t sizes[][3] = {
        { 0, 1, 1 }, { 1, 0, 1 }, { 1, 1, 2 }, { 1, 1, 4 }, { 65501, 1, 1 }, { 1, 65501, 3 },
    };
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_int_equal(png_write("/nowhere/x.png", sizes[i][0], sizes[i][1], sizes[i][2], NULL, &err),
                         BIOFT_ERR_INVALID);
    assert_int_not_equal(png_write("/nowhere/x.png", 1, 1, 1, (const uint8_t *)"a", &err), BIOFT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_was_given),
        cmocka_unit_test(refuses_what_is_no_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
