/* What is known of files by their first bytes, and of torchvision's published weights by their
 * sums: its file names end in the first eight digits of their SHA-256. */
#include "formats/weights.h"

#include <stdio.h>
#include <string.h>

#define VERSION_1 "ImageNet-1K, torchvision's version 1"

static const struct weights_known published[] = {
    { "alexnet-owt-7be5be79.pth", "7be5be791159472b1fbf3c69796f7cb30dca7ad8466c2df70058c37116cdee02", 244408911,
      VERSION_1 },
    { "resnet18-f37072fd.pth", "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec", 46830571,
      VERSION_1 },
    { "vgg16-397923af.pth", "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0", 553433881, VERSION_1 },
    { "resnet34-b627a593.pth", "b627a593", 0, VERSION_1 },
    { "vgg11-8a719046.pth", "8a719046", 0, VERSION_1 },
    { "vgg13-19584684.pth", "19584684", 0, VERSION_1 },
    { "vgg19-dcbb9e9d.pth", "dcbb9e9d", 0, VERSION_1 },
    { "vgg11_bn-6002323d.pth", "6002323d", 0, VERSION_1 },
    { "vgg13_bn-abd245e5.pth", "abd245e5", 0, VERSION_1 },
    { "vgg16_bn-6c64b313.pth", "6c64b313", 0, VERSION_1 },
    { "vgg19_bn-c79401a0.pth", "c79401a0", 0, VERSION_1 },
    { "resnet18-5c106cde.pth", "5c106cde386e87d4033832f2996f5493238eda96ccf559d1d62760c4de0613f8", 46827520,
      VERSION_1 ", in PyTorch 0.1's tar format" },
    { "alexnet-owt-4df8aa71.pth", "4df8aa71", 244418560, VERSION_1 ", in PyTorch 0.1's tar format" },
};
enum { PUBLISHED = sizeof published / sizeof *published };

const struct weights_known *weights_by_sum(const char *sha256)
{
    for (size_t i = 0; i < PUBLISHED; i++)
        if (strncmp(published[i].sha256, sha256, strlen(published[i].sha256)) == 0)
            return &published[i];
    return NULL;
}

const struct weights_known *weights_by_name(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < PUBLISHED; i++)
        if (strcmp(published[i].file, name) == 0)
            return &published[i];
    return NULL;
}

static uint8_t lower(uint8_t byte) { return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte; }

/* Without regard to case. */
static bool begins(const uint8_t *bytes, size_t count, const char *word)
{
    const size_t length = strlen(word);
    for (size_t i = 0; i < length && i < count; i++)
        if (lower(bytes[i]) != lower((uint8_t)word[i]))
            return false;
    return count >= length;
}

static bool is_blank(uint8_t byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/* The decimal number after "size " at the beginning of a line of a Git LFS pointer; 0: none. */
static unsigned long long pointer_size(const uint8_t *bytes, size_t count)
{
    static const char word[] = "\nsize ";
    unsigned long long value = 0;
    for (size_t i = 0; i + sizeof word <= count && i < 1024; i++) {
        if (memcmp(bytes + i, word, sizeof word - 1) != 0)
            continue;
        for (i += sizeof word - 1; i < count && bytes[i] >= '0' && bytes[i] <= '9' && value < 1000000000000000; i++)
            value = value * 10 + (bytes[i] - '0');
        return value;
    }
    return 0;
}

static const struct impostor {
    const char *begins, *words;
} impostors[] = {
    { "<!doctype html", "an HTML page, not weights: the download gave a web page; fetch the file itself" },
    { "<html", "an HTML page, not weights: the download gave a web page; fetch the file itself" },
    { "<head", "an HTML page, not weights: the download gave a web page; fetch the file itself" },
    { "<!--", "an HTML page, not weights: the download gave a web page; fetch the file itself" },
    { "<?xml", "an XML text, not weights: perhaps a server's error; fetch the file itself" },
    { "<error", "an XML text, not weights: perhaps a server's error; fetch the file itself" },
    { "{", "a JSON text, not weights: perhaps a server's error, or the index of files beside it" },
    { "\x1f\x8b", "compressed with gzip: unpack it with gunzip" },
    { "\xfd"
      "7zXZ",
      "compressed with xz: unpack it with unxz" },
    { "BZh", "compressed with bzip2: unpack it with bunzip2" },
    { "\x89HDF", "an HDF5 file (Keras?), not a PyTorch file or safetensors" },
    { "\x93NUMPY", "a NumPy array (.npy), not weights by name" },
    { "GGUF", "a GGUF file, not a PyTorch file or safetensors" },
    { "PK\5\6", "an empty zip archive" },
    { "\x80\x02", "a Python pickle without PyTorch's header, or cut short: "
                  "torch.save(model.state_dict(), FILE)" },
    { "\x80\x03", "a Python pickle without PyTorch's header, or cut short: "
                  "torch.save(model.state_dict(), FILE)" },
    { "\x80\x04", "a Python pickle without PyTorch's header: torch.save(model.state_dict(), FILE)" },
    { "\x80\x05", "a Python pickle without PyTorch's header: torch.save(model.state_dict(), FILE)" },
};

const char *weights_impostor(const uint8_t *bytes, size_t count, char *ret, size_t size)
{
    if (count == 0) {
        snprintf(ret, size, "empty: 0 bytes; fetch the file again");
        return ret;
    }
    if (begins(bytes, count, "version https://git-lfs.github.com/")) {
        const unsigned long long real = pointer_size(bytes, count);
        const int length = snprintf(ret, size, "a Git LFS pointer, not the weights: run 'git lfs pull'");
        if (real > 0 && length > 0 && (size_t)length < size)
            snprintf(ret + length, size - (size_t)length, " for the file of %llu bytes", real);
        return ret;
    }
    if (begins(bytes, count, "\xef\xbb\xbf")) {
        bytes += 3;
        count -= 3;
    }
    while (count > 0 && is_blank(*bytes)) {
        bytes++;
        count--;
    }
    for (size_t i = 0; i < sizeof impostors / sizeof *impostors; i++)
        if (begins(bytes, count, impostors[i].begins)) {
            snprintf(ret, size, "%s", impostors[i].words);
            return ret;
        }
    if (count < 8) {
        snprintf(ret, size, "cut short: %zu bytes hold no weights; fetch the file again", count);
        return ret;
    }
    return NULL;
}
