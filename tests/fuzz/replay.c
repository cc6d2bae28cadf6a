/* Runs a fuzz target once on each file named: to repeat a crash, or without libFuzzer. */
#include "fuzz.h"

#include <stdio.h>

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, capacity = 0;
    if (!file) {
        perror(path);
        return 1;
    }
    for (;;) {
        if (size == capacity) {
            capacity = capacity ? capacity * 2 : 4096;
            uint8_t *larger = realloc(data, capacity);
            MUST(larger);
            data = larger;
        }
        size_t got = fread(data + size, 1, capacity - size, file);
        if (got == 0)
            break;
        size += got;
    }
    fclose(file);
    uint8_t *exact = realloc(data, size ? size : 1); /* a byte too far is seen */
    MUST(exact);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

int main(int argc, char **argv)
{
    int failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i]);
    printf("%d files\n", argc - 1);
    return failed;
}
