/* Files: bounded reads, whole-or-not-at-all writes, and every fault that can be had without
 * breaking a disk. */
#include "test.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* How many entries the working folder has, hidden ones too: a temporary left behind shows. */
static int entries(void)
{
    char **names = NULL;
    size_t count = 0;
    struct error err;
    int hidden;

    assert_int_equal(file_list(".", &names, &count, &err), BIOFT_OK);
    file_list_free(names, count);
    hidden = system("test -z \"$(find . -name '.?*')\"");
    return (int)count + (hidden != 0);
}

static void check_content(const char *path, const char *want)
{
    struct error err = { 0 };
    uint8_t *bytes;
    size_t size;

    assert_int_equal(file_read(path, 1 << 20, &bytes, &size, &err), BIOFT_OK);
    assert_int_equal(size, strlen(want));
    assert_string_equal((char *)bytes, want); /* the NUL after its end too */
    free(bytes);
}

/* The text names `name` by its absolute path, and says `what`. */
static void check_error(const struct error *err, const char *name, const char *what)
{
    char *path = path_absolute(NULL, name);

    assert_non_null(path);
    assert_int_equal(strncmp(err->text, path, strlen(path)), 0);
    assert_memory_equal(err->text + strlen(path), ": ", 2);
    if (!strstr(err->text, what))
        fail_msg("\"%s\" does not say \"%s\"", err->text, what);
    free(path);
}

