"""The report: well-formed, whole, self-contained; its numbers are those of results.csv; and a browser shows it uncut."""
import csv
import html
import html.parser
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import numpy as np
from PIL import Image

import bioft

VOID = {"meta", "img", "br", "link"}
NAMES = ["a class whose name is as long as names of classes are", "bird", "cat & <dog>", "ship"]
PROBE = """<script>
var errors = [];
window.onerror = function (text) { errors.push(text); };
window.onload = function () {
    var cut = [], wide = document.documentElement.clientWidth;
    document.querySelectorAll("body *").forEach(function (e) {
        var box = e.getBoundingClientRect();
        if (box.width && (box.right > wide + 1 || box.left < -1) && !e.closest(".scroll, pre")) cut.push(e.tagName);
    });
    document.querySelectorAll("svg").forEach(function (s) {
        var frame = s.getBoundingClientRect(), words = [];
        s.querySelectorAll("text, path").forEach(function (e) {
            var box = e.getBoundingClientRect();
            if (box.right > frame.right + 1 || box.left < frame.left - 1 || box.bottom > frame.bottom + 1) cut.push(e.outerHTML);
            if (e.tagName === "text") words.push({ box: box, text: e.textContent });
        });
        words.forEach(function (a, i) {
            words.slice(0, i).forEach(function (b) {
                if (Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left) > 1 &&
                    Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top) > 4) cut.push(a.text + " on " + b.text);
            });
        });
        if (12 * frame.width / s.viewBox.baseVal.width < 11.99) cut.push("small letters in a chart");
    });
    // What the script does: a table sorted up, down and back, a rule hidden, a value under the pointer.
    var head = document.querySelector(".lead thead th:nth-child(3)"), orders = [];
    for (var i = 0; i < 3; i++) {
        head.click();
        orders.push(Array.from(head.closest("table").tBodies[0].rows).map(function (r) { return r.cells[2].firstChild.nodeValue; }));
    }
    var box = document.querySelector(".rules input"), name = box.parentNode.textContent;
    function visible() {
        return Array.from(document.querySelectorAll("[data-rule]")).filter(function (e) {
            return e.getAttribute("data-rule") === name && getComputedStyle(e).display !== "none"; }).length;
    }
    var before = visible();
    box.click();
    var after = visible();
    box.click();
    var point = document.querySelector(".point");
    point.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, clientX: 5, clientY: 5 }));
    var tip = document.querySelector(".tip").textContent;
    parent.postMessage([[innerWidth, document.documentElement.scrollWidth, errors.length].join(" "), cut.join(" "),
                        JSON.stringify({ orders: orders, hidden: [before > 3, after], tip: tip })], "*");
};
</script></head>"""
# A window of a browser is never very narrow, a frame in it is.
FRAME = """<!DOCTYPE html><body><script>
onmessage = function (m) {
    document.body.setAttribute("data-probe", m.data[0]);
    document.body.setAttribute("data-cut", m.data[1]);
    document.body.setAttribute("data-does", m.data[2]);
};
</script><iframe width="%d" height="900" style="border:0" src="probe.html"></iframe></body>"""


class Page(html.parser.HTMLParser):
    """Tags that close in the order in which they open; the texts of all cells of tables."""

    def __init__(self):
        super().__init__()
        self.open, self.tables, self.sources, self.words = [], [], [], []

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        self.sources += [v for k, v in attributes if k in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open, self.getpos())
        self.open.pop()

    def handle_data(self, data):
        if self.open and {"td", "th"} & set(self.open) and "small" not in self.open:
            self.tables[-1][-1][-1] += data
        self.words.append(data)


def mcnemar(a, b):
    n, least = a + b, min(a, b)
    return min(1.0, 2.0 * sum(math.comb(n, i) for i in range(least + 1)) / 2.0 ** n)


def scores(path):
    with open(path, newline="") as f:
        return {row["sample"]: float(row["score"]) for row in csv.DictReader(f)}


