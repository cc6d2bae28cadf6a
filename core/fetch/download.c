/* Downloads by libcurl. An answer is believed only up to the size that is published; whether it is the right file is for the sum
 * to say. Redirects are followed to HTTP and HTTPS alone, from HTTPS to HTTPS alone. */
#include "fetch/download.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#ifdef FETCH_LIBRARIES
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_SECONDS = 30, MOST_REDIRECTS = 10, MOST_TRIES = 20, FILE_MODE = 0644 };
static const uint64_t unpublished_most = (uint64_t)8 << 30; /* bytes, where no size is published */
static const double try_again_seconds = 0.1;

struct transfer {
    const struct download_params *p;
    CURL *curl;
    int fd;
    uint64_t begun, at; /* bytes before this try, and now */
    double clock;       /* of this try's first byte */
    bool too_long;
    int write_error; /* errno */
    char said[CURL_ERROR_SIZE];
};

static uint64_t most(const struct transfer *t) { return t->p->bytes ? t->p->bytes : unpublished_most; }

static size_t on_bytes(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t left = size * count;

    if (left > most(t) - t->at) {
        t->too_long = true;
        return 0;
    }
    while (left > 0) {
        const ssize_t n = write(t->fd, bytes, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            t->write_error = errno;
            return 0;
        }
        bytes += n;
        left -= (size_t)n;
        t->at += (uint64_t)n;
    }
    return size * count;
}

/* Also where nothing arrives. Not zero: end. */
static int on_progress(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t up_now)
{
    struct transfer *t = ctx;
    const double seconds = clock_seconds() - t->clock;
    const double rate = seconds > 0.0 ? (double)(t->at - t->begun) / seconds : 0.0;
    const uint64_t size = t->p->bytes ? t->p->bytes : total > 0 ? t->begun + (uint64_t)total : 0;
    char done[TEXT_NUMBER], whole[TEXT_NUMBER], speed[TEXT_NUMBER], left[TEXT_NUMBER];

    (void)now, (void)up, (void)up_now;
    if (stop_asked(t->p->stop))
        return 1;
    if (t->at == t->begun)
        log_write(t->p->log, LOG_PROGRESS, "%s: waiting for the server", t->p->name);
    else
        log_write(t->p->log, LOG_PROGRESS, "%s: %s%s%s, %s/s%s%s", t->p->name, text_size(done, t->at),
                  size ? " of " : "", size ? text_size(whole, size) : "", text_size(speed, (uint64_t)rate),
                  size && rate > 0.0 ? ", about " : "",
                  size && rate > 0.0 ? text_duration(left, (double)(size - (t->at < size ? t->at : size)) / rate) : "");
    return 0;
}

static bool set_options(struct transfer *t)
{
    const char *const protocols = strncmp(t->p->url, "https:", 6) == 0 ? "https" : "http,https";
    CURL *c = t->curl;

    return curl_easy_setopt(c, CURLOPT_URL, t->p->url) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_REDIR_PROTOCOLS_STR, protocols) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_FAILONERROR, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_USERAGENT, "bioft") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)t->p->timeout) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->said) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_bytes) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, (void *)t) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_XFERINFODATA, (void *)t) == CURLE_OK;
}

static bioft_status cut_to(struct transfer *t, uint64_t size, struct error *err)
{
    if (ftruncate(t->fd, (off_t)size) < 0 || lseek(t->fd, (off_t)size, SEEK_SET) < 0)
        return file_error(err, t->p->path, "write", errno);
    t->at = t->begun = size;
    return BIOFT_OK;
}

/* What the command line can do about an answer. */
static bioft_status refused(const struct transfer *t, CURLcode code, struct error *err)
{
    const char *const name = t->p->name, *const url = t->p->url;
    char have[TEXT_NUMBER];
    long answer = 0;

    if (t->write_error)
        return file_error(err, t->p->path, "write", t->write_error);
    if (t->too_long)
        return error_set(err, BIOFT_ERR_IO,
                         "%s: %s sends more than the %llu bytes that %s: it is another file; another mirror "
                         "can be named with --from",
                         name, url, (unsigned long long)most(t),
                         t->p->bytes ? "the published file has" : "are taken where no size is published");
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (code == CURLE_HTTP_RETURNED_ERROR)
        return error_set(err, BIOFT_ERR_IO, "%s: %s answers with status %ld%s; another mirror can be named with --from",
                         name, url, answer,
                         answer == 404 || answer == 410   ? ": it is not there"
                         : answer == 403 || answer == 401 ? ": not for everyone"
                         : answer >= 500                  ? ": the server has a fault, try again later"
                                                          : "");
    if (code == CURLE_OPERATION_TIMEDOUT && t->at > t->begun)
        return error_set(err, BIOFT_ERR_IO,
                         "%s: %s has sent nothing for %u s; %s of it is kept: the same command continues", name, url,
                         t->p->timeout, text_size(have, t->at));
    return error_set(err, BIOFT_ERR_IO, "%s: %s: %s%s", name, url, t->said[0] ? t->said : curl_easy_strerror(code),
                     t->at ? "; what has arrived is kept: the same command continues"
                           : "; another mirror can be named with --from");
}

