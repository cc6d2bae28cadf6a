/* Datasets: a root opened, its splits listed, labels without pixels, samples as bytes or pixels.
 *
 * The root is the host's key, given through bioft_files.root: no plugin declares it. Decoding,
 * resizing, augmentation, caching, subsets of classes and the choice of samples are the host's. */
#ifndef BIOFT_DATASET_H
#define BIOFT_DATASET_H

#include <bioft/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ENCODED: a JPEG or PNG file's bytes. U8_HWC: [height][width][channels] 0..255. F32_CHW: [channels][height][width]
 * in [0,1]. */
enum { BIOFT_SAMPLE_ENCODED = 1, BIOFT_SAMPLE_U8_HWC, BIOFT_SAMPLE_F32_CHW };

/* The host's, one per call. The plugin sets format and, but for ENCODED, height, width and channels, and gives the
 * bytes by one of the two calls. */
typedef struct bioft_sample bioft_sample;
struct bioft_sample {
    uint32_t struct_size, format, height, width, channels, reserved;
    void *ctx;
    void *(*reserve)(bioft_sample *s, size_t bytes);                       /* memory to fill; NULL: out of memory */
    bioft_status (*map)(bioft_sample *s, const void *bytes, size_t count); /* bytes that live as long as the instance */
};

/* The host's; the plugin calls in from describe(). Splits are "train", "val", "test", "database". */
typedef struct bioft_info bioft_info;
struct bioft_info {
    uint32_t struct_size, flags;
    void *ctx;
    bioft_status (*split)(bioft_info *i, const char *name, uint64_t count);      /* numbered in the order of calls */
    bioft_status (*class_name)(bioft_info *i, uint32_t index, const char *name); /* 0, 1, 2, ... in order */
    /* What the log and the results report: dropped files, deviations. */
    bioft_status (*note)(bioft_info *i, const char *text);
};

/* bioft_array.dtype */
enum {
    BIOFT_DTYPE_U8 = 1,
    BIOFT_DTYPE_I64,
    BIOFT_DTYPE_F32,
    BIOFT_DTYPE_TEXT /* const char * to text that ends with NUL; of `pickle` alone */
};
typedef struct bioft_array {
    uint32_t struct_size, dtype, dims, reserved;
    uint64_t shape[8];
    const void *data; /* C order */
} bioft_array;

/* Host extension "bioft.files/1": bounded reads, sorted lists, errors that name the place. Paths are relative to
 * the dataset's root or absolute; results live until destroy(). On failure the text is already with the host: return
 * the status. [control] */
typedef struct bioft_files {
    uint32_t struct_size, reserved;
    const char *(*root)(const bioft_host *host); /* absolute, or NULL where none was given */
    /* The protocol that the manifest asks for ("classification", "retrieval", ...), or NULL. */
    const char *(*protocol)(const bioft_host *host);
    /* A whole file, gz or plain by its first bytes, at most `max` bytes once unpacked. */
    bioft_status (*read)(const bioft_host *host, const char *path, uint64_t max, const uint8_t **ret,
                         uint64_t *ret_size);
    /* The same mapped and not copied, plain files only. */
    bioft_status (*map)(const bioft_host *host, const char *path, const uint8_t **ret, uint64_t *ret_size);
    /* A .npy file: u1 as U8, i4 and i8 as I64, f4 and f8 as F32, fortran order transposed. */
    bioft_status (*npy)(const bioft_host *host, const char *path, bioft_array *ret);
    /* The names in a folder, bytewise sorted, those beginning with a dot left out; a folder's name ends in '/'. */
    bioft_status (*list)(const bioft_host *host, const char *folder, const char *const **ret, uint64_t *ret_count);
    int32_t (*exists)(const bioft_host *host, const char *path); /* 1 file, 2 folder, 0 neither */
    /* Fails with "path:line: text (at byte B)"; line or byte 0: unknown. */
    bioft_status (*fail_at)(const bioft_host *host, bioft_status status, const char *path, uint64_t line, uint64_t byte,
                            const char *text);
    /* A permutation of 0..n-1 by (split_seed, stream): the one way to make splits. */
    bioft_status (*permute)(const bioft_host *host, const char *stream, uint64_t n, uint64_t *ret);
    /* SHA-256 of bytes in lower-case hex with its NUL. */
    void (*sha256)(const void *bytes, size_t count, char ret[65]);
    /* One file's bytes for a reader, from any thread: into a sample, at most `max` bytes. [any] */
    bioft_status (*sample)(const bioft_host *host, const char *path, uint64_t max, bioft_sample *ret);
    /* For a name that a list file or an archive gives: 1 where folder/name stays below the root or below `folder` when
     * links are resolved, or is not there; 0 where a link leads out, or "..". folder: one that the plugin or an option
     * names, "" for the root. The calls above follow links wherever they lead. */
    int32_t (*holds)(const bioft_host *host, const char *folder, const char *name);
    /* Appended in 0.3. Arrays of a .npz by their names, "train_images": as `npy` gives one; dtype 0 and data NULL where
     * the archive has no such array. ret: [count]. */
    bioft_status (*npz)(const bioft_host *host, const char *path, const char *const *names, uint32_t count,
                        bioft_array *ret);
    /* Values of a pickled dict (protocols 2 and 3) by their keys: NumPy's arrays of uint8 as U8, lists of integers as
     * I64 [n], lists of text as TEXT [n]; dtype 0 and data NULL where there is no such key. Nothing in the file is
     * executed: other values under these keys, and globals but NumPy's, are refused. ret: [count]. */
    bioft_status (*pickle)(const bioft_host *host, const char *path, const char *const *keys, uint32_t count,
                           bioft_array *ret);
} bioft_files;

enum { BIOFT_DATASET_MULTI_LABEL = 1 }; /* bioft_dataset.flags */
typedef struct bioft_dataset {
    uint32_t struct_size, flags;
    /* After create: opens and verifies, then names classes and splits. [control] */
    bioft_status (*describe)(void *self, bioft_info *ret);
    /* Labels without touching pixels: sets bits in ret (label_words words, zeroed). [any] */
    bioft_status (*labels)(const void *self, uint32_t split, uint64_t index, uint64_t *ret, uint32_t label_words);
    /* Name for people and dumps: "train/cat/0007.jpg". [any] */
    bioft_status (*name)(const void *self, uint32_t split, uint64_t index, char *ret, size_t size);
    /* A reader per loader thread: file handles, archives. Both NULL: `reader` is NULL in sample. [any] */
    bioft_status (*reader_open)(const void *self, void **ret);
    void (*reader_close)(const void *self, void *reader);
    bioft_status (*sample)(const void *self, void *reader, uint32_t split, uint64_t index,
                           bioft_sample *ret); /* [any] */
    /* Is the data multi-label? Asked after describe, where only the files can tell; NULL: as `flags` says. [control] */
    int32_t (*multi_label)(const void *self);
    /* Since ABI 0.4, for people, a line each; NULL: not said. `bioft plugin show` prints them, and layout and source end
     * the error of a root or file that is missing. layout: the files and folders in the root, "train_images.npy, ...";
     * samples: type, shape and range of an image and its label; source: where the files are available. */
    const char *layout, *samples, *source;
} bioft_dataset;

#ifdef __cplusplus
}
#endif
#endif