static void writes_and_reads(void **state)
{
    struct error err = { 0 };
    struct stat s;
    mode_t mask = umask(027);

    (void)state;
    assert_int_equal(file_write("a", "one", 3, &err), BIOFT_OK);
    umask(mask);
    check_content("a", "one");
    assert_int_equal(stat("a", &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640); /* as the umask has it */
    assert_int_equal(file_write("a", "", 0, &err), BIOFT_OK);
    check_content("a", "");
    assert_int_equal(file_write("a", "three", 5, &err), BIOFT_OK);
    check_content("a", "three");
    assert_int_equal(entries(), 1);
    assert_int_equal(file_remove("a", &err), BIOFT_OK);
    assert_int_equal(file_remove("a", &err), BIOFT_OK);
    assert_int_equal(entries(), 0);
}

static void writes_in_pieces(void **state)
{
    struct error err = { 0 };
    struct file_writer w, zeroed = { 0 };

    (void)state;
    assert_int_equal(file_write("a", "old", 3, &err), BIOFT_OK);
    assert_int_equal(file_begin("a", &w, &err), BIOFT_OK);
    assert_int_equal(file_add(&w, "ne", 2, &err), BIOFT_OK);
    assert_int_equal(file_add(&w, "", 0, &err), BIOFT_OK);
    check_content("a", "old");
    assert_int_equal(file_add(&w, "w", 1, &err), BIOFT_OK);
    assert_int_equal(file_commit(&w, &err), BIOFT_OK);
    check_content("a", "new");
    file_abort(&w); /* after a commit: nothing */
    check_content("a", "new");

    assert_int_equal(file_begin("a", &w, &err), BIOFT_OK);
    assert_int_equal(file_add(&w, "no", 2, &err), BIOFT_OK);
    assert_int_equal(entries(), 2);
    file_abort(&w);
    file_abort(&w);
    file_abort(&zeroed);
    file_abort(NULL);
    assert_int_equal(entries(), 1);
    check_content("a", "new");
    assert_int_equal(file_add(&w, "x", 1, &err), BIOFT_ERR_INVALID);
    assert_int_equal(file_commit(&w, &err), BIOFT_ERR_INVALID);
}

static void two_writers_of_one_file(void **state)
{
    struct error err = { 0 };
    struct file_writer a, b;

    (void)state;
    assert_int_equal(file_begin("f", &a, &err), BIOFT_OK);
    assert_int_equal(file_begin("f", &b, &err), BIOFT_OK);
    assert_int_equal(file_add(&a, "a", 1, &err), BIOFT_OK);
    assert_int_equal(file_add(&b, "b", 1, &err), BIOFT_OK);
    assert_int_equal(file_commit(&b, &err), BIOFT_OK);
    check_content("f", "b");
    assert_int_equal(file_commit(&a, &err), BIOFT_OK);
    check_content("f", "a");
    assert_int_equal(entries(), 1);
}

/* The names of a trial's files may be as long as the file system allows. */
static void longest_name(void **state)
{
    struct error err = { 0 };
    char name[257];

    (void)state;
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    assert_int_equal(file_write(name, "x", 1, &err), BIOFT_OK);
    check_content(name, "x");
    name[255] = 'n';
    name[256] = '\0';
    assert_int_equal(file_write(name, "x", 1, &err), BIOFT_ERR_IO);
    check_error(&err, name, "File name too long");
    assert_int_equal(entries(), 1);
}

static void full_disk(void **state)
{
    struct error err = { 0 };
    struct file_writer w;
    int full = open("/dev/full", O_WRONLY);

    (void)state;
    assert_true(full >= 0);
    assert_int_equal(file_write("a", "old", 3, &err), BIOFT_OK);
    assert_int_equal(file_begin("a", &w, &err), BIOFT_OK);
    /* Every write to the temporary finds the disk full. */
    assert_true(dup2(full, w.fd) >= 0);
    close(full);
    assert_int_equal(file_add(&w, "new", 3, &err), BIOFT_ERR_IO);
    assert_int_equal(err.status, BIOFT_ERR_IO);
    check_error(&err, "a", "cannot write: No space left on device");
    assert_int_equal(entries(), 1); /* aborted: no temporary */
    assert_null(w.path);
    file_abort(&w);
    check_content("a", "old");
}

/* A write cut short in its middle, as on a disk with some room left. */
static void short_write(void **state)
{
    struct rlimit before, limit;
    struct error err = { 0 };
    static char bytes[100000];

    (void)state;
    assert_int_equal(file_write("a", "old", 3, &err), BIOFT_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 60000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(file_write("a", bytes, sizeof bytes, &err), BIOFT_ERR_IO);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    check_error(&err, "a", "cannot write: File too large");
    assert_int_equal(entries(), 1);
    check_content("a", "old");
}

/* A write of more than a pipe holds, with a signal in between: interrupted and short, and still
 * whole. */
static void on_alarm(int signal) { (void)signal; }

static void interrupted_write(void **state)
{
    enum { SIZE = 1 << 20 };
    struct sigaction action = { .sa_handler = on_alarm };
    struct error err = { 0 };
    struct file_writer w;
    char *bytes = malloc(SIZE);
    int ends[2];
    pid_t child;

    (void)state;
    assert_non_null(bytes);
    memset(bytes, 'b', SIZE);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(file_begin("a", &w, &err), BIOFT_OK);
    sigaction(SIGUSR2, &action, NULL); /* without SA_RESTART */
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static char piece[4096];
        size_t got = 0;
        ssize_t n;
        close(ends[1]);
        close(w.fd);
        /* The first signal finds a part written, the second nothing: the pipe is full. */
        for (int i = 0; i < 2; i++) {
            usleep(50000);
            kill(getppid(), SIGUSR2);
        }
        usleep(50000);
        for (size_t seen = 0; (n = read(ends[0], piece, sizeof piece)) > 0; seen++) {
            got += (size_t)n;
            if (seen % 32 == 0)
                kill(getppid(), SIGUSR2);
        }
        _exit(got == SIZE ? 0 : 1);
    }
    assert_true(dup2(ends[1], w.fd) >= 0);
    close(ends[1]);
    assert_int_equal(file_add(&w, bytes, SIZE, &err), BIOFT_OK);
    /* Closes the last end of the pipe: the child sees its end. */
    file_abort(&w);
    close(ends[0]);
    free(bytes);
    {
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    assert_int_equal(entries(), 0);
}

static void not_writable(void **state)
{
    struct error err = { 0 };
    struct file_writer w;

    (void)state;
    assert_int_equal(file_write("a", "x", 1, &err), BIOFT_OK);
    assert_int_equal(file_write("a/b", "y", 1, &err), BIOFT_ERR_IO); /* also for root */
    check_error(&err, "a/b", "cannot write: Not a directory");
    assert_int_equal(file_write("none/b", "y", 1, &err), BIOFT_ERR_IO);
    check_error(&err, "none/b", "cannot write: No such file or directory");
    assert_int_equal(file_write("", "y", 1, &err), BIOFT_ERR_IO);
    assert_int_equal(file_write("a/", "y", 1, &err), BIOFT_ERR_IO);
    if (geteuid() != 0) {
        assert_int_equal(mkdir("ro", 0555), 0);
        assert_int_equal(file_write("ro/b", "y", 1, &err), BIOFT_ERR_IO);
        check_error(&err, "ro/b", "cannot write: Permission denied");
        assert_int_equal(rmdir("ro"), 0);
    }
    /* What is no file is not replaced by one. */
    assert_int_equal(mkdir("d", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(file_write("d", "y", 1, &err), BIOFT_ERR_IO);
    check_error(&err, "d", "not a regular file");
    assert_int_equal(file_write("fifo", "y", 1, &err), BIOFT_ERR_IO);
    assert_int_equal(file_write("/dev/full", "y", 1, &err), BIOFT_ERR_IO);
    check_error(&err, "/dev/full", "not a regular file");
    /* A rename that fails at the end. */
    assert_int_equal(file_begin("e", &w, &err), BIOFT_OK);
    assert_int_equal(file_add(&w, "y", 1, &err), BIOFT_OK);
    assert_int_equal(mkdir("e", 0777), 0);
    assert_int_equal(file_commit(&w, &err), BIOFT_ERR_IO);
    check_error(&err, "e", "Is a directory");
    assert_int_equal(entries(), 4);
    check_content("a", "x");
}

static void bounds(void **state)
{
    struct error err = { 0 };
    uint8_t *bytes = NULL;
    size_t size = 77;

    (void)state;
    assert_int_equal(file_write("a", "12345", 5, &err), BIOFT_OK);
    assert_int_equal(file_read("a", 5, &bytes, &size, &err), BIOFT_OK);
    assert_int_equal(size, 5);
    free(bytes);
    bytes = NULL;
    size = 77;
    assert_int_equal(file_read("a", 4, &bytes, &size, &err), BIOFT_ERR_FORMAT);
    check_error(&err, "a", "at most 4 allowed");
    assert_null(bytes);
    assert_int_equal(size, 77);
    /* Refused by its size, before memory is asked for. */
    assert_int_equal(file_write("sparse", "", 0, &err), BIOFT_OK);
    if (truncate("sparse", (off_t)1 << 42) == 0)
        assert_int_equal(file_read("sparse", 4, &bytes, &size, &err), BIOFT_ERR_FORMAT);
    assert_int_equal(file_read("none", 4, &bytes, &size, &err), BIOFT_ERR_IO);
    check_error(&err, "none", "cannot open: No such file or directory");
    assert_int_equal(file_read("a", UINT64_MAX, &bytes, &size, &err), BIOFT_OK);
    free(bytes);
    /* A file whose size is not told beforehand. */
    assert_int_equal(file_read("/proc/self/maps", 1 << 20, &bytes, &size, &err), BIOFT_OK);
    assert_true(size > 100);
    assert_int_equal(strlen((char *)bytes), size);
    free(bytes);
    assert_int_equal(file_read("/proc/self/maps", 100, &bytes, &size, &err), BIOFT_ERR_FORMAT);
}

static void irregular_files(void **state)
{
    static const char *const names[] = { "fifo", "d", "to_fifo", "/dev/zero" };
    struct error err = { 0 };

    (void)state;
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(mkdir("d", 0777), 0);
    assert_int_equal(symlink("fifo", "to_fifo"), 0);
    assert_int_equal(symlink("nowhere", "to_nowhere"), 0);
    alarm(20); /* a FIFO waited for would hang */
    for (size_t i = 0; i < COUNT(names); i++) {
        struct file_map map = { 0 };
        uint8_t *bytes;
        size_t size;
        int fd;
        assert_int_equal(file_read(names[i], 100, &bytes, &size, &err), BIOFT_ERR_IO);
        check_error(&err, names[i], "not a regular file");
        assert_int_equal(file_map_open(names[i], &map, &err), BIOFT_ERR_IO);
        check_error(&err, names[i], "not a regular file");
        assert_int_equal(file_open(names[i], &fd, NULL, &err), BIOFT_ERR_IO);
    }
    alarm(0);
    {
        struct file_map map = { 0 };
        assert_int_equal(file_map_open("to_nowhere", &map, &err), BIOFT_ERR_IO);
        check_error(&err, "to_nowhere", "No such file");
    }
    /* A link to a file is a file: data sets often lie behind one. */
    assert_int_equal(file_write("a", "x", 1, &err), BIOFT_OK);
    assert_int_equal(symlink("a", "to_a"), 0);
    check_content("to_a", "x");
}

static void maps(void **state)
{
    struct file_map map = { 0 };
    struct error err = { 0 };

    (void)state;
    assert_int_equal(file_write("a", "12345", 5, &err), BIOFT_OK);
    assert_int_equal(file_write("empty", "", 0, &err), BIOFT_OK);
    assert_int_equal(file_map_open("a", &map, &err), BIOFT_OK);
    assert_int_equal(map.size, 5);
    assert_memory_equal(map.bytes, "12345", 5);
    file_map_close(&map);
    assert_null(map.bytes);
    file_map_close(&map);
    file_map_close(NULL);
    assert_int_equal(file_map_open("empty", &map, &err), BIOFT_OK);
    assert_null(map.bytes);
    assert_int_equal(map.size, 0);
    file_map_close(&map);
}

/* Three pages of x, of which one is left; the map is of all. */
static void cut_while_mapped(const char *path, struct file_map *ret)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *bytes = malloc(3 * page);
    struct error err = { 0 };

    assert_non_null(bytes);
    memset(bytes, 'x', 3 * page);
    assert_int_equal(file_write(path, bytes, 3 * page, &err), BIOFT_OK);
    assert_int_equal(file_map_open(path, ret, &err), BIOFT_OK);
    assert_int_equal(truncate(path, (off_t)page), 0);
    free(bytes);
}

static void *count_x(void *ctx)
{
    const struct file_map *map = ctx;
    size_t count = 0;

    for (size_t i = map->size; i-- > 0;)
        count += map->bytes[i] == 'x';
    return (void *)count;
}

static void maps_outlive_a_cut(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct file_map cut = { 0 }, whole = { 0 };
    struct file_writer w;
    struct error err = { 0 };
    pthread_t threads[4];

    (void)state;
    assert_int_equal(file_write("whole", "12345", 5, &err), BIOFT_OK);
    assert_int_equal(file_map_open("whole", &whole, &err), BIOFT_OK);
    cut_while_mapped("cut", &cut);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_x, &cut), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *count;
        assert_int_equal(pthread_join(threads[i], &count), 0);
        assert_int_equal((size_t)count, page);
    }
    assert_int_equal(file_map_check(&cut, BIOFT_OK, &err), BIOFT_ERR_IO);
    check_error(&err, "cut", "was cut while it was in use");
    assert_int_equal(file_map_check(&cut, BIOFT_ERR_FORMAT, &err), BIOFT_ERR_IO); /* that is the reason */
    assert_int_equal(file_map_check(&whole, BIOFT_ERR_FORMAT, &err), BIOFT_ERR_FORMAT);
    file_map_close(&cut);

    /* Within its last page, where nothing faults. */
    assert_int_equal(truncate("whole", 2), 0);
    assert_int_equal(file_map_check(&whole, BIOFT_OK, &err), BIOFT_ERR_IO);
    check_error(&err, "whole", "was cut");

    /* Where the kernel reads it. */
    cut_while_mapped("cut", &cut);
    assert_int_equal(file_begin("copy", &w, &err), BIOFT_OK);
    assert_int_equal(file_add(&w, cut.bytes, cut.size, &err), BIOFT_OK);
    assert_int_equal(file_map_check(&cut, BIOFT_OK, &err), BIOFT_ERR_IO);
    file_abort(&w);
    file_map_close(&cut);
    assert_int_equal(file_map_open("cut", &cut, &err), BIOFT_OK); /* a new map is not the old one */
    assert_int_equal((size_t)count_x(&cut), page);
    assert_int_equal(file_map_check(&cut, BIOFT_OK, &err), BIOFT_OK);
    assert_int_equal(file_copy("cut", "copy", &err), BIOFT_OK);
    file_map_close(&cut);
    file_map_close(&whole);
}

/* A fault in memory that is no map of ours ends the process as it would without us. */
static void leaves_others_faults(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct file_map map = { 0 };
    int status;

    (void)state;
    signal(SIGBUS, SIG_DFL); /* cmocka's would go on with the tests in the child */
    cut_while_mapped("cut", &map);
    const int fd = open("cut", O_RDWR);
    volatile char *theirs = mmap(NULL, 2 * page, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(theirs, MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
        close(2);
        _exit(theirs[page] == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGBUS);
    munmap((void *)(uintptr_t)theirs, 2 * page);
    close(fd);
    file_map_close(&map);
}

static void renames(void **state)
{
    struct error err = { 0 };

    (void)state;
    assert_int_equal(file_write("a", "new", 3, &err), BIOFT_OK);
    assert_int_equal(file_write("b", "old", 3, &err), BIOFT_OK);
    assert_int_equal(file_rename("a", "b", &err), BIOFT_OK);
    check_content("b", "new");
    assert_false(file_exists("a"));
    assert_int_equal(file_rename("a", "b", &err), BIOFT_ERR_IO);
    check_error(&err, "a", "cannot rename to b: No such file");
    check_content("b", "new");
    assert_int_equal(file_remove("b/c", &err), BIOFT_ERR_IO);
}

/* Names of what is synced, one after another. */
static char synced[4096];

int fsync(int fd)
{
    char link[64], name[1024];

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, name, sizeof name - 1);
    const size_t have = strlen(synced);
    snprintf(synced + have, sizeof synced - have, "%.*s\n", n > 0 ? (int)n : 0, name);
    return (int)syscall(SYS_fsync, fd);
}

/* Each new folder is an entry of another one, and as lasting as a file in it. */
static void new_folders_last(void **state)
{
    char want[1100];
    struct error err = { 0 };

    assert_int_equal(file_make_folder("a", &err), BIOFT_OK);
    synced[0] = '\0';
    assert_int_equal(file_make_folder("a/b/c", &err), BIOFT_OK);
    snprintf(want, sizeof want, "%s/a\n%s/a/b\n", (char *)*state, (char *)*state);
    assert_string_equal(synced, want);
    /* The first reason counts, not that of the look at what is there. */
    assert_int_equal(file_make_folder("/sys/bioft", &err), BIOFT_ERR_IO);
    assert_null(strstr(err.text, "No such file"));
}

static void folders(void **state)
{
    struct error err = { 0 };

    (void)state;
    assert_int_equal(file_make_folder("d/e/f", &err), BIOFT_OK);
    assert_int_equal(file_make_folder("d/e/f/", &err), BIOFT_OK);
    assert_int_equal(file_make_folder("/", &err), BIOFT_OK);
    assert_true(file_is_folder("d/e/f"));
    assert_true(file_exists("d/e"));
    assert_true(file_folder_is_empty("d/e/f"));
    assert_false(file_folder_is_empty("d/e"));
    assert_true(file_folder_is_empty("none"));
    assert_int_equal(file_write("d/a", "x", 1, &err), BIOFT_OK);
    assert_false(file_is_folder("d/a"));
    assert_false(file_is_folder("none"));
    assert_false(file_exists("none"));
    assert_false(file_folder_is_empty("d/a"));
    assert_int_equal(file_make_folder("d/a", &err), BIOFT_ERR_IO);
    check_error(&err, "d/a", "Not a directory");
    assert_int_equal(file_make_folder("d/a/b/c", &err), BIOFT_ERR_IO);
    check_error(&err, "d/a", "cannot make this folder");
    assert_int_equal(symlink("e", "d/to_e"), 0);
    assert_int_equal(file_make_folder("d/to_e/g", &err), BIOFT_OK);
    assert_true(file_is_folder("d/e/g"));
    assert_int_equal(file_write("d/e/f/.hidden", "x", 1, &err), BIOFT_OK);
    assert_false(file_folder_is_empty("d/e/f"));
}

static void lists(void **state)
{
    static const char *const want[] = {
        "B", "a/", "a-b/", "a.c", "b", "b1", "b10", "b2", "to_a/", "to_none", "\xc3\xa9",
    };
    struct error err = { 0 };
    char **names;
    size_t count;

    (void)state;
    for (size_t i = COUNT(want); i-- > 0;) {
        size_t n = strlen(want[i]);
        if (strncmp(want[i], "to_", 3) == 0)
            continue;
        if (want[i][n - 1] == '/')
            assert_int_equal(mkdir(want[i], 0777), 0);
        else
            assert_int_equal(file_write(want[i], "", 0, &err), BIOFT_OK);
    }
    assert_int_equal(symlink("a", "to_a"), 0);
    assert_int_equal(symlink("none", "to_none"), 0);
    assert_int_equal(file_write(".hidden", "", 0, &err), BIOFT_OK);
    assert_int_equal(file_list(".", &names, &count, &err), BIOFT_OK);
    assert_int_equal(count, COUNT(want));
    for (size_t i = 0; i < count; i++)
        assert_string_equal(names[i], want[i]);
    file_list_free(names, count);
    assert_int_equal(file_list("a", &names, &count, &err), BIOFT_OK);
    assert_int_equal(count, 0);
    file_list_free(names, count);
    file_list_free(NULL, 0);
    assert_int_equal(file_list("none", &names, &count, &err), BIOFT_ERR_IO);
    check_error(&err, "none", "cannot list: No such file");
    assert_int_equal(file_list("b", &names, &count, &err), BIOFT_ERR_IO);
}

/* A writer that was killed leaves its temporary; nothing else goes. */
static void sweeps(void **state)
{
    static const char *const kept[] = { ".lock",           ".a.1",           ".a.1-",       ".a.-1",
                                        ".a.1-2x",         "a.1-2",          ".1-2",        ".a.b-2",
                                        ".x-1.2",          ".notes.2024-11", ".bioft-part", ".1-2.bioft-part",
                                        ".a.1-.bioft-part" };
    struct file_writer w;
    struct error err;

    (void)state;
    for (size_t i = 0; i < COUNT(kept); i++)
        assert_int_equal(file_write(kept[i], "", 0, &err), BIOFT_OK);
    assert_int_equal(file_begin("killed.csv", &w, &err), BIOFT_OK);
    assert_true(file_exists(w.temporary));
    assert_int_equal(file_sweep(".", &err), BIOFT_OK);
    assert_false(file_exists(w.temporary));
    for (size_t i = 0; i < COUNT(kept); i++)
        assert_true(file_exists(kept[i]));
    file_abort(&w);
    assert_int_equal(file_sweep("none", &err), BIOFT_OK);
    assert_int_equal(file_sweep(".lock", &err), BIOFT_ERR_IO);
    check_error(&err, ".lock", "cannot list");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, test_enter_folder, test_leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(writes_and_reads),
        IN_FOLDER(writes_in_pieces),
        IN_FOLDER(two_writers_of_one_file),
        IN_FOLDER(longest_name),
        IN_FOLDER(full_disk),
        IN_FOLDER(short_write),
        IN_FOLDER(interrupted_write),
        IN_FOLDER(not_writable),
        IN_FOLDER(bounds),
        IN_FOLDER(irregular_files),
        IN_FOLDER(maps),
        IN_FOLDER(renames),
        IN_FOLDER(maps_outlive_a_cut),
        IN_FOLDER(leaves_others_faults),
        IN_FOLDER(folders),
        IN_FOLDER(lists),
        IN_FOLDER(sweeps),
        IN_FOLDER(new_folders_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
