/* MLflow's file store: the files of a run, letters that are not allowed, long values, and a run written again. */
#include "hostile.h"

#include "base/file.h"
#include "formats/mlruns.h"

#include <sys/stat.h>

static char folder[] = "/tmp/bioft-mlruns-XXXXXX";
static const char run_folder[] = "store/012/00112233445566778899aabbccddeeff";

static char *path_of(const char *run_file)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", run_folder, run_file);
    char *path = path_join(folder, name);
    assert_non_null(path);
    return path;
}

static void assert_file(const char *run_file, const char *wanted)
{
    char *path = path_of(run_file);
    uint8_t *bytes;
    size_t size;

    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), BIOFT_OK);
    assert_string_equal((char *)bytes, wanted);
    free(bytes);
    free(path);
}

static void assert_in_file(const char *run_file, const char *wanted)
{
    char *path = path_of(run_file);
    uint8_t *bytes;
    size_t size;

    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, NULL), BIOFT_OK);
    if (!strstr((char *)bytes, wanted))
        fail_msg("%s is not in\n%s", wanted, (char *)bytes);
    free(bytes);
    free(path);
}

static void writes_and_adds(void **state)
{
    enum { LONG = 6100 };
    char value[LONG] = "", *part = path_join(folder, "part"), *store = path_join(folder, "store");
    const struct mlruns_pair params[] = { { "a.b", "x y" }, { "odd:key=1", "" }, { "long", value } };
    const struct mlruns_pair tags[] = { { "mlflow.runName", "00-seed=1" } };
    const struct scalar scalars[] = {
        { "train/loss", 1.5, 1, 0.25 },
        { "test/map@5", 2.0, 2, 0.5 },
        { "train/loss", 2.5004, 2, 1e-7 },
    };
    struct mlruns_run run = {
        .folder = store,
        .part = part,
        .experiment = "say \"x\"",
        .experiment_id = "012",
        .name = "00-seed=1",
        .id = "00112233445566778899aabbccddeeff",
        .artifacts = "/a b/=",
        .started = 1.25,
        .status = MLRUNS_RUNNING,
        .params = params,
        .param_count = 3,
        .tags = tags,
        .tag_count = 1,
        .scalars = scalars,
        .scalar_count = 2,
    };
    struct stat before, after;
    struct error err;

    (void)state;
    memset(value, 'v', LONG - 1);
    memcpy(value + 5999, "\xc3\xa4", 2); /* a character that the limit would cut */
    assert_int_equal(mlruns_write(&run, &err), BIOFT_OK);
    assert_in_file("../meta.yaml", "experiment_id: \"012\"\n");
    assert_in_file("../meta.yaml", "name: \"say \\\"x\\\"\"\n");
    assert_in_file("meta.yaml", "artifact_uri: \"file:///a%20b/%3D\"\nend_time: null\n");
    assert_in_file("meta.yaml", "start_time: 1250\nstatus: 1\n");
    assert_file("metrics/train/loss", "1500 0.25 1\n");
    assert_file("metrics/test/map_5", "2000 0.5 2\n");
    assert_file("params/odd_key_1", "");
    assert_file("tags/mlflow.runName", "00-seed=1");
    value[5999] = '\0';
    assert_file("params/long", value);

    char *path = path_of("metrics/test/map_5");
    assert_int_equal(stat(path, &before), 0);
    run.scalar_count = 3;
    run.ended = 3.0;
    run.status = MLRUNS_FINISHED;
    assert_int_equal(mlruns_write(&run, &err), BIOFT_OK);
    assert_file("metrics/train/loss", "1500 0.25 1\n2500 1e-07 2\n");
    assert_in_file("meta.yaml", "end_time: 3000\n");
    assert_in_file("meta.yaml", "status: 3\n");
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino); /* what was there is left alone */
    free(path);
    free(part);
    free(store);
}

/* A file where a folder has to be. */
static void says_what_fails(void **state)
{
    char *store = path_join(folder, "file"), *part = path_join(folder, "part");
    const struct mlruns_run run = {
        .folder = store, .part = part, .experiment = "x", .experiment_id = "1", .id = "2", .artifacts = "/", .name = "x"
    };
    struct error err;

    (void)state;
    assert_int_equal(file_write(store, "x", 1, &err), BIOFT_OK);
    assert_int_equal(mlruns_write(&run, &err), BIOFT_ERR_IO);
    assert_non_null(strstr(err.text, "file"));
    free(store);
    free(part);
}

static int begin(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int end(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(writes_and_adds), cmocka_unit_test(says_what_fails) };

    return cmocka_run_group_tests(tests, begin, end);
}
