/* CSV: rows that are read, written by us and read again, are the same rows. */
#include "fuzz.h"

#include "formats/csv.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create();
    struct text t = { .data = NULL };
    struct csv csv, again;
    struct error err = { .text = "" };
    MUST(arena);
    if (csv_parse("t", (const char *)data, size, arena, &csv, &err) != BIOFT_OK) {
        MUST(err.text[0] != '\0');
        goto end;
    }
    for (size_t row = 0; row < csv.rows; row++) {
        for (size_t i = 0; i < csv.columns; i++)
            csv_text(&t, csv.field[row][i]);
        csv_end_line(&t);
    }
    MUST(csv_parse("t", t.data ? t.data : "", t.length, arena, &again, &err) == BIOFT_OK);
    MUST(again.rows == csv.rows && again.columns == csv.columns);
    for (size_t row = 0; row < csv.rows; row++)
        for (size_t i = 0; i < csv.columns; i++)
            MUST(strcmp(csv.field[row][i], again.field[row][i]) == 0);

end:
    text_free(&t);
    arena_destroy(arena);
    return 0;
}
