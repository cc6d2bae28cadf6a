/* SHA-256 (FIPS 180-4), by libcrypto. */
#include "base/sha256.h"

#include "base/file.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

struct sha256 {
    EVP_MD_CTX *ctx;
    bool failed;
};

struct sha256 *sha256_begin(void)
{
    struct sha256 *s = calloc(1, sizeof *s);

    if (!s)
        return NULL;
    s->ctx = EVP_MD_CTX_new();
    if (!s->ctx || EVP_DigestInit_ex(s->ctx, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(s->ctx);
        free(s);
        return NULL;
    }
    return s;
}

void sha256_add(struct sha256 *s, const void *bytes, size_t size)
{
    if (s && size && EVP_DigestUpdate(s->ctx, bytes, size) != 1)
        s->failed = true;
}

void sha256_peek(const struct sha256 *s, char ret[SHA256_HEX])
{
    struct sha256 *copy = sha256_begin();

    if (copy && EVP_MD_CTX_copy_ex(copy->ctx, s->ctx) != 1)
        copy->failed = true;
    if (copy)
        copy->failed = copy->failed || s->failed;
    sha256_end(copy, ret);
}

void sha256_end(struct sha256 *s, char ret[SHA256_HEX])
{
    static const char hex[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    ret[0] = '\0';
    if (!s)
        return;
    if (!s->failed && EVP_DigestFinal_ex(s->ctx, sum, &n) == 1 && n == (SHA256_HEX - 1) / 2) {
        for (unsigned i = 0; i < n; i++) {
            ret[2 * i] = hex[sum[i] >> 4];
            ret[2 * i + 1] = hex[sum[i] & 15];
        }
        ret[2 * n] = '\0';
    }
    EVP_MD_CTX_free(s->ctx);
    free(s);
}

void sha256_bytes(const void *bytes, size_t size, char ret[SHA256_HEX])
{
    struct sha256 *s = sha256_begin();

    sha256_add(s, bytes, size);
    sha256_end(s, ret);
}

bioft_status sha256_file(const char *path, char ret[SHA256_HEX], struct error *err)
{
    enum { PIECE = 1 << 18 };
    bioft_status st;
    struct sha256 *s = NULL;
    unsigned char *piece = NULL;
    char sum[SHA256_HEX];
    ssize_t n;
    int fd;

    st = file_open(path, &fd, NULL, err);
    if (st != BIOFT_OK)
        return st;
    piece = malloc(PIECE);
    s = sha256_begin();
    if (!piece || !s) {
        st = error_memory(err, "a checksum");
        goto done;
    }
    while ((n = read(fd, piece, PIECE)) != 0) {
        if (n > 0) {
            sha256_add(s, piece, (size_t)n);
        } else if (errno != EINTR) {
            st = file_error(err, path, "read", errno);
            goto done;
        }
    }
    sha256_end(s, sum);
    s = NULL;
    if (!sum[0]) {
        st = error_memory(err, "a checksum");
        goto done;
    }
    for (size_t i = 0; i < SHA256_HEX; i++)
        ret[i] = sum[i];
done:
    if (s)
        sha256_end(s, sum);
    free(piece);
    close(fd);
    return st;
}
