"""Reads the page in headless Chromium as a reader would, and holds every number on it against the command's.

    python docs/walkthrough/check.py PAGE --gdstar GDSTAR [--axe axe.min.js] [--shots DIR]

GDSTAR trains the same runs and traces them; what the page says of an epoch is compared bit for bit. At 400, 1280 and 1600
pixels, light and dark: nothing is asked for, nothing is complained of, nothing is wider than the window, axe-core finds
nothing, the keyboard does everything; and without a script the page is a text with figures. Exit status 0: all of this
holds; 1: something does not, and is named; 77: skipped, for there is no browser here. Without --axe its part is left out, and
said to be.
"""

import argparse
import json
import math
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

SKIPPED = 77
EPOCHS = 60
PARAMETERS = ["fc1.weight", "fc2.weight", "fc3.weight"]
# Epochs in which something happens: the first, k* moving after a long stay, around it, tau = 0, the last.
LOOKED_AT = [0, 1, 12, 22, 23, 24, 44, 59]
FOLLOWED = 253 * 64 + 52
LONGEST_TRAINING = 240_000  # milliseconds
OTHER = {"lambda": "0.5", "eps": "0.001", "chunks": "4", "masked_gradient": "excluded", "decay_step": "epoch"}


class Reader:
    def __init__(self):
        self.wrong = []

    def expect(self, holds, promise):
        if not holds:
            self.wrong.append(promise)


