#!/usr/bin/env python3
"""Keeps the tree walking forward: who includes whom, who prints or exits, how long a file is.

layers.py ROOT checks a source tree; layers.py --self-test checks that each rule catches its fault.
"""
import pathlib
import re
import sys
import tempfile

# A room may include itself and these, directly; '*' is all of them. In the order of the data.
USES = {
    'base': '',
    'formats': 'base',
    'plugin': 'base formats',
    'fetch': 'base formats plugin',
    'manifest': 'base plugin fetch',
    'data': 'base formats plugin manifest',
    'graph': 'base formats plugin manifest',
    'engine': 'base plugin graph',
    'rules': 'base plugin manifest graph engine',
    'network': 'base plugin manifest data graph engine rules',
    'codes': 'base data graph engine network',
    'train': 'base formats plugin manifest data graph engine rules network',
    'attack': 'base formats plugin manifest data engine rules network codes',
    'eval': 'base data engine rules network codes attack',
    'results': 'base formats eval',
    'run': 'base formats plugin fetch manifest data graph engine rules network codes train attack eval results',
    'report': 'base formats eval results',
    'conform': 'base formats plugin manifest data graph engine rules network codes train attack eval',
    'cli': '*',
}
# The one room that knows a library.
THIRD_PARTY = {
    'openssl/': 'base', 'png.h': 'formats', 'jpeglib.h': 'formats', 'zlib.h': 'formats',
    'curl/': 'fetch', 'archive.h': 'fetch', 'archive_entry.h': 'fetch',
    'yajl/': 'formats', 'dlfcn.h': 'plugin', 'yaml.h': 'manifest',
}
# All that base and formats know of the contract: bioft_status.
PUBLIC_BELOW_PLUGIN = {'bioft/plugin.h'}
PUBLIC_MAY = {'stddef.h', 'stdint.h'}
PUBLIC_ALSO = {'util.h': {'stdarg.h', 'stdio.h'}, 'attack_util.h': {'math.h'}}      # inline helpers
# The one place that may fork and end the child: it tries plugins in copies of the process, before there are threads.
GUARD = 'core/plugin/guard.c'
# And the one that forks before anything is loaded: a run's parent.
SUPERVISE = 'core/cli/supervise.c'
# The one place of core that may name plugins: what a manifest gets where it does not say.
DEFAULTS = 'core/manifest/defaults.h'
# Words that core writes for a reason of its own, should a plugin ever be called so.
OWN_WORDS = {
    'none': 'a value of transform, gradient and scale in manifests',
    'torch': 'the module whose objects PyTorch\'s checkpoints name',
}
LONGEST = 500

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]*)"|<([^>\n]*)>)', re.M)
TOKEN = re.compile(r'''//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*\'''', re.S)
SPEAKS = re.compile(r'\b(?:v?printf|puts|putchar|perror)\s*\(|\b(?:std(?:out|err))\b')
# In cli all but this file prints through it: what leaves is neutralised there.
PRINT = 'core/cli/print.c'
BYPASSES = re.compile(r'\b(?:v?f?printf|puts|putchar|perror)\s*\(|\bf(?:puts|write|putc)\s*\([^;]*\bstd(?:out|err)\b')
ENDS = re.compile(r'\b(?:_?exit|_Exit|quick_exit|abort)\s*\(')
FORKS = re.compile(r'\bv?fork\s*\(')


def line_of(text, at):
    return text.count('\n', 0, at) + 1


def blank(match):
    return re.sub(r'[^\n]', ' ', match[0])


def code_of(text):
    """The text without comments, and without the insides of literals; lines stay where they are."""
    return TOKEN.sub(blank, text)


def uncommented(text):
    return TOKEN.sub(lambda m: blank(m) if m[0][0] == '/' else m[0], text)


def includes(text):
    for m in INCLUDE.finditer(uncommented(text)):
        yield line_of(text, m.start()), m[1] is not None, m[1] if m[1] is not None else m[2]