static void pause_for(const struct stop *stop, double seconds)
{
    const double end = clock_seconds() + seconds;
    while (!stop_asked(stop) && clock_seconds() < end)
        usleep(20000);
}

/* One request for what is missing. *ret_again: another one may get further. */
static bioft_status request(struct transfer *t, bool *ret_again, struct error *err)
{
    long answer = 0;

    *ret_again = false;
    t->begun = t->at;
    t->clock = clock_seconds();
    t->said[0] = '\0';
    if (curl_easy_setopt(t->curl, CURLOPT_RESUME_FROM_LARGE, (curl_off_t)t->at) != CURLE_OK)
        return error_memory(err, t->p->url);
    const CURLcode code = curl_easy_perform(t->curl);
    if (stop_asked(t->p->stop))
        return error_set(err, BIOFT_ERR_CANCELLED, "%s: stopped; what has arrived is kept: the same command continues",
                         t->p->name);
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &answer);
    /* The server knows no ranges, or what is here is longer than its file. */
    if (t->begun > 0 && (code == CURLE_RANGE_ERROR || answer == 416)) {
        *ret_again = true;
        return cut_to(t, 0, err);
    }
    if (code == CURLE_OK && (!t->p->bytes || t->at >= t->p->bytes || t->at == t->begun))
        return BIOFT_OK;
    *ret_again = t->at > t->begun && !t->too_long && !t->write_error && code != CURLE_OPERATION_TIMEDOUT;
    return *ret_again ? BIOFT_OK : refused(t, code, err);
}

static bioft_status transfer(struct transfer *t, struct error *err)
{
    bioft_status st = BIOFT_OK;
    bool again = true;

    for (int tries = 0; st == BIOFT_OK && again && tries < MOST_TRIES; tries++) {
        if (tries > 0) {
            log_write(t->p->log, LOG_DETAIL, "%s: asking again, from byte %llu", t->p->name, (unsigned long long)t->at);
            pause_for(t->p->stop, try_again_seconds);
        }
        st = request(t, &again, err);
    }
    if (st == BIOFT_OK && again)
        st = error_set(err, BIOFT_ERR_IO,
                       "%s: %s was cut short %d times; what has arrived is kept: the same command continues",
                       t->p->name, t->p->url, MOST_TRIES);
    return st;
}

static bioft_status open_part(struct transfer *t, struct error *err)
{
    struct stat s;

    t->fd = open(t->p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, FILE_MODE);
    if (t->fd < 0 || fstat(t->fd, &s) < 0)
        return file_error(err, t->p->path, "open", errno);
    if (!S_ISREG(s.st_mode))
        return error_set(err, BIOFT_ERR_IO, "%s: not a regular file; remove it", t->p->path);
    return cut_to(t, t->p->bytes && (uint64_t)s.st_size > t->p->bytes ? 0 : (uint64_t)s.st_size, err);
}

static bioft_status get_file(const struct download_params *p, bool *ret_resumed, struct error *err)
{
    struct transfer t = { .p = p, .fd = -1 };
    struct error ignored;
    bool ready = false;
    bioft_status st = open_part(&t, err);

    *ret_resumed = t.at > 0;
    if (st != BIOFT_OK || (p->bytes && t.at == p->bytes))
        goto out;
    ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    t.curl = ready ? curl_easy_init() : NULL;
    if (!t.curl || !set_options(&t))
        st = error_set(err, BIOFT_ERR_MEMORY, "%s: libcurl cannot be set up", p->url);
    else
        st = transfer(&t, err);
    if (st == BIOFT_OK && fsync(t.fd) < 0)
        st = file_error(err, p->path, "write", errno);

out:
    curl_easy_cleanup(t.curl);
    if (ready)
        curl_global_cleanup();
    if (t.fd >= 0)
        close(t.fd);
    if (t.too_long || (st != BIOFT_OK && t.fd >= 0 && t.at == 0))
        file_remove(p->path, &ignored);
    return st;
}

#endif

bool download_available(void)
{
#ifdef FETCH_LIBRARIES
    return true;
#else
    return false;
#endif
}

bioft_status download(const struct download_params *p, bool *ret_resumed, struct error *err)
{
    *ret_resumed = false;
#ifdef FETCH_LIBRARIES
    return get_file(p, ret_resumed, err);
#else
    return error_set(err, BIOFT_ERR_UNSUPPORTED, "%s: this bioft was built without libcurl and libarchive", p->name);
#endif
}
