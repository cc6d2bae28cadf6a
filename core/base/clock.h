/* Clocks. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

double clock_seconds(void); /* monotonic */
double clock_unix(void);    /* seconds since 1970, to the millisecond */
enum { CLOCK_TEXT = 32 };
const char *clock_utc(char ret[CLOCK_TEXT]); /* now, RFC 3339, "2026-01-31T12:00:00Z" */

#endif