class Report(bioft.Case):
    made = None                                          # one run for all tests, each in a copy

    @classmethod
    def tearDownClass(cls):
        if cls.made:
            shutil.rmtree(cls.made, ignore_errors=True)

    def make(self):
        text = bioft.MANIFEST.replace("{plugin: pgd,", "{plugin: pgd, dump: 4,")
        out, m = self.folder / "out", self.manifest(text)
        if not Report.made:
            Report.made = tempfile.mkdtemp(prefix="bioft-test-")
            self.good("run", m, "--out", f"{Report.made}/out", "--quiet")
        shutil.copytree(f"{Report.made}/out", out)
        return out

    def read(self, path):
        page = Page()
        page.feed(path.read_text())
        page.close()
        self.assertEqual(page.open, [])
        return page

    def check_numbers(self, out, page):
        """Each figure of the last stage stands in a row that begins with its rule, in the column of its epsilon."""
        def found(row):
            want = f"{100 * float(row['value']):.2f}"
            for table in page.tables:
                for line in table[1:]:
                    if line[0] != row["rule"]:
                        continue
                    if not row["attack"]:
                        if table[0] == ["rule", "npy, lenet5"] and line[1] == want:
                            return True
                    elif table[0][1] == "gradient" and line[1] == {"rule": "rule's own", "": "both"}.get(row["gradient"], row["gradient"]):
                        epsilon = f"{float(row['epsilon']):g}"
                        if epsilon in table[0] and line[table[0].index(epsilon)].rstrip("*!") == want:
                            return True
            return False
        rows = [r for r in bioft.rows(out / "results.csv") if r["stage"] == "fine-tune"]
        self.assertGreater(len(rows), 30)
        for row in rows:
            self.assertTrue(found(row), row)

    def check_comparisons(self, out, page):
        table = next(t for t in page.tables if t[0][-2:] == ["p (Holm)", "significant"])
        self.assertEqual({line[0] for line in table[1:]}, {"usf", "brsf"})
        self.assertEqual(len(table) - 1, 2 * (1 + 2 * 2 + 1 * 2 + 2 * 3))
        checked = 0
        for line in table[1:]:
            rule, _, attack, gradient, epsilon = line[:5]
            gradient = {"both": "", "rule's own": "rule"}.get(gradient, gradient)
            worst = re.fullmatch(r"worst \((.*)\)", attack)
            if worst:
                self.assertEqual(worst[1], "fgsm+pgd" if epsilon == "0.05" else "fgsm")
                attack = f"worst.linf.{worst[1]}"
            middle = f".{attack}" + (f".{gradient}" if gradient else "") + f".{epsilon}"
            name = "fine-tune.test" + ("" if attack == "clean" else middle) + ".csv"
            number = {"usf": "01", "brsf": "02"}[rule]
            a = scores(out / f"trials/{number}-rule={rule}/predictions/{name}")
            b = scores(out / f"trials/00-rule=bp/predictions/{name}")
            self.assertEqual(a.keys(), b.keys())
            only_a, only_b = (sum(x[k] > y[k] for k in a) for x, y in ((a, b), (b, a)))
            self.assertEqual(line[5], f"{100 * (only_a - only_b) / len(a):+.2f}")
            p = mcnemar(only_a, only_b)
            self.assertEqual(line[7], "<0.0001" if p < 0.0001 else f"{p:.4f}")
            checked += 1
        self.assertGreater(checked, 10)

    def check_files(self, out):
        plots = out / "plots"
        scripts = sorted(plots.glob("*.gp"))
        self.assertGreaterEqual(len(scripts), 5)
        for script in scripts:
            xml.etree.ElementTree.parse(script.with_suffix(".svg"))
            self.assertGreater(len(script.with_suffix(".dat").read_text().split("\n")), 2)
            if shutil.which("gnuplot"):
                self.assertEqual(script.with_suffix(".pdf").read_bytes()[:5], b"%PDF-")
                self.assertEqual(script.with_suffix(".png").read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        for latex in (out / "tables").glob("*.tex"):
            text = latex.read_text()
            self.assertIn("\\toprule", text)
            body = text[text.index("\\toprule"):]
            counts = {line.count(" & ") for line in body.split("\n") if line.endswith("\\\\")}
            self.assertEqual(len(counts), 1, latex)
            self.assertTrue(latex.with_suffix(".md").exists())
            with open(latex.with_suffix(".csv"), newline="") as f:
                rows = list(csv.reader(f))
            self.assertEqual({len(row) for row in rows}, {len(rows[0])})

    def check_answers(self, out, page):
        """Below a dumped image its label, the answer, and the answer's share of the softmax."""
        folder = out / "trials/01-rule=usf"
        logits = np.load(next((folder / "adversarial").glob("pgd*exact.0.05.outputs.npy"))).astype(float)
        rows = bioft.rows(next((folder / "predictions").glob("*pgd*exact.0.05.csv")))[:4]
        share = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        self.assertEqual([str(k) for k in logits.argmax(axis=1)], [r["prediction"] for r in rows])
        names = json.loads((folder / "classes.json").read_text())
        want = [f"{names[int(r['label'])]} \u2192 {names[int(r['prediction'])]} {100 * share[i, int(r['prediction'])]:.0f}%"
                for i, r in enumerate(rows)]
        self.assertIn("|".join(want), "|".join(page.words))

    def test_report(self):
        out = self.make()
        page = self.read(out / "report.html")
        self.check_numbers(out, page)
        self.check_comparisons(out, page)
        self.check_files(out)
        self.check_answers(out, page)
        words = " ".join(page.words)
        for text in ("compared with", "Confusion matrix of usf", "Adversarial images", "Provenance", "training loss",
                     "angle to backpropagation", "worst case over attacks", "small-n"):
            self.assertIn(text, words)
        for source in page.sources:                # of files beside it the page needs none
            self.assertTrue(source.startswith(("data:image/png;base64,", "#")) or (out / source).is_file(), source[:80])
        for word in ("tables/1-finding.csv", "tables/clean-accuracy.tex", "plots/1-fgsm-accuracy.svg"):
            self.assertIn(word, page.sources)
        self.assertEqual("plots/1-fgsm-accuracy.pdf" in page.sources, bool(shutil.which("gnuplot")))
        self.assertEqual(set(re.findall(r"https?://[^\"'\s<]+", (out / "report.html").read_text())),
                         {"http://www.w3.org/2000/svg"})

        first = (out / "report.html").read_text()
        r = self.good("report", out, "--out", self.folder / "again", env={"PATH": "/nonexistent"})
        self.assertEqual(r.stdout, f"{self.folder}/again/report.html\n")
        drawn = re.compile(r'<a href="plots/[^"]*[.](png|pdf)">[A-Z]+</a>')
        self.assertEqual(drawn.sub("", first), (self.folder / "again/report.html").read_text())
        self.assertFalse([p for p in (self.folder / "again/plots").glob("*.png") if "adversarial" not in p.name])
        self.good("report", out, "--baseline", "brsf")
        self.assertIn("compared with <b>brsf</b>", (out / "report.html").read_text())
        shutil.copytree(out, self.folder / "copy")
        for copy in (out, self.folder / "copy"):
            self.bad(1, "report", out, copy, "--out", self.folder / "both", says="a copy is no repetition")
        self.good("run", self.folder / "m.yaml", "--out", self.folder / "other", "--set", "seed=4", "--quiet")
        self.good("report", out, self.folder / "other", "--out", self.folder / "both")
        self.assertIn("2 seeds a rule", (self.folder / "both/report.html").read_text())
        differs = next(t for t in self.read(self.folder / "both/report.html").tables if t[0][0] == "setting")
        self.assertEqual(differs, [["setting", "out", "other"], ["seed", "3", "4"]])
        self.bad(2, "report", out, out, says="--out")
        self.bad(2, "report", self.folder / "none", says="no results.csv")

    def test_published(self):
        """What a person typed from a paper stands beside ours, told apart; what stands nowhere is told."""
        out, path = self.make(), self.folder / "typed.csv"
        self.assertNotIn("published", "".join(p.read_text() for p in (out / "tables").iterdir()))
        path.write_text("backbone,dataset,rule,metric,attack,gradient,epsilon,value,n,source\n"
                        "lenet5,npy,bp,accuracy,,,,0.9375,32,Table <1>\n"
                        "lenet5,npy,usf,accuracy,,,,0.9062,32,Table <1>\n"
                        "lenet5,npy,brsf,accuracy,,,,0.875,,Table <1>\n"
                        "lenet5,npy,usf,accuracy,fgsm,rule,0.05,0.25,32,Figure 2\n"
                        "vgg16,npy,usf,accuracy,,,,0.5,32,Table <1>\n"
                        "lenet5,npy,usf,accuracy,fgsm,rule,0.06,0.25,32,Figure 2\n")
        r = self.good("report", out, "--published", path, "--out", self.folder / "both")
        for text in ("2 of the 6 figures of", "line 6: vgg16, npy, usf, accuracy 50.00 (Table <1>)",
                     "line 7: lenet5, npy, usf, fgsm, gradient rule's own, epsilon 0.06, accuracy 25.00 (Figure 2)"):
            self.assertIn(text, r.stderr)
        self.assertEqual(r.stdout, f"{self.folder}/both/report.html\n")

        page = self.read(self.folder / "both/report.html")
        table = next(t for t in page.tables if t[0] == ["rule", "npy, lenet5", "published, Table <1>"])
        self.assertEqual([line[2] for line in table[1:]], ["93.75", "90.62", "87.50"])
        ours = {r["rule"]: r for r in bioft.rows(out / "results.csv") if r["stage"] == "fine-tune" and not r["attack"]}
        self.assertEqual({line[0]: line[1] for line in table[1:]},
                         {rule: f"{100 * float(row['value']):.2f}" for rule, row in ours.items()})
        table = next(t for t in page.tables if t[0][:2] == ["rule", "gradient"] and "0.5" in t[0])
        at = [line[:2] for line in table].index(["usf", "rule's own"])
        self.assertEqual(table[at + 1], ["usf", "rule's own, published, Figure 2", "", "25.00", ""])
        words = " ".join(page.words)
        for text in ("typed.csv", "2 of its 6 figures stand beside nothing", "line 6: vgg16"):
            self.assertIn(text, words)
        # Wilson's interval of 30 and 29 of 32.
        markdown = (self.folder / "both/tables/clean-accuracy.md").read_text()
        self.assertIn("| **93.75** [79.9, 98.3], n = 32 |", markdown)
        self.assertIn("| <u>90.62</u> [75.8, 96.8], n = 32 |", markdown)
        self.assertIn("| 87.50 |", markdown)
        latex = (self.folder / "both/tables/clean-accuracy.tex").read_text()
        self.assertIn("& \\textbf{93.75}\\bioftnote{[79.9, 98.3], n = 32} \\\\", latex)

        # What such a file says of sources is text, whatever reads the tables.
        path.write_text("backbone,dataset,rule,metric,value,source\nlenet5,npy,bp,accuracy,0.5,<script>|x\\input{a}$\n"
                        "lenet5,npy,usf,accuracy,0.5,=cmd\n\"lenet5\",npy,<b>\\write18{id},accuracy,0.5,=cmd\n")
        r = self.good("report", out, "--published", path, "--out", self.folder / "hostile")
        self.assertIn("line 4: lenet5, npy, <b>\\write18{id}, accuracy 50.00 (=cmd)", r.stderr)
        tables = self.folder / "hostile/tables/clean-accuracy"
        self.assertIn(r"\textless{}script\textgreater{}\textbar{}x\textbackslash{}input\{a\}\$", tables.with_suffix(".tex").read_text())
        self.assertIn(r"published, \<script\>\|x\\input{a}$ |", tables.with_suffix(".md").read_text())
        self.assertIn(r'"published, <script>|x\input{a}$",', tables.with_suffix(".csv").read_text() + ",")
        page = (self.folder / "hostile/report.html").read_text()
        self.assertTrue("npy, &lt;b&gt;\\write18{id}, accuracy" in page and "published, &lt;script&gt;|x" in page)

        path.write_text("backbone,dataset,rule,metric,value\nlenet5,npy,bp,accuracy,93.75\n")
        before = (self.folder / "both/report.html").read_bytes()
        self.bad(2, "report", out, "--published", path, "--out", self.folder / "both",
                 says="typed.csv:2: column value: '93.75' is not between 0 and 1")
        self.assertEqual(before, (self.folder / "both/report.html").read_bytes())
        self.bad(2, "report", out, "--published", self.folder / "none.csv", says="none.csv")

    def make_named(self):
        """The same images in folders of classes, whose names HTML and a narrow page have to bear."""
        bioft.make_npy(self.folder / "data")
        for split in ("train", "test"):
            images = np.load(self.folder / f"data/{split}_images.npy")
            for i, label in enumerate(np.load(self.folder / f"data/{split}_labels.npy")):
                folder = self.folder / "images" / split / NAMES[label]
                folder.mkdir(parents=True, exist_ok=True)
                Image.fromarray(np.repeat(images[i], 3, axis=2)).save(folder / f"{i}.png")
        text = re.sub(r"\{plugin: npy, root: data(, classes: [^}]*)?\}", "{plugin: image_folder, root: images, transform: none}",
                      bioft.MANIFEST)
        out = self.folder / "named"
        self.good("run", self.manifest(text.replace("{classes: 2}", "{classes: 4}").replace("[bp, usf, brsf]", "[bp, usf]")
                                       .replace("backbone: lenet5", "backbone: {plugin: mlp, channels: 3, hidden: [16]}"),
                                       data=False), "--out", out, "--quiet")
        return out

    def test_names_of_classes(self):
        out = self.make_named()
        self.assertEqual(json.loads((out / "trials/00-rule=bp/classes.json").read_text()), NAMES)
        page = self.read(out / "report.html")
        table = next(t for t in page.tables if t[0] == ["class", "bp", "usf"])
        self.assertEqual([line[0] for line in table[1:]], NAMES)
        matrix = next(t for t in page.tables if t[0] == ["class", *NAMES, "n"])
        rows = bioft.rows(out / "trials/00-rule=bp/predictions/fine-tune.test.csv")
        for k, line in enumerate(matrix[1:]):
            own = [r for r in rows if r["label"] == str(k)]
            self.assertEqual([line[0], line[-1]], [NAMES[k], str(len(own))])
            for j in range(len(NAMES)):
                share = sum(r["prediction"] == str(j) for r in own) / len(own)
                self.assertEqual(line[1 + j], f"{100 * share:.1f}")
            self.assertEqual(table[1 + k][1], line[1 + k])
        for trial in (out / "trials").iterdir():
            (trial / "classes.json").unlink()
        self.good("report", out)
        self.assertIn(["class", "0", "1", "2", "3", "n"], [t[0] for t in self.read(out / "report.html").tables])

    @unittest.skipUnless(shutil.which("pdflatex") and subprocess.run(["kpsewhich", "booktabs.sty"], stdout=subprocess.DEVNULL)
                         .returncode == 0, "no pdflatex with booktabs")
    def test_latex(self):
        """All tables compile, in a column of two, and none is wider than that; with and without the intervals."""
        out = self.make()
        for preamble in ("", "\\newcommand{\\bioftnote}[1]{ {\\scriptsize #1}}\n"):
            tables = sorted((out / "tables").glob("*.tex"))
            self.assertGreater(len(tables), 5)
            text = ("\\documentclass[twocolumn]{article}\n\\usepackage{array,booktabs,graphicx}\n" + preamble
                    + "\\begin{document}\n"
                    + "".join(f"\\begin{{table}}\\input{{{t}}}\\end{{table}}\\clearpage\n" for t in tables) + "\\end{document}\n")
            (self.folder / "t.tex").write_text(text)
            r = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"], cwd=self.folder, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            self.assertEqual(r.returncode, 0, r.stdout[-3000:])
            self.assertNotIn("Overfull \\hbox", r.stdout)

    @unittest.skipUnless(shutil.which("chromium"), "no chromium")
    def test_in_a_browser(self):
        out = self.make()
        self.look(out, (1920, 1280, 390))
        self.look(self.make_named(), (390,))

    def look(self, out, widths):
        copy = self.folder / "probe.html"
        copy.write_text((out / "report.html").read_text().replace("</head>", PROBE, 1).replace("<details>", "<details open>"))
        chromium = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage",
                    f"--user-data-dir={self.folder}/profile"]
        for width in widths:
            frame = self.folder / f"frame{width}.html"
            frame.write_text(FRAME % width)
            r = subprocess.run([*chromium, "--window-size=2000,1000", "--virtual-time-budget=5000",
                                "--dump-dom", f"file://{frame}"], text=True, timeout=120,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, HOME=str(self.folder)))
            probe = re.search(r'data-probe="(\d+) (\d+) (\d+)"', r.stdout)
            self.assertIsNotNone(probe, r.stderr[-2000:])
            inner, scroll, errors = map(int, probe.groups())
            self.assertEqual((inner, errors), (width, 0))
            self.assertLessEqual(scroll, inner)
            self.assertIn('data-cut=""', r.stdout, re.search(r'data-cut="[^"]*"', r.stdout)[0][:2000])
            does = json.loads(html.unescape(re.search(r'data-does="([^"]*)"', r.stdout)[1]))
            up, down, back = ([float(v) for v in order] for order in does["orders"])
            self.assertEqual((up, down), (sorted(back), sorted(back, reverse=True)))
            self.assertEqual(does["hidden"], [True, 0])
            self.assertRegex(does["tip"], r"^\w+, (exact|rule) gradient, epsilon \(linf\) 0: [\d.]+ \[.*\], n = 30$")


if __name__ == "__main__":
    unittest.main()
