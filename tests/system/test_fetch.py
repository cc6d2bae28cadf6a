"""bioft fetch against a server on 127.0.0.1 that does what servers do."""
import hashlib
import http.server
import io
import json
import os
import pathlib
import pty
import signal
import subprocess
import tarfile
import threading
import time
import unittest
import zipfile

import bioft

LIBRARIES = "libcurl" in subprocess.run(["ldd", bioft.BIOFT], text=True, stdout=subprocess.PIPE).stdout
HERE = "127.0.0.1"


def tar(entries, mode="w:gz"):
    """name: bytes, or ('link', target), or None for a folder."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as t:
        for name, what in entries.items():
            info = tarfile.TarInfo(name)
            if isinstance(what, bytes):
                info.size = len(what)
            else:
                info.type, info.linkname = (tarfile.DIRTYPE, "") if what is None else (tarfile.SYMTYPE, what[1])
            t.addfile(info, io.BytesIO(what) if isinstance(what, bytes) else None)
    return out.getvalue()


def zipped(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, what in entries.items():
            z.writestr(name, what)
    return out.getvalue()


BLOB = bytes(range(256)) * 1200
PICTURES = {"pictures": None, "pictures/a.bin": b"a" * 5000, "pictures/deep/b.bin": b"b" * 7000}
FILES = {"weights.pth": BLOB, "data.tar.gz": tar(PICTURES),
         "data.zip": zipped({"pictures/a.bin": b"a" * 5000, "other/w.pth": b"the weights"})}


class Server(http.server.BaseHTTPRequestHandler):
    """/HOW/NAME"""
    protocol_version = "HTTP/1.1"
    seen = []

    def log_message(self, *args):
        pass

    def give(self, body, start=0, length=None):
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start if length is None else length))
        self.end_headers()

    def end_headers(self):
        self.send_header("Connection", "close")          # as do_GET does: the client must not use it again
        super().end_headers()

    def do_GET(self):
        how, name = self.path[1:].split("/", 1)
        body = FILES.get(name, BLOB)
        asked = self.headers.get("Range")
        start = int(asked[6:].split("-")[0]) if asked and how != "norange" else 0
        Server.seen.append((how, start))
        self.close_connection = True
        try:
            getattr(self, "do_" + how)(body, start)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def do_good(self, body, start):
        self.give(body, start)
        self.wfile.write(body[start:])

    do_norange = do_good

    def do_short(self, body, start):
        self.do_good(body[:1000], min(start, 999))

    def do_wrong(self, body, start):
        self.do_good(bytes(reversed(body)), start)

    def do_cut(self, body, start):
        self.give(body, start)
        self.wfile.write(body[start:start + len(body) // 3])

    def do_slow(self, body, start):
        self.give(body, start)
        self.wfile.write(body[start:start + 1000])
        self.wfile.flush()
        time.sleep(2.5)

    def do_drip(self, body, start):
        self.give(body, start)
        for at in range(start, len(body), len(body) // 8):
            self.wfile.write(body[at:at + len(body) // 8])
            self.wfile.flush()
            time.sleep(0.12)

    def do_endless(self, body, start):
        self.send_response(200)
        self.end_headers()
        for _ in range(4000):
            self.wfile.write(BLOB)

    def to(self, where):
        self.send_response(302)
        self.send_header("Location", where)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_redirect(self, body, start):
        self.to(self.path.replace("redirect", "good"))

    def do_loop(self, body, start):
        self.to(self.path)

    def do_tofile(self, body, start):
        self.to("file:///etc/passwd")

    def do_missing(self, body, start):
        self.send_error(404)

    def do_fault(self, body, start):
        self.send_error(503)


class Fetch(bioft.Case):
    @classmethod
    def setUpClass(cls):
        cls.server = http.server.ThreadingHTTPServer((HERE, 0), Server)
        cls.server.daemon_threads = True
        cls.address = f"http://{HERE}:{cls.server.server_port}"
        threading.Thread(target=cls.server.serve_forever, daemon=True).start()
        cls.addClassCleanup(cls.server.server_close)
        cls.addClassCleanup(cls.server.shutdown)

    def setUp(self):
        super().setUp()
        Server.seen.clear()
        self.out = self.folder / "out"

    def table(self, kind, name, *files, **more):
        """A table beside plugins, of FILES by name with what is said of each."""
        folder = self.folder / "plugins" / kind
        folder.mkdir(parents=True, exist_ok=True)
        listed = [{"url": f"{self.address}/{how}/{file}", "bytes": len(FILES[file]),
                   "sha256": hashlib.sha256(FILES[file]).hexdigest(), **also} for how, file, also in files]
        whole = {"what": "a test's", "page": self.address, **({"files": listed} if listed else {}), **more}
        (folder / f"{name}.fetch.json").write_text(json.dumps(whole))

    def weights(self, how, **also):
        self.table("backbones", "net", (how, "weights.pth", also))
        return ["fetch", "weights", "net", "--to", self.out, "--plugin-path", "plugins", "--timeout", "1"]

    def data(self, how="good", file="data.tar.gz", **also):
        self.table("datasets", "thing", (how, file, {"unpack": "pictures", **also}))
        return ["fetch", "thing", "--to", self.out, "--plugin-path", "plugins", "--timeout", "1"]

    def names(self):
        return sorted(str(p.relative_to(self.out)) for p in self.out.rglob("*")) if self.out.exists() else []

    def good(self, *args, **more):
        return super().good(*args, env={"no_proxy": HERE}, **more)

    def bad(self, status, *args, **more):
        return super().bad(status, *args, env={"no_proxy": HERE}, **more)


@unittest.skipUnless(LIBRARIES, "built without libcurl and libarchive")
class Downloads(Fetch):
    def test_a_file(self):
        r = self.good(*self.weights("good"))
        self.assertEqual(self.names(), ["weights.pth"])
        self.assertEqual((self.out / "weights.pth").read_bytes(), BLOB)
        self.assertEqual(r.stdout, f"weights: {self.out}/weights.pth\n")
        self.assertIn("its SHA-256 is right", r.stderr)
        Server.seen.clear()
        self.assertIn("nothing to fetch", self.good(*self.weights("good")).stderr)
        self.assertEqual(Server.seen, [])

    def test_the_beginning_of_a_sum_is_told_as_that(self):
        sum = hashlib.sha256(BLOB).hexdigest()[:8]
        self.assertIn("the first 8 digits of its SHA-256 are right; no more are published",
                      self.good(*self.weights("good", sha256=sum, bytes=len(BLOB))).stderr)

    def test_redirects(self):
        self.good(*self.weights("redirect"))
        self.assertEqual(self.names(), ["weights.pth"])
        (self.out / "weights.pth").unlink()
        self.bad(1, *self.weights("loop"), says="redirect")
        self.bad(1, *self.weights("tofile"), says="file")
        self.assertEqual(self.names(), [])

    def test_answers_that_are_refused(self):
        for how, says in (("missing", "status 404: it is not there"), ("fault", "status 503: the server has a fault"),
                          ("wrong", "is not the published file"), ("endless", f"more than the {len(BLOB)} bytes")):
            with self.subTest(how):
                self.bad(1, *self.weights(how), says=says)
                self.assertEqual(self.names(), [])
        r = self.bad(1, *self.weights("short"), says="weights.pth")
        self.assertNotIn("weights.pth", self.names(), r.stderr)
        (self.folder / "free").write_text("x")
        self.out.rmdir() if not self.names() else [p.unlink() for p in self.out.iterdir()]
        self.bad(1, *self.weights("good"), "--from", f"http://{HERE}:9/weights.pth", says="127.0.0.1")
        self.assertEqual(self.names(), [])

    def test_cut_answers_are_continued(self):
        self.good(*self.weights("cut"))
        third = len(BLOB) // 3
        self.assertEqual(Server.seen, [("cut", 0), ("cut", third), ("cut", 2 * third)])
        self.assertEqual((self.out / "weights.pth").read_bytes(), BLOB)

    def test_a_part_is_continued(self):
        self.out.mkdir()
        part = self.out / "weights.pth.bioft-fetch"
        for how, begun, content in (("good", BLOB[:5000], [("good", 5000)]), ("norange", BLOB[:5000], None),
                                    ("good", b"another file" * 500, [("good", 6000), ("good", 0)]),
                                    ("good", BLOB, []), ("good", BLOB + b"more", [("good", 0)])):
            with self.subTest(how, begun=len(begun)):
                part.write_bytes(begun)
                Server.seen.clear()
                self.good(*self.weights(how))
                self.assertEqual((self.out / "weights.pth").read_bytes(), BLOB)
                if content is not None:
                    self.assertEqual(Server.seen, content)
                (self.out / "weights.pth").unlink()
                self.assertEqual(self.names(), [])

    def test_a_server_that_goes_silent(self):
        self.bad(1, *self.weights("slow"), says="is kept: the same command continues")
        self.assertEqual(self.names(), ["weights.pth.bioft-fetch"])
        self.good(*self.weights("good"))
        self.assertGreater(Server.seen[-1][1], 0)

    def test_progress_and_interrupt(self):
        master, slave = pty.openpty()
        p = subprocess.Popen([bioft.BIOFT, *map(str, self.weights("drip"))], cwd=self.folder, stdout=subprocess.PIPE,
                             stderr=slave, env=dict(os.environ, no_proxy=HERE))
        os.close(slave)
        text = ""
        while "KiB/s" not in text:
            text += os.read(master, 4096).decode()
        self.assertRegex(text, r"weights.pth: [\d.]+ KiB of 300.0 KiB, [\d.]+ KiB/s")
        p.send_signal(signal.SIGTERM)
        while p.poll() is None:
            try:
                text += os.read(master, 4096).decode()
            except OSError:
                break
        self.assertEqual(p.wait(20), 143)
        p.stdout.close()
        os.close(master)
        self.assertEqual(self.names(), ["weights.pth.bioft-fetch"])

    def test_what_is_there_is_left_alone(self):
        self.out.mkdir()
        (self.out / "weights.pth").write_bytes(b"mine")
        self.bad(1, *self.weights("good"), says=("has 4 bytes", "it is left alone"))
        self.assertEqual((self.out / "weights.pth").read_bytes(), b"mine")
        self.assertEqual(Server.seen, [])
        (self.out / "weights.pth").unlink()
        os.symlink("/etc/passwd", self.out / "weights.pth.bioft-fetch")
        self.bad(1, *self.weights("good"), says="cannot open")

    def test_unpacking(self):
        for file in ("data.tar.gz", "data.zip"):
            with self.subTest(file):
                r = self.good(*self.data(file=file))
                self.assertEqual(r.stdout, f"dataset: {{plugin: thing, root: {self.out}}}\n")
                self.assertEqual((self.out / "pictures/a.bin").read_bytes(), b"a" * 5000)
                self.assertFalse([n for n in self.names() if "fetch" in n or n.startswith(".")])
                Server.seen.clear()
                self.assertIn("nothing to fetch", self.good(*self.data(file=file)).stderr)
                self.assertEqual(Server.seen, [])
                for p in sorted(self.out.rglob("*"), reverse=True):
                    p.rmdir() if p.is_dir() else p.unlink()
        self.table("backbones", "net", ("good", "data.zip", {"take": "other/w.pth"}))
        self.good("fetch", "weights", "net", "--to", self.out, "--plugin-path", "plugins")
        self.assertEqual([(n, (self.out / n).read_bytes()) for n in self.names()], [("w.pth", b"the weights")])

    def test_archives_that_would_write_elsewhere(self):
        for name, entries, says in (("up", {"../evil": b"x"}, "leads out"), ("deep", {"pictures/../../evil": b"x"}, "leads out"),
                                    ("absolute", {f"{self.folder}/evil": b"x"}, "leads out"),
                                    ("link", {"pictures": ("link", "..")}, "neither a file nor a folder"),
                                    ("other", {"others/a": b"x"}, "no 'pictures' in it"),
                                    ("twice", {"pictures": b"x", "pictures/a": b"x"}, "cannot")):
            with self.subTest(name):
                FILES[name + ".tar.gz"] = tar({"fine": b"f", **entries})
                self.bad(1, *self.data(file=name + ".tar.gz"), says=says)
                self.assertFalse((self.folder / "evil").exists())
                self.assertFalse([n for n in self.names() if n.startswith(".") or n == "pictures"])
                [p.unlink() for p in self.out.rglob("*") if p.is_file()]
                [p.rmdir() for p in sorted(self.out.rglob("*"), reverse=True)]
        FILES["torn.tar.gz"] = FILES["data.tar.gz"][:-30]
        self.bad(1, *self.data(file="torn.tar.gz"), says="cannot be unpacked")

    def test_what_the_archive_would_replace(self):
        FILES["two.tar.gz"] = tar({**PICTURES, "readme": b"theirs"})
        self.out.mkdir()
        (self.out / "readme").write_text("mine")
        self.bad(1, *self.data(file="two.tar.gz"), says="readme exists and is left alone")
        self.assertEqual((self.out / "readme").read_text(), "mine")
        self.assertFalse((self.out / "pictures").exists())

    def test_mirrors_and_files(self):
        args = self.weights("missing")
        self.good(*args, "--from", f"{self.address}/good/weights.pth")
        (self.out / "weights.pth").unlink()
        self.good(*args, "--from", f"{self.address}/good/")
        (self.out / "weights.pth").unlink()
        local = self.folder / "stick"
        local.mkdir()
        (local / "weights.pth").write_bytes(BLOB)
        Server.seen.clear()
        self.good(*args, "--from", local)
        (self.out / "weights.pth").unlink()
        self.good(*args, "--from", local / "weights.pth")
        self.assertEqual(Server.seen, [])
        self.assertEqual((local / "weights.pth").read_bytes(), BLOB)
        (self.out / "weights.pth").unlink()
        (local / "weights.pth").write_bytes(BLOB[:-1] + b"x")
        self.bad(1, *args, "--from", local, says="is not the published file")
        self.assertTrue((local / "weights.pth").exists())
        self.bad(1, *args, "--from", "nowhere.pth", says="nowhere.pth")

    def test_two_at_once(self):
        p = subprocess.Popen([bioft.BIOFT, *map(str, self.weights("drip"))], cwd=self.folder, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=dict(os.environ, no_proxy=HERE))
        while not (self.out / "weights.pth.bioft-fetch").exists():
            time.sleep(0.01)
        self.bad(1, *self.weights("good"), says="another bioft fetch is at work")
        self.assertEqual(p.wait(30), 0)


class Tables(Fetch):
    def test_ours(self):
        listed = self.good("fetch").stdout
        for path in sorted(bioft.SOURCE.glob("plugins/*/*.fetch.json")):
            name = path.name.split(".")[0]
            self.assertIn(f"{'weights ' if path.parent.name == 'backbones' else ''}{name}", listed)
        for path in bioft.SOURCE.glob("plugins/datasets/*.c"):
            if "\n#define DEBIAN" not in path.read_text() and f"\n{path.stem} " in "\n" + listed:
                shown = self.good("fetch", path.stem, "--show").stdout
                self.assertTrue("sha256sum" in shown or "root" in shown, shown)

    def test_by_hand(self):
        self.table("datasets", "thing", ("good", "data.zip", {"unpack": "pictures"}))
        shown = self.good("fetch", "thing", "--show", "--to", "my data", "--plugin-path", "plugins").stdout
        for text in (f"{self.address}/good/data.zip", f"{len(FILES['data.zip'])} bytes", "sha256 ", "mkdir -p 'my data'",
                     "unzip data.zip"):
            self.assertIn(text, shown)
        self.assertEqual(Server.seen, [])
        if not LIBRARIES:
            self.bad(1, "fetch", "thing", "--to", "x", "--plugin-path", "plugins", says="without libcurl")

    def test_agreements_and_wrong_usage(self):
        self.bad(1, "fetch", "imagenet", "--to", "x", says=("agreement", "image-net.org"))
        self.assertFalse((self.folder / "x").exists())
        self.bad(2, "fetch", "cifar1", "--to", "x", says="did you mean 'cifar10'?")
        self.bad(2, "fetch", "cifar10", says="--to FOLDER")
        self.bad(2, "fetch", "weights", says="expected")
        self.bad(2, "fetch", "../cifar10", "--to", "x", says="nothing is known")

    def test_wrong_tables(self):
        good = {"url": f"{self.address}/good/weights.pth", "sha256": "0" * 64}
        for change, says in (({"url": "ftp://x/y"}, "'url'"), ({"url": "https://x/"}, "file's name"), ({"sha256": "0" * 7}, "'sha256'"),
                             ({"sha256": "G" * 64}, "'sha256'"), ({"bytes": 0.5}, "'bytes'"), ({"bytes": -1}, "'bytes'"),
                             ({"unpack": "../x"}, "'unpack'"), ({"take": "../x"}, "'take'"), ({"unpack": "a", "take": "b"}, "both"),
                             ({"url": "https://x/a'b"}, "'url'"), ({"url": "https://x/.b"}, "file's name")):
            with self.subTest(change):
                self.table("datasets", "thing", files=[{**good, **change}])
                self.bad(1, "fetch", "thing", "--show", "--plugin-path", "plugins", says=("thing.fetch.json", says))
        for whole, says in (("[]", "not a JSON object"), ("{}", "'what'"), ("{", "thing.fetch.json")):
            (self.folder / "plugins/datasets/thing.fetch.json").write_text(whole)
            self.bad(1, "fetch", "thing", "--show", "--plugin-path", "plugins", says=says)

    def test_check_names_the_command(self):
        text = bioft.MANIFEST.replace("{plugin: npy, root: data, classes: [2, 3]}", "{plugin: cifar10, root: no}").replace(
            "{backbone: lenet5}", "{backbone: resnet18, weights: w/resnet18-f37072fd.pth}")
        self.bad(2, "check", self.manifest(text), says=(f"'bioft fetch cifar10 --to {self.folder}/no' fetches it",
                 f"'bioft fetch weights resnet18 --to {self.folder}/w' fetches it"))
        (self.folder / "no").mkdir()
        text = text.replace(", weights: w/resnet18-f37072fd.pth", "")
        self.bad(1, "check", self.manifest(text), says=f"'bioft fetch cifar10 --to {self.folder}/no' fetches it")
        self.bad(2, "check", self.manifest(text.replace("{plugin: cifar10, root: no}", "imagenet")),
                 says="'bioft fetch imagenet' explains how to get it")


if __name__ == "__main__":
    unittest.main()
