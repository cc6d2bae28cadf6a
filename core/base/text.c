/* Text: building, numbers that read back, quoting for people, near words. Never the locale. */
#include "base/text.h"

#include "base/memory.h"

#include <locale.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A program that embeds us, or a plugin's library, may have set a locale with a decimal comma. */
struct c_locale {
    locale_t c, before;
};

static struct c_locale enter_c_locale(void)
{
    struct c_locale l = { .c = newlocale(LC_ALL_MASK, "C", (locale_t)0) };

    l.before = uselocale(l.c);
    return l;
}

static void leave_c_locale(struct c_locale l)
{
    uselocale(l.before);
    if (l.c)
        freelocale(l.c);
}

/* Room for `more` bytes and the end; false where there is none. */
static bool reserve(struct text *t, size_t more)
{
    if (t->failed || more > SIZE_MAX - t->length - 1 || !mem_grow(&t->data, &t->capacity, t->length + more + 1, 1)) {
        t->failed = true;
        return false;
    }
    return true;
}

void text_add_n(struct text *t, const char *s, size_t length)
{
    if (!reserve(t, length))
        return;
    if (length)
        memcpy(t->data + t->length, s, length);
    t->length += length;
    t->data[t->length] = '\0';
}

void text_add(struct text *t, const char *s) { text_add_n(t, s, strlen(s)); }

void text_printf(struct text *t, const char *format, ...)
{
    struct c_locale l = enter_c_locale();
    va_list args, again;
    int n;

    va_start(args, format);
    va_copy(again, args);
    n = vsnprintf(NULL, 0, format, args);
    if (n < 0) {
        t->failed = true;
    } else if (reserve(t, (size_t)n)) {
        vsnprintf(t->data + t->length, (size_t)n + 1, format, again);
        t->length += (size_t)n;
    }
    va_end(again);
    va_end(args);
    leave_c_locale(l);
}

void text_add_base64(struct text *t, const uint8_t *bytes, size_t size)
{
    enum { PIECE = 3 * 1024 };
    unsigned char four[PIECE / 3 * 4 + 1];

    for (size_t at = 0; at < size; at += PIECE) {
        const size_t n = size - at < PIECE ? size - at : PIECE;
        text_add_n(t, (const char *)four, (size_t)EVP_EncodeBlock(four, bytes + at, (int)n));
    }
}

void text_free(struct text *t)
{
    if (!t)
        return;
    free(t->data);
    *t = (struct text){ 0 };
}

int text_digits(const double *values, size_t count, int least)
{
    char a[TEXT_NUMBER], b[TEXT_NUMBER];
    int digits = least;

    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i && digits < 17; k++)
            for (; values[i] != values[k] && digits < 17; digits++) {
                snprintf(a, sizeof a, "%.*g", digits, values[i]);
                snprintf(b, sizeof b, "%.*g", digits, values[k]);
                if (strcmp(a, b) != 0)
                    break;
            }
    return digits;
}

const char *text_number(char ret[TEXT_NUMBER], double value)
{
    struct c_locale l;

    if (isnan(value))
        return strcpy(ret, "nan");
    if (isinf(value))
        return strcpy(ret, value < 0 ? "-inf" : "inf");
    l = enter_c_locale();
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(ret, TEXT_NUMBER, "%.*g", digits, value);
        if (strtod(ret, NULL) == value)
            break;
    }
    leave_c_locale(l);
    return ret;
}

static size_t count_digits(const char *s, size_t at, size_t length)
{
    size_t n = 0;

    while (at + n < length && s[at + n] >= '0' && s[at + n] <= '9')
        n++;
    return n;
}

/* [+-] digits [. digits] [eE [+-] digits], at least one digit before or after the point. */
static bool is_decimal(const char *s, size_t length)
{
    size_t at = 0, digits, n;

    if (at < length && (s[at] == '+' || s[at] == '-'))
        at++;
    digits = count_digits(s, at, length);
    at += digits;
    if (at < length && s[at] == '.') {
        n = count_digits(s, at + 1, length);
        at += 1 + n;
        digits += n;
    }
    if (!digits)
        return false;
    if (at < length && (s[at] == 'e' || s[at] == 'E')) {
        at++;
        if (at < length && (s[at] == '+' || s[at] == '-'))
            at++;
        n = count_digits(s, at, length);
        if (!n)
            return false;
        at += n;
    }
    return at == length;
}

