/* Numbers as manifests write them, whatever YAML makes of them: 1e-5, .001, 3, 8/255. */
#include "plugin/options.h"

#include <math.h>
#include <string.h>

static bool decimal(const char *s, size_t length, double *ret)
{
    double value;
    if (length == 0 || !text_to_double(s, length, &value) || !isfinite(value))
        return false;
    *ret = value;
    return true;
}

bool number_parse(const char *s, size_t length, bool fraction, double *ret)
{
    const char *slash = fraction && length > 0 ? memchr(s, '/', length) : NULL;
    double above, below;
    if (!slash)
        return decimal(s, length, ret);
    size_t before = (size_t)(slash - s);
    if (!decimal(s, before, &above) || !decimal(slash + 1, length - before - 1, &below) || below <= 0.0)
        return false;
    if (!isfinite(above / below))
        return false;
    *ret = above / below;
    return true;
}

bool integer_parse(const char *s, size_t length, int64_t *ret)
{
    const bool negative = length > 0 && s[0] == '-';
    size_t at = length > 0 && (s[0] == '-' || s[0] == '+');
    int64_t value = 0;
    double number;
    bool digits = at < length;
    for (size_t i = at; i < length; i++)
        digits = digits && s[i] >= '0' && s[i] <= '9';
    if (!digits) {
        /* 1e4 and 2.0 are integers too, as far as a double holds them exactly. */
        if (!decimal(s, length, &number) || number != floor(number) || fabs(number) > 0x1p53)
            return false;
        *ret = (int64_t)number;
        return true;
    }
    for (; at < length; at++) {
        int digit = negative ? '0' - s[at] : s[at] - '0';
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *ret = value;
    return true;
}