def literals(text):
    for m in TOKEN.finditer(text):
        if m[0][0] == '"':
            yield line_of(text, m.start()), m[0][1:-1]


def allowed(room):
    return set(USES) if USES[room] == '*' else set(USES[room].split()) | {room}


def core_include(root, room, quoted, name):
    """What is wrong with an include of core, or None."""
    if not quoted:
        if (name.startswith('bioft/') and room in ('base', 'formats')
                and name not in PUBLIC_BELOW_PLUGIN):
            return f'{room} may include of the contract only {" ".join(PUBLIC_BELOW_PLUGIN)}'
        if name.split('/')[0] in USES and (root / 'core' / name).exists():
            return f'write "{name}"'
        for header, owner in THIRD_PARTY.items():
            found = name.startswith(header) if header.endswith('/') else name == header
            if found and room != owner:
                return f'{room} may not include {name}: that is for {owner}'
        return None
    target = name.split('/')[0]
    if '/' not in name:
        return f'write "{room}/{name}"' if (root / 'core' / room / name).exists() else None
    if target not in USES:
        return f'"{name}" is in no room'
    if target not in allowed(room):
        return f'{room} may not include {name}'
    return None


def core_faults(root, plugins):
    for path in sorted(root.glob('core/*/*.[ch]')):
        room, text = path.parent.name, path.read_text(encoding='utf-8')
        if room not in USES:
            yield path, 1, f'{room} is no room that tests/layers.py knows'
            continue
        lines = text.count('\n')
        if lines > LONGEST:
            yield path, lines, f'{lines} lines, {LONGEST} at most'
        for n, quoted, name in includes(text):
            fault = core_include(root, room, quoted, name)
            if fault:
                yield path, n, fault
        code = code_of(text)
        guard = path == root / GUARD
        for m in () if guard or path == root / SUPERVISE else FORKS.finditer(code):
            yield path, line_of(code, m.start()), 'fork() hangs some libraries: posix_spawn()'
        if room == 'cli':
            for m in () if path == root / PRINT else BYPASSES.finditer(code):
                yield path, line_of(code, m.start()), f'cli prints through print.h: {m[0].split("(")[0].strip()}'
            continue
        for m in SPEAKS.finditer(code):
            yield path, line_of(code, m.start()), f'only cli prints: {m[0].strip("( ")}'
        for m in () if guard else ENDS.finditer(code):
            yield path, line_of(code, m.start()), f'only cli ends the process: {m[0].strip("( ")}'
        for n, literal in literals(text):
            if literal in plugins and literal not in OWN_WORDS and path != root / DEFAULTS:
                yield path, n, f'core knows the plugin "{literal}" by name'


def link_faults(root):
    """What a room's meson.build links, where it says so as ROOM_uses = [...]."""
    for path in sorted(root.glob('core/*/meson.build')):
        room, text = path.parent.name, path.read_text(encoding='utf-8')
        m = re.search(rf'^{room}_uses\s*=\s*\[([^]]*)\]', text, re.M)
        if not m or room not in USES:
            continue
        may = allowed(room)
        for dep in re.findall(r'(\w+)_dep\b', m[1]):
            if dep in USES and dep not in may:
                yield path, line_of(text, m.start()), f'{room} may not link {dep}'


def plugin_names(root):
    """A file of plugins/KIND that has the entry is a plugin, and so is a folder of one."""
    for path in root.glob('plugins/*/*.c'):
        if 'bioft_plugin_entry' in code_of(path.read_text(encoding='utf-8')):
            yield path.stem
    for path in root.glob('plugins/*/*/*.c'):
        if 'bioft_plugin_entry' in code_of(path.read_text(encoding='utf-8')):
            yield path.parent.name


