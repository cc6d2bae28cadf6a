/* What bioft prints, on its one way out. */
#include "cli/print.h"

#include "base/text.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void print_bytes(FILE *to, const char *text, size_t length)
{
    flockfile(to);
    while (length > 0) {
        size_t hidden;
        const size_t plain = text_visible(text, length, &hidden);

        fwrite(text, 1, plain, to);
        for (size_t i = 0; i < hidden; i++)
            fprintf(to, "\\x%02x", (unsigned)(unsigned char)text[plain + i]);
        text += plain + hidden;
        length -= plain + hidden;
    }
    funlockfile(to);
}

static void print_list(FILE *to, const char *format, va_list args)
{
    char small[512], *text = small;
    va_list again;

    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, format, args);
    if (n >= (int)sizeof small) {
        text = malloc((size_t)n + 1);
        if (text)
            vsnprintf(text, (size_t)n + 1, format, again);
        else
            text = small; /* cut */
    }
    va_end(again);
    if (n >= 0)
        print_bytes(to, text, strlen(text));
    if (text != small)
        free(text);
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_list(stdout, format, args);
    va_end(args);
}

void print_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_list(stderr, format, args);
    va_end(args);
}

void print_to(FILE *to, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_list(to, format, args);
    va_end(args);
}

void print_message(FILE *to, const char *head, const char *text)
{
    struct text t = { 0 };

    text_add(&t, head);
    for (bool first = true; first || *text; first = false) {
        const size_t length = strcspn(text, "\n");

        if (!first && *text != ' ' && *text != '\n')
            text_add(&t, "  ");
        text_add_n(&t, text, length);
        text_add(&t, "\n");
        text += length + (text[length] == '\n');
    }
    if (t.failed)
        print_to(to, "%sout of memory\n", head);
    else
        print_bytes(to, t.data, t.length);
    text_free(&t);
}

void print_control(FILE *to, const char *sequence) { fputs(sequence, to); }