class Traced:
    """A run of the command: its trace, and the accuracies of its metrics."""

    def __init__(self, gdstar, folder, options):
        run, trace = folder / "run", folder / "trace.safetensors"
        common = ["train", "--model", "lenet300", "--data", "digits", "--kernel", "literal", "--execution", "dense", "--epochs", str(EPOCHS)]
        subprocess.run([gdstar, *common, "--out", run, "--trace", trace, "--every", "0", *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        data = trace.read_bytes()
        (length,) = struct.unpack_from("<Q", data)
        self.header, self.body = json.loads(data[8 : 8 + length]), memoryview(data)[8 + length :]
        records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        self.accuracy = {record["epoch"]: record["test_accuracy"] for record in records if "test_accuracy" in record}

    def values(self, name):
        entry = self.header[name]
        begin, end = entry["data_offsets"]
        return self.body[begin:end].cast({"F32": "f", "F64": "d", "I64": "q", "U8": "B"}[entry["dtype"]])

    def number(self, k, quantity):
        return self.values(f"epoch/{k}/{quantity}")[0]

    def flat(self, k, quantity):
        return [x for parameter in PARAMETERS for x in self.values(f"epoch/{k}/{quantity}/{parameter}")]

    def facts(self, k):
        """What the page says of epoch k, by name."""
        g, selected, after = self.flat(k, "G"), self.flat(k, "selected"), self.flat(k, "mask")
        before = self.flat(k - 1, "mask") if k else [1] * len(g)
        n, hyper = len(g), json.loads(self.header["__metadata__"]["gdstar"])["hyper"]
        fates = list(zip(before, selected, after))
        t = self.number(k, "t")
        return {
            "k": k,
            "K": EPOCHS,
            "N": n,
            "S_abs": self.number(k, "S_abs"),
            "S_sq": self.number(k, "S_sq"),
            "S_F": self.number(k, "S_F"),
            "m_before": self.number(k, "min_before"),
            "k_star": self.number(k, "k_star"),
            "alpha": self.number(k, "alpha"),
            "tau": self.number(k, "tau"),
            "t": t,
            "alpha_0": hyper["alpha_0"],
            "alpha_K": hyper["alpha_K"],
            "lambda": hyper["lambda"],
            "eps": hyper["eps"],
            "C": hyper["chunks"],
            # Rounded once from the exact power of the decimal's double.
            "lambda_t": float(Fraction(hyper["lambda"]) ** t),
            "zeros": sum(x == 0 for x in g),
            "zeros_share": sum(x == 0 for x in g) / n,
            "selected": sum(selected),
            "selected_share": sum(selected) / n,
            "spared": sum(b and not s and a for b, s, a in fates),
            "rewound": sum(b and s and a for b, s, a in fates),
            "eliminated": sum(b and not a for b, s, a in fates),
            "gone": sum(not b for b, s, a in fates),
            "sparsity": (n - sum(after)) / n,
            "accuracy": self.accuracy[k],
        }

    def weight(self, k, j):
        was_alive = self.flat(k - 1, "mask")[j] if k else 1
        return {
            "g": self.flat(k, "G")[j],
            "before": self.flat(k, "weights_before")[j],
            "after": self.flat(k, "weights_after")[j],
            "w_star": self.flat(k, "rewind")[j],
            "selected": self.flat(k, "selected")[j],
            "was_alive": was_alive,
            "is_alive": self.flat(k, "mask")[j],
        }


def find_browser():
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next(filter(None, map(shutil.which, names)), None)


def same(said, is_so):
    return math.isinf(is_so) if said == "inf" else float(said) == float(is_so)


def shows(text, exact):
    """Whether what a reader sees is the number, rounded to the digits that are there."""
    found = re.fullmatch(r"(-?[\d,]+(?:\.(\d+))?)(?:e(-?\d+))?( %)?", text)
    if found is None:
        return exact == "inf" and text == "inf"
    digits, fraction, power, percent = found.groups()
    value = Fraction(exact if "." not in exact or "e" in exact else exact) * (100 if percent else 1)
    unit = Fraction(10) ** (int(power or 0) - len(fraction or ""))
    shown = Fraction(digits.replace(",", "")) * Fraction(10) ** int(power or 0)
    # Half a unit of the last digit, and what the percentage's own product rounds.
    return abs(shown - value) <= unit / 2 * (1 + Fraction(1, 10**9))


def read(page, kind):
    """Every number of this kind on the page: name, exact value, text."""
    return page.locator(f"data[data-{kind}]").evaluate_all(f"all => all.map(d => [d.dataset.{kind}, d.getAttribute('value'), d.textContent])")


def compare(page, reader, kind, expected, where):
    found = read(page, kind)
    for name, exact, text in found:
        if name in expected:
            reader.expect(same(exact, expected[name]), f"{where}: {name} is {exact}, the command's {expected[name]!r}")
            reader.expect(shows(text, exact), f"{where}: {name} = {exact} is shown as {text}")
    reader.expect(len(found) > 5, f"{where}: numbers of the kind {kind} are on the page")


def wait_trained(page):
    page.wait_for_function(f"() => document.documentElement.dataset.trained === '{EPOCHS}'", timeout=LONGEST_TRAINING)


def go(page, k):
    """By the keyboard: the slider's own keys."""
    page.locator("#epoch").focus()
    now = int(page.locator("#epoch").input_value())
    for _ in range(abs(k - now)):
        page.keyboard.press("ArrowRight" if k > now else "ArrowLeft")
    page.wait_for_function(f"() => document.documentElement.dataset.shown.startsWith('{k} ') && document.getElementById('which').textContent === '{k}'")
    page.wait_for_timeout(150)


def check_epochs(page, reader, traced, epochs):
    for k in epochs:
        go(page, k)
        compare(page, reader, "of", traced.facts(k), f"epoch {k}")
        compare(page, reader, "weight", traced.weight(k, FOLLOWED), f"epoch {k}, the weight")
        shown = {name: text for name, _, text in read(page, "of")}
        for figure, names in ((1, ["S_F", "k_star"]), (2, ["tau"])):
            told = page.locator(f'[data-figure="{figure}"] svg').get_attribute("aria-label")
            for name in names:
                reader.expect(f" {shown[name]}" in told, f"epoch {k}: figure {figure} tells {name} = {shown[name]}: {told}")
        rows = page.locator("#around tbody tr").evaluate_all("rows => rows.map(r => [r.querySelector('th').textContent, ...[...r.querySelectorAll('data')].map(d => d.value)])")
        for e, *cells in rows:
            facts = traced.facts(int(e)) if abs(int(e) - k) <= 1 else None
            for name, said in zip(["S_F", "k_star", "t", "lambda_t", "tau", "eliminated", "sparsity"], cells) if facts else []:
                reader.expect(same(said, facts[name]), f"epoch {k}, the table's {name} of {e} is {said}, the command's {facts[name]!r}")


def choose(page, name, value):
    control = page.locator(f"#set-{name}")
    if control.evaluate("c => c.tagName") == "SELECT":
        control.select_option(value)
    else:
        power = {"eps": 10, "chunks": 2}.get(name)
        control.evaluate("(c, x) => { c.value = x; c.dispatchEvent(new Event('input')); }", str(math.log(float(value), power)) if power else value)
        page.wait_for_function(f"() => document.getElementById('value-{name}').textContent === '{value}'")


def check_settings(page, reader, other):
    """The end of epoch 0 with other settings is that of a run that has them from the start; then the whole run is."""
    go(page, 0)
    for name, value in OTHER.items():
        choose(page, name, value)
    page.wait_for_timeout(300)
    compare(page, reader, "again", other.facts(0), "epoch 0 with other settings")
    reader.expect(page.locator("#changed").inner_text() != "", "how many weights change is said")
    page.locator("#again").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => !document.documentElement.dataset.trained || document.getElementById('progress').value < 60")
    page.evaluate("() => delete document.documentElement.dataset.trained")
    wait_trained(page)
    check_epochs(page, reader, other, [0, 23, EPOCHS - 1])


def check_keyboard(page, reader):
    go(page, 23)
    for predict in page.locator(".predict").all():
        option = predict.locator("input").first
        option.focus()
        page.keyboard.press("Space")
        predict.locator("summary").focus()
        page.keyboard.press("Enter")
        predict.locator(".verdict:not(:empty)").wait_for(timeout=3000)
    page.locator("#map").focus()
    page.keyboard.press("ArrowRight")
    page.locator("#pointed:not(:empty)").wait_for(timeout=3000)
    reader.expect("fc1[253,53]" in page.locator("#pointed").inner_text(), "an arrow key goes to the next weight")
    page.locator("#place").fill("fc1[253,52]")
    page.locator("#place").press("Enter")
    page.wait_for_function(f"() => document.documentElement.dataset.shown === '23 {FOLLOWED}'")
    page.locator("#place").fill("fc9[0,0]")
    page.locator("#place").press("Enter")
    reader.expect("No such weight" in page.locator("#placed").inner_text(), "a weight that is not there is said not to be")
    page.locator("#place").fill("fc1[253,52]")
    page.locator("#place").press("Enter")
    page.wait_for_timeout(300)


def check_form(page, reader, axe, shots, width, scheme):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.wait_for_timeout(300)
    where = f"{width} pixels, {scheme}"
    overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    reader.expect(overflow <= 0, f"{where}: the page is {overflow} pixels wider than its window")
    small = page.evaluate("() => [...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height).filter(h => h > 0 && h < 9).length")
    reader.expect(small == 0, f"{where}: {small} words of figures are less than 9 pixels high")
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{width}-{scheme}.png", full_page=True)
    if axe:
        found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(v => `${v.id}: ${v.help} at ${v.nodes.map(n => n.target.join(' ')).slice(0, 3).join('; ')} ${v.nodes[0].failureSummary}`)")
        reader.expect(not found, f"{where}: axe-core finds {found}")


def check_forms(page, reader, axe, shots):
    """With every answer open, in six forms."""
    for details in page.locator("details").all():
        details.evaluate("d => { d.open = true; }")
    if axe:
        page.add_script_tag(content=axe)
    for width in (400, 1600, 1280):
        for scheme in ("dark", "light"):
            check_form(page, reader, axe, shots, width, scheme)


def visit(browser, args, axe, traced, other):
    reader = Reader()
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light", reduced_motion="reduce")
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda line: reader.expect(line.type not in ("error", "warning"), f"console: {line.text}"))
    page.on("pageerror", lambda error: reader.expect(False, f"script: {error}"))
    page.goto(args.page.resolve().as_uri())
    wait_trained(page)
    check_keyboard(page, reader)
    check_epochs(page, reader, traced, LOOKED_AT)
    go(page, 23)
    check_forms(page, reader, axe, args.shots)
    check_settings(page, reader, other)
    outside = [url for url in asked[1:] if not re.match(r"(data|blob):", url)]
    reader.expect(not outside, f"nothing is asked for: {outside}")
    context.close()
    return reader.wrong


def check_without_script(browser, args, wrong, traced):
    reader = Reader()
    context = browser.new_context(java_script_enabled=False, viewport={"width": 800, "height": 900})
    page = context.new_page()
    page.goto(args.page.resolve().as_uri())
    reader.expect(page.locator("main figure svg:visible").count() == 4, "without a script four figures are there")
    reader.expect(page.locator("button:visible, input:visible, select:visible, canvas:visible").count() == 0, "without a script nothing is there that does nothing")
    if args.shots:
        args.shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=args.shots / "still.png", full_page=True)
    context.close()
    # The same text, read by a script that the page does not know of.
    for kind, expected in (("of", traced.facts(23)), ("weight", traced.weight(23, FOLLOWED))):
        found = re.findall(rf'<data data-{kind}="(\w+)"[^>]*value="([^"]*)">([^<]*)</data>', args.page.read_text())
        reader.expect(len(found) > 5, f"numbers of the kind {kind} are in the text")
        for name, exact, text in found:
            if name in expected:
                reader.expect(same(exact, expected[name]), f"{name} is {exact}, the command's {expected[name]!r}")
                reader.expect(shows(text, exact), f"{name} = {exact} is shown as {text}")
    wrong += [f"without a script: {promise}" for promise in reader.wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("page", type=Path, nargs="?", help="without it, only whether there is a browser")
    parser.add_argument("--gdstar", type=Path, help="the command")
    parser.add_argument("--axe", type=Path, help="axe-core, as one file")
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the page")
    args = parser.parse_args()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        print("skipped: playwright is not installed")
        return SKIPPED
    executable = find_browser()
    if executable is None:
        print("skipped: there is no Chromium")
        return SKIPPED
    if args.page is None:
        return 0
    axe = args.axe.read_text() if args.axe else None
    if axe is None:
        print("axe-core is not here: what it would find is not looked for")
    wrong = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        (Path(folder) / "paper").mkdir()
        (Path(folder) / "other").mkdir()
        traced = Traced(args.gdstar, Path(folder) / "paper", [])
        options = [word for name, value in OTHER.items() for word in (f"--{name.replace('_', '-')}", value)]
        other = Traced(args.gdstar, Path(folder) / "other", options)
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        check_without_script(browser, args, wrong, traced)
        wrong += visit(browser, args, axe, traced, other)
        browser.close()
    for promise in wrong:
        print(promise)
    print(f"{args.page}: " + (f"{len(wrong)} wrong" if wrong else "every number is the command's, and it asks for nothing"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