def outside_faults(root):
    """Plugins and examples: <bioft/...>, what the machine has, and their own kind's folder."""
    for path in sorted([*root.glob('plugins/**/*.[ch]'), *root.glob('examples/**/*.[ch]')]):
        home = root.joinpath(*path.relative_to(root).parts[:2])
        for n, quoted, name in includes(path.read_text(encoding='utf-8')):
            if not quoted:
                if name.startswith('core/') or (root / 'core' / name).is_file():
                    yield path, n, f'a plugin includes <bioft/...>, never core: {name}'
                continue
            target = (path.parent / name.replace('.pb-c.h', '.proto')).resolve()    # protoc-c compiles it
            if name.startswith('bioft/'):
                yield path, n, f'write <{name}>'
            elif home.resolve() not in target.parents or not target.is_file():
                yield path, n, f'a plugin includes <bioft/...> and files beside it only: "{name}"'


def public_faults(root):
    for path in sorted(root.glob('include/**/*.h')):
        may = PUBLIC_MAY | PUBLIC_ALSO.get(path.name, set())
        for n, quoted, name in includes(path.read_text(encoding='utf-8')):
            if quoted or not (name in may or name.startswith('bioft/')):
                yield path, n, (f'a public header includes <bioft/...> and '
                                f'{" ".join(sorted(may))} only: {name}')


def faults(root):
    plugins = set(plugin_names(root))
    for path, n, what in [*core_faults(root, plugins), *link_faults(root), *outside_faults(root),
                          *public_faults(root)]:
        yield f'{path.relative_to(root)}:{n}: {what}'


