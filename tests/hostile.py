#!/usr/bin/env python3
"""The kinds of hostile files, and where each is tested: hostile.py [ROOT] checks that every test named here is there.

A kind has a number, what its files are, and tests: a file below tests/ and a text that stands in it once at least, the
message that is expected or the case's name.
"""
import pathlib
import sys

LAST = 53
FASHION, NPY, ARRAYS = "unit/data/test_fashion_mnist.c", "unit/formats/test_npy.c", "unit/data/test_npy.c"
GZIP, TENSORS, TORCH = "unit/formats/test_gzip.c", "unit/formats/test_safetensors.c", "unit/formats/test_torch_hostile.c"
CIFAR, IMAGE, GOLDEN = "unit/data/test_cifar.c", "unit/formats/test_image.c", "unit/formats/image_golden.h"
IMAGES, DATASETS, WEIGHTS = "unit/data/test_images.c", "system/test_datasets.py", "system/test_weights.py"
CHECKPOINT, BAD = "unit/train/test_checkpoint.c", "system/test_bad_input.py"

KINDS = {
    1: ("IDX: empty, 3 bytes, a header that is cut", (FASHION, "header: 0 of 16 bytes", "header: 3 of 16 bytes", "header: 11 of 16 bytes")),
    2: ("IDX: other elements, another magic, 0 or 255 dimensions",
        (FASHION, "float is not supported", "not an IDX file", '"0 dimensions"', '"255 dimensions"')),
    3: ("IDX: dimensions whose product overflows", (FASHION, "size overflows", "more than the file holds")),
    4: ("IDX: fewer bytes than announced, or more", (FASHION, "truncated at image 0: 60000 are announced", "truncated at image 2",
                                                      "1 bytes left over")),
    5: ("IDX: labels out of range, counts that differ, a side of 0",
        (FASHION, "label 10 is out of range", "counts differ", "a side is zero"), (BAD, "test_label_out_of_range", "test_counts_differ")),
    6: ("gzip: cut, checksum and size wrong", (GZIP, "cut in the data", "cut in the trailer", "checksum differs",
                                               "size in the trailer differs"), (FASHION, "test_damaged_gzip")),
    7: ("gzip: more than announced", (GZIP, "more than the 784 bytes"), (FASHION, "10484960 bytes left over")),
    8: ("gzip: two members, zeros or garbage behind", (GZIP, "2 * PLAIN, 2", "zeros are padding", "trailing garbage")),
    9: ("gzip: header's flags, method, an endless name", (GZIP, '"endless name"', '"flags", 3, 0x80', '"method", 2, 7')),
    10: (".npy: magic, version, header past the end", (NPY, "not a .npy file", "version 4.0", '"past the end"', '"2^32-1"')),
    11: (".npy: objects, structures, big-endian, halves", (NPY, "refuses_other_dtypes_by_name", "'<f4 ' is not"),
         ("unit/formats/npy_golden.h", '"object"', '">f4"', '"<f2"', '"structured"')),
    12: (".npy: shapes that are none", (NPY, "(-1, 3)", "(2.5,)", "[2, 3]", "'shape': 6,", "'shape': (6),", "(1e9,)", "number too large")),
    13: (".npy: shapes that overflow", (NPY, "(4294967296, 4294967296)", "(0, 9223372036854775808)", "too many dimensions")),
    14: (".npy: keys, text behind, calls, nesting", (NPY, "is given twice", "'x' is unknown", "'descr' is missing", "column 59",
                                                     "__import__('os')", "200,000 parentheses")),
    15: (".npy: data of another length, order 'maybe'", (NPY, '(2,), }", 7, "truncated"', "1 bytes left over", "True or False")),
    16: (".npy: labels and pixels that are none", (ARRAYS, "train_labels.npy|integers", "labels of several classes are 0 or 1", "is nan")),
    17: ("safetensors: length field", (TENSORS, "shorter than its length field", "header too large", "runs past the end",
                                       "holds no JSON object")),
    18: ("safetensors: a header that is no JSON object", (TENSORS, "not a JSON object", "not UTF-8", "bytes not covered", "xef\\xbb\\xbf{}")),
    19: ("safetensors: ranges", (TENSORS, "do not continue at 4", "do not continue at 0", "before they begin", "past the end of the data")),
    20: ("safetensors: shapes", (TENSORS, '"overflows"', "size mismatch", "-1 is not an integer", "1.0 is not", "1e3 is not", '\\"2\\"')),
    21: ("safetensors: a name twice", (TENSORS, "duplicate name 'a'", "\\\\u0061", "duplicate name 'dtype'", "duplicate name '__metadata__'")),
    22: ("safetensors: metadata, depth and names", (TENSORS, "metadata must be text", "too many metadata entries", "nested too deep",
                                                    "name of 1000000 bytes", "\\\\u0000", "'a\\\\x0a\\\\x1b[2J'")),
    23: ("safetensors: dtypes, too many tensors", (TENSORS, "unknown dtype F33", "'dtype' must be text", "too many tensors")),
    24: ("zip: end records and directory", (TORCH, "no end record", "2 end records", "directory past the end", "65535 entries",
                                            "two numbers of entries", "locator at itself")),
    25: ("zip: entries", (TORCH, "duplicate entry", "not in one folder", "not in a folder", "without data.pkl", "without version",
                          "version 'x'", "version '11")),
    26: ("zip: compressed, encrypted, a bomb, overlaps", (TORCH, "compressed, and PyTorch stores", '"encrypted"', '"bomb"', '"overlap"',
                                                          "one offset for all")),
    27: ("zip: local headers, checksum, byte order", (TORCH, "another name in its local header", "local header runs past the end",
                                                      '"checksum"', '"big-endian"')),
    28: (".pth: storages of another length", (TORCH, "has 12 bytes, needs 16", "has 20 bytes, needs 16")),
    29: ("pickle: globals that act", (TORCH, "os.system not allowed", "posix.system not", "builtins.eval not", "getattr not allowed",
                                      "torch.\\\\x1b[2J not allowed")),
    30: ("pickle: arguments", (TORCH, "wrong arguments for FloatStorage", "wrong arguments for torch._utils._rebuild_tensor_v2",
                               "wrong arguments for collections.OrderedDict")),
    31: ("pickle: memo", (TORCH, "memo reference 0 before it is set", "memo reference 4294967295 after 0", 'PROTO "q\\0.")')),
    32: ("pickle: an empty stack, marks, odd items", (TORCH, '"stack empty"', '"no mark"', "an odd number", "stack empty above its mark")),
    33: ("pickle: marks, depth, circles, doubling", (TORCH, "too many marks", "200000, BYTES", "]q\\0h\\0a.", "q\\0h\\0\\x86")),
    34: ("pickle: no end, lengths, UTF-8, two values", (TORCH, "ends without a STOP", "runs past the end", "not UTF-8",
                                                        "a global's name is too long", "STOP with 2 values left")),
    35: ("pickle: persistent ids", (TORCH, "persistent id malformed", "a pickled module", "../version", "'9'")),
    36: ("pickle: one storage declared twice", (TORCH, "declared twice")),
    37: ("views outside their storage", (TORCH, "one is negative", "1 sizes and 0 strides", "outside its storage '0'",
                                         "would reach element 4 of 4")),
    38: ("views of stride 0", (TORCH, "claims 65535 elements from a storage of 4", "many expanded views")),
    39: ("pickle: integers", (TORCH, "\\x8a\\377.", "offset is not an integer", "\\x88\\x85")),
    40: ("pickle: no state dict", (TORCH, "duplicate key 'w'", "no state dict; the top level has no keys", "no state dict; it holds a list")),
    41: ("pickle: opcodes of other protocols", (TORCH, "opcode INST not allowed", "opcode EXT1", "opcode FRAME", "protocol 0 or 1",
                                                "opcode BYTEARRAY8", "save model.state_dict()")),
    42: (".pth, legacy", (TORCH, "version 1002", '"big-endian"', "key not in the object", "key not in the list", '"twice"',
                          "numel negative", "numel 2^62", "another numel", '"cut"', "left over", "window outside")),
    43: ("tar of PyTorch 0.1", (TORCH, "written by PyTorch 0.1 (tar); use")),
    44: ("CIFAR: size, labels, the other set's file", (CIFAR, "data_batch_2.bin: 61459 bytes", "label 10 of record 6", "CIFAR-100 file",
                                                       "label 21 of record 6")),
    45: ("ILSVRC's development kit", (DATASETS, "ends after 39 images", "'0' is not an id", "'1001'", "'x'", "for a second class",
                                      "more than the 50 images", "test_imagenet_meta_mat_cut_anywhere")),
    46: ("NUS-WIDE", (DATASETS, "ends after 399 lines", "'2'", "'-1130179'", "Groundtruth/AllLabels", "..\\\\..\\\\etc", "absolute path", "NUL")),
    47: ("list files", (DATASETS, "labels where the lines before have 3", "no labels", "line 1", "1048576 bytes", "CRLF",
                        "a link leads out of the root")),
    48: ("COCO", (DATASETS, "32 deep", "1e400", "an annotation of image", "a second image of id", "an annotation of category 12", "plain name",
                  "'annotations' is not an array", "1 MiB", "UTF8", 'good + "{}"', "range(0, len(good)")),
    49: ("JPEG", (IMAGE, "an empty file", '"\\xff\\xd8", 2', "65535 x 65535", "65500 x 65500", "no rows", "precision 12", "2 components",
                  "sampling 0", "sampling 15", "\\xff\\xe0\\0\\1", "\\xff\\xe0\\0\\0", "10,000 scans", '"half"', '"no end"'),
         (GOLDEN, "without Huffman tables", "arithmetic codes, progressive", "an ICC profile", "ICC segments 3 and 3 of 2", "turned by EXIF",
          "an EXIF that points at itself")),
    50: ("PNG", (IMAGE, "PNG: truncated", "2^31-1 squared", "65500 squared, a bomb", "width 0", "depth 3", "colour 5", "wrong CRC in IHDR",
                 "wrong CRC in IDAT", "no palette", "in a palette of 2 colours", "a profile of 1 GiB", "a million texts", "refuses_prefixes")),
    51: ("images that are something else", (IMAGE, "a GIF image", "HTML or XML"), (IMAGES, "0.JPEG", "dangling link", "unreadable", "a FIFO"),
         ("unit/data/test_files.c", '"fifo", 7', '"folder", 7')),
    52: ("checkpoints", (CHECKPOINT, "another manifest", "is not of this stage", "is missing", '\\"-1\\"', '\\"9x\\"', "complexe", "complete\\\":\\\"2")),
    53: ("YAML and CSV", (BAD, "test_not_yaml_as_we_take_it", "test_aliases_do_not_explode"), (WEIGHTS, "=cmd|"),
         ("unit/formats/test_csv.c", "reads_back_what_it_writes", "writes_what_acts_on_nobody")),
}


def faults(root):
    yield from (f"kind {n} has no test" for n in range(1, LAST + 1) if n not in KINDS)
    yield from (f"kind {n} is none" for n in KINDS if not 1 <= n <= LAST)
    for number, (_, *places) in KINDS.items():
        if not places:
            yield f"kind {number} has no test"
        for name, *texts in places:
            path = root / "tests" / name
            content = path.read_text() if path.exists() else ""
            yield from (f"kind {number}: tests/{name} has no '{t}'" for t in texts if t not in content)


if __name__ == "__main__":
    found = list(faults(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found) if found else f"{len(KINDS)} kinds")
    sys.exit(1 if found else 0)