/* Is a decimal number 0 as it stands, and not only too small for a double? */
static bool is_zero(const char *s, size_t length)
{
    for (size_t i = 0; i < length && s[i] != 'e' && s[i] != 'E'; i++)
        if (s[i] >= '1' && s[i] <= '9')
            return false;
    return true;
}

bool text_to_double(const char *s, size_t length, double *ret)
{
    char small[128], *copy = small;
    struct c_locale l;
    double value;

    if (!is_decimal(s, length))
        return false;
    if (length >= sizeof small) {
        copy = mem_array(length + 1, 1);
        if (!copy)
            return false;
    }
    memcpy(copy, s, length);
    copy[length] = '\0';
    l = enter_c_locale();
    value = strtod(copy, NULL);
    leave_c_locale(l);
    if (copy != small)
        free(copy);
    if (!isfinite(value) || (value == 0.0 && !is_zero(s, length)))
        return false; /* 1e-400 is not 0 */
    *ret = value;
    return true;
}

const char *text_escape(char ret[TEXT_ESCAPED], const char *s, size_t length)
{
    static const char hex[] = "0123456789abcdef";
    size_t shown = length < 80 ? length : 80;
    char *p = ret;

    for (size_t i = 0; i < shown; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c >= 0x20 && c <= 0x7e && c != '\\') {
            *p++ = (char)c;
        } else {
            *p++ = '\\';
            *p++ = 'x';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 15];
        }
    }
    strcpy(p, shown < length ? "..." : "");
    return ret;
}

bool text_next_line(const char *bytes, size_t size, size_t *at, const char **ret, size_t *ret_length)
{
    const char *end = *at < size ? memchr(bytes + *at, '\n', size - *at) : NULL;

    if (!end)
        return false;
    *ret = bytes + *at;
    *ret_length = (size_t)(end - *ret);
    *at += *ret_length + 1;
    return true;
}

bool text_match(const char *pattern, const char *s)
{
    const char *star = NULL, *resume = NULL;

    while (*s) {
        if (*pattern == '*') {
            star = pattern++;
            resume = s;
        } else if (*pattern == '?' || *pattern == *s) {
            pattern++;
            s++;
        } else if (star) {
            pattern = star + 1;
            s = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

const char *text_size(char ret[TEXT_NUMBER], uint64_t bytes)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double value = (double)bytes;
    size_t unit = 0;
    uint64_t tenths;

    if (bytes < 1024) {
        snprintf(ret, TEXT_NUMBER, "%u B", (unsigned)bytes);
        return ret;
    }
    while (value >= 1023.95 && unit + 1 < sizeof units / sizeof *units) {
        value /= 1024;
        unit++;
    }
    tenths = (uint64_t)(value * 10 + 0.5);
    snprintf(ret, TEXT_NUMBER, "%llu.%llu %s", (unsigned long long)(tenths / 10), (unsigned long long)(tenths % 10),
             units[unit]);
    return ret;
}

const char *text_duration(char ret[TEXT_NUMBER], double seconds)
{
    unsigned long long whole;

    if (!(seconds < 1e15)) /* NaN too */
        return strcpy(ret, "?");
    if (seconds < 0)
        seconds = 0;
    if (seconds < 59.95) {
        whole = (unsigned long long)(seconds * 10 + 0.5);
        snprintf(ret, TEXT_NUMBER, "%llu.%llu s", whole / 10, whole % 10);
        return ret;
    }
    whole = (unsigned long long)(seconds + 0.5);
    if (whole < 3600)
        snprintf(ret, TEXT_NUMBER, "%llu min %llu s", whole / 60, whole % 60);
    else
        snprintf(ret, TEXT_NUMBER, "%llu h %llu min", whole / 3600, whole / 60 % 60);
    return ret;
}

bool same_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }
