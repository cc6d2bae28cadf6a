/* Text files a line at a time. */
#include "lines.h"

enum { LONGEST_PATH = 4095 };

bioft_status lines_open(struct lines *l, const bioft_host *host, const char *path, uint64_t max)
{
    const uint8_t *bytes;
    uint64_t size;
    const bioft_status st = files_of(host)->read(host, path, max, &bytes, &size);

    if (st != BIOFT_OK)
        return st;
    l->host = host;
    l->path = path;
    l->at = bytes;
    l->end = bytes + size;
    l->number = 0;
    l->length = 0;
    l->text[0] = '\0';
    if (size >= 3 && !memcmp(bytes, "\xef\xbb\xbf", 3))
        l->at += 3;
    if (size >= 2 && (!memcmp(bytes, "\xff\xfe", 2) || !memcmp(bytes, "\xfe\xff", 2)))
        return lines_fail(l, "text in UTF-16: save it as UTF-8");
    while (l->end > l->at && strchr(" \t\r\n", l->end[-1]) && l->end[-1])
        l->end--;
    return BIOFT_OK;
}

bioft_status lines_next(struct lines *l, int *ret_more)
{
    const size_t left = (size_t)(l->end - l->at);
    const uint8_t *newline;
    size_t n;

    if (!left) {
        *ret_more = 0;
        return BIOFT_OK;
    }
    newline = memchr(l->at, '\n', left);
    n = newline ? (size_t)(newline - l->at) : left;
    l->number++;
    if (n > LONGEST_LINE)
        return lines_fail(l, "a line of %zu bytes, at most %d are allowed", n, LONGEST_LINE);
    if (memchr(l->at, '\0', n))
        return lines_fail(l, "a NUL byte in a line of text");
    memcpy(l->text, l->at, n);
    l->at += newline ? n + 1 : n;
    while (n && (l->text[n - 1] == '\r' || l->text[n - 1] == ' ' || l->text[n - 1] == '\t'))
        n--;
    l->text[n] = '\0';
    l->length = n;
    *ret_more = 1;
    return BIOFT_OK;
}

bioft_status lines_fail(const struct lines *l, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return files_of(l->host)->fail_at(l->host, BIOFT_ERR_FORMAT, l->path, l->number, 0, text);
}

char *lines_word(char **at)
{
    char *start = *at + strspn(*at, " \t"), *end = start + strcspn(start, " \t");

    if (start == end)
        return NULL;
    *at = end;
    if (*end) {
        *end = '\0';
        *at = end + 1;
    }
    return start;
}

const char *shown(const char *text, char *ret, size_t size)
{
    size_t n = 0;

    for (; text[n] && n + 1 < size; n++)
        ret[n] = (unsigned char)text[n] < 0x20 || (unsigned char)text[n] > 0x7e ? '?' : text[n];
    ret[n] = '\0';
    return ret;
}

const char *listed_fault(const bioft_host *host, const char *folder, const char *name)
{
    const bioft_files *files = files_of(host);
    const char *fault = path_fault(name);

    if (fault || !BIOFT_HAS(files, bioft_files, holds) || files->holds(host, folder, name))
        return fault;
    return "a path that a link leads out of the root, which a list may not name: put a file or a folder in place of the "
           "link, or name the folder that it leads to with 'root'";
}

const char *path_fault(const char *path)
{
    if (!*path)
        return "no path";
    if (strlen(path) > LONGEST_PATH)
        return "a path of more than 4095 bytes";
    if (path[0] == '/')
        return "an absolute path where one below the root is expected";
    for (const char *p = path; *p; p += strcspn(p, "/")) {
        p += strspn(p, "/");
        if (p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == '\0'))
            return "a path that leaves the root";
    }
    return NULL;
}