def self_test():
    clean = {
        'include/bioft/plugin.h': '#include <stddef.h>\n',
        'include/bioft/util.h': '#include <bioft/plugin.h>\n#include <stdio.h>\n',
        'core/base/text.h': '#include <bioft/plugin.h>\n',
        'core/base/text.c': '#include "base/text.h"\n/* exit(1);\n#include "cli/x.h" */\n',
        'core/base/meson.build': 'base_uses = [m_dep, crypto_dep]\n',
        'core/formats/png.c': '#include <png.h>\n#include "base/text.h"\n',
        'core/rules/feedback.h': '',
        'core/train/stage.h': '#include <bioft/rule.h>\n#include "engine/engine.h"\n',
        'core/attack/victim.c': '#include "rules/feedback.h"\ns = "a usf of \\"usf\\"";\n',
        'core/attack/meson.build': 'attack_uses = [base_dep, rules_dep]\n',
        DEFAULTS: '#define DEFAULT_RULE "usf"\n',
        'core/report/long.c': '\n' * LONGEST,
        'core/cli/main.c': '#include "train/stage.h"\nint main(void) { print("usf"); exit(0); }\n',
        PRINT: 'fwrite(text, 1, plain, stdout); fprintf(to, "usf");\n',
        'core/data/own.c': 'const char *s = "none", *t = "steps", *u = "openblas.h"; /* "usf" */\n',
        'plugins/learning_rules/usf.c': '#include <math.h>\n#include "h.h"\nbioft_plugin_entry\n',
        'plugins/learning_rules/none.c': 'bioft_plugin_entry\n',
        'plugins/learning_rules/h.h': '#include <bioft/rule.h>\n',
        'plugins/learning_rules/steps.c': '/* bioft_plugin_entry is elsewhere: no plugin */\n',
        'plugins/engines/openblas/engine.c': '#include "gemm.h"\nbioft_plugin_entry\n',
        'plugins/engines/openblas/gemm.h': '',
        'examples/learning_rules/kp.c': '#include <bioft/rule.h>\n',
    }
    # One file more, or another in its place, and what must be said of it.
    rule, example = 'plugins/learning_rules/a.c', 'examples/learning_rules/a.c'
    wrong = [
        ('core/base/a.c', '\n#include "formats/npy.h"\n',
         'core/base/a.c:2: base may not include formats/npy.h'),
        ('core/eval/a.c', '  #  include "cli/run.h"\n',
         'core/eval/a.c:1: eval may not include cli/run.h'),
        ('core/attack/a.c', '#include "train/stage.h"\n',
         'core/attack/a.c:1: attack may not include train/stage.h'),
        ('core/codes/a.h', '#include "train/stage.h"\n', 'codes may not include train/'),
        ('core/engine/a.c', '#include "rules/feedback.h"\n',
         'core/engine/a.c:1: engine may not include rules/feedback.h'),
        ('core/cli/a.c', '#include <png.h>\n', 'cli may not include png.h: that is for formats'),
        ('core/report/a.c', '#include "attack/attack.h"\n', 'report may not include attack/'),
        ('core/base/a.c', '#include "text.h"\n', 'write "base/text.h"'),
        ('core/base/a.c', '#include <base/text.h>\n', 'write "base/text.h"'),
        ('core/base/a.c', '#include "../base/text.h"\n', '"../base/text.h" is in no room'),
        ('core/base/a.c', '#include <bioft/rule.h>\n', 'base may include of the contract only'),
        ('core/eval/a.c', '#include <png.h>\n', 'eval may not include png.h: that is for formats'),
        ('core/eval/a.c', '#include <openssl/evp.h>\n', 'that is for base'),
        ('core/util/a.c', '', 'util is no room'),
        ('core/base/a.c', '\n' * (LONGEST + 1), f'{LONGEST + 1} lines, {LONGEST} at most'),
        ('core/base/a.c', 'void f(void) { printf("x"); }\n', 'a.c:1: only cli prints: printf'),
        ('core/base/a.c', '"a"\nfprintf(stderr, "x");\n', 'a.c:2: only cli prints: stderr'),
        ('core/base/a.c', 'exit(1);\n', 'only cli ends the process: exit'),
        ('core/cli/a.c', 'fprintf(to, "x");\n', 'core/cli/a.c:1: cli prints through print.h: fprintf'),
        ('core/cli/a.c', '\nfputs(t.data,\n  stderr);\n', 'core/cli/a.c:2: cli prints through print.h: fputs'),
        ('core/cli/a.c', 'if (fork() == 0)\n', 'core/cli/a.c:1: fork() hangs'),
        ('core/train/a.c', '/* " */\nif (!strcmp(rule, "usf"))\n',
         'core/train/a.c:2: core knows the plugin "usf" by name'),
        ('core/engine/a.c', 'x = "openblas";\n', 'core knows the plugin "openblas" by name'),
        ('core/attack/meson.build', '\nattack_uses = [base_dep,\n  eval_dep]\n',
         'core/attack/meson.build:2: attack may not link eval'),
        (rule, '#include "../../core/base/text.h"\n', 'files beside it only'),
        (rule, '#include "base/text.h"\n', 'files beside it only'),
        (rule, '#include "../engines/openblas/gemm.h"\n', 'files beside it only'),
        (rule, '#include <base/text.h>\n', f'{rule}:1: a plugin includes <bioft/...>, never core'),
        (rule, '#include "bioft/rule.h"\n', 'write <bioft/rule.h>'),
        (example, '#include "base/text.h"\n', f'{example}:1: a plugin includes'),
        ('include/bioft/loss.h', '#include <stdio.h>\n', 'loss.h:1: a public header'),
        ('include/bioft/util.h', '#include "plugin.h"\n', 'util.h:1: a public header'),
    ]
    bad = []
    for path, text, want in [(None, '', ''), *wrong]:
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, content in {**clean, **({path: text} if path else {})}.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content, encoding='utf-8')
            found = list(faults(root))
            if not (len(found) == 1 and want in found[0] if path else not found):
                bad.append(f'{path or "a clean tree"}: wanted {want or "nothing"!r}, found {found}')
    return bad


def main():
    if len(sys.argv) != 2:
        sys.exit('usage: layers.py ROOT | --self-test')
    found = self_test() if sys.argv[1] == '--self-test' else list(faults(pathlib.Path(sys.argv[1])))
    print('\n'.join(found) or 'layers: fine')
    sys.exit(bool(found))


if __name__ == '__main__':
    main()
