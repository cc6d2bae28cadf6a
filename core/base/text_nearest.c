/* The nearest word: Damerau-Levenshtein distance restricted to optimal string alignment. */
#include "base/text.h"

#include <string.h>

enum { LONGEST = 127 };

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;

    return least < c ? least : c;
}

/* Row i: the distances of a's first i letters to every beginning of b. Three rows are enough. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
    unsigned rows[3][LONGEST + 1];

    for (size_t j = 0; j <= m; j++)
        rows[0][j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            char x = lower(a[i - 1]), y = lower(b[j - 1]);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) && y == lower(a[i - 2]) && above2[j - 2] + 1 < row[j])
                row[j] = above2[j - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

const char *text_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t n = strlen(word);
    unsigned best = n < 6 ? 1 : n < 9 ? 2 : 3; /* a third of the length, 1 to 3 */
    const char *nearest = NULL;

    if (n > LONGEST)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t m = strlen(candidates[i]), longer = n > m ? n : m;
        if (m > LONGEST || longer - (n < m ? n : m) > best)
            continue;
        unsigned d = distance(word, n, candidates[i], m);
        /* Where every letter differs there is nothing to suggest, however short the words. */
        if (d < longer && (nearest ? d < best : d <= best)) {
            best = d;
            nearest = candidates[i];
        }
    }
    return nearest;
}
