/* Clocks. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

double clock_seconds(void)
{
    struct timespec t = { 0 };

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double clock_unix(void)
{
    struct timespec t = { 0 };

    clock_gettime(CLOCK_REALTIME, &t);
    return (double)((long long)t.tv_sec * 1000 + t.tv_nsec / 1000000) / 1000.0;
}

const char *clock_utc(char ret[CLOCK_TEXT])
{
    time_t now = time(NULL);
    struct tm tm;

    if (!gmtime_r(&now, &tm) || !strftime(ret, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
        strcpy(ret, "0000-00-00T00:00:00Z");
    return ret;
}
