"""Opens a page of `gdstar report` in headless Chromium, as a reader would, and clicks through it.

    python tests/experiments/report/browser.py report.html [--shots DIR]

At 1280 and 400 pixels, in light and in dark: nothing is asked for, nothing is complained of, nothing is wider than the window,
every table sorts both ways, every number leads to its run, the theme changes, figures are saved, words can be read. Exit
status 0: all of this holds; 1: something does not, and is named; 77: skipped, for there is no browser here.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

SKIPPED = 77

# Contrast of a colour against another by WCAG 2: 1 (none) to 21.
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = rgb(c).map((x) => { x /= 255; return x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  const ratio = (colour) => { const own = light(colour); return (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05); };
  const lowest = {};
  for (const element of document.querySelectorAll("p, li, a, td, th, summary, h1, h2, figcaption, code, .soft, .paper, svg text")) {
    if (element.closest("svg") && element.tagName !== "text") continue;
    const style = getComputedStyle(element);
    const colour = element.closest("svg") ? style.fill : style.color;
    lowest[colour] = ratio(colour);
  }
  return lowest;
}"""


class Reader:
    def __init__(self):
        self.wrong = []

    def expect(self, holds, promise):
        if not holds:
            self.wrong.append(promise)


def find_browser():
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    return next(filter(None, map(shutil.which, names)), None)


def column(table, place):
    cells = table.locator(f"tbody tr > :nth-child({place + 1})")
    return cells.evaluate_all("cells => cells.map(c => c.dataset.value ?? (c.classList.contains('empty') ? null : c.textContent.trim()))")


def is_sorted(values, downwards):
    there = [value for value in values if value is not None]
    if values[: len(there)] != there:
        return False  # what is empty comes last
    try:
        there = [float(value) for value in there]
    except ValueError:
        return True  # by the alphabet of the browser's own
    return there == sorted(there, reverse=downwards)


def check_tables(page, reader):
    for table in page.locator(".table table").all():
        heads = table.locator("thead th")
        if table.locator("tbody tr").count() < 2:
            continue
        for place in range(heads.count()):
            button = heads.nth(place).locator("button")
            for downwards in (True, False):
                button.click()
                reader.expect(is_sorted(column(table, place), downwards), f"column {place} sorts, downwards: {downwards}")
            way = heads.nth(place).get_attribute("aria-sort")
            reader.expect(way == "ascending", f"column {place} says how it is sorted: {way}")


def check_links(page, reader):
    dead = page.evaluate("() => [...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1)).filter(id => !document.getElementById(id))")
    reader.expect(not dead, f"every link within the page leads somewhere: {dead[:3]}")
    outside = page.evaluate("() => [...document.querySelectorAll('[href], [src]')].map(e => e.getAttribute('href') ?? e.getAttribute('src')).filter(to => !/^(#|data:)/.test(to))")
    reader.expect(not outside, f"no link leads out of the page: {outside[:3]}")
    cell = page.locator("td details").first
    if cell.count():
        cell.locator("summary").click()
        cell.locator("a").first.click()
        reader.expect(page.locator(".run li:target").count() == 1, "a seed's number leads to its run")
        cell.locator("summary").click()


def check_figures(page, reader):
    for figure in page.locator(".drawn").all():
        name = figure.get_attribute("data-file")
        reader.expect(figure.locator("svg").get_attribute("aria-label"), f"{name} is told in words")
        with page.expect_download() as saved:
            figure.get_by_role("button", name="SVG").click()
        text = Path(saved.value.path()).read_text()
        reader.expect(text.startswith("<svg") and "<style" in text, f"{name} is saved with its colours")
        height = figure.locator("svg text").first.evaluate("text => text.getBoundingClientRect().height")
        reader.expect(height >= 9, f"{name}'s words are {height:.1f} pixels high")


def check_page(page, width, dark, reader, shots):
    theme = "dark" if dark else "light"
    overflow = page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth")
    reader.expect(overflow <= 0, f"the page is {overflow} pixels wider than its window")
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{width}-{theme}.png", full_page=True)
    for details in page.locator("section > details, .how").all():
        if details.get_attribute("open") is None:
            details.locator("summary").first.click()
    if shots:
        page.screenshot(path=shots / f"{width}-{theme}-open.png", full_page=True)
    faint = {colour: ratio for colour, ratio in page.evaluate(CONTRAST).items() if ratio < 4.5}
    reader.expect(not faint, f"words stand out from their ground: {faint}")
    check_tables(page, reader)
    check_links(page, reader)
    check_figures(page, reader)
    before = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    after = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    reader.expect(before != after, "the button changes between light and dark")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("page", type=Path, nargs="?", help="without it, only whether there is a browser")
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
    size = args.page.stat().st_size
    wrong = [] if size <= 1_000_000 else [f"the page has {size} bytes"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        for width in (1280, 400):
            for dark in (False, True):
                reader = Reader()
                scheme = "dark" if dark else "light"
                context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
                page = context.new_page()
                asked = []
                page.on("request", lambda request, asked=asked: asked.append(request.url))
                page.on("console", lambda line, reader=reader: reader.expect(line.type not in ("error", "warning"), f"console: {line.text}"))
                page.on("pageerror", lambda error, reader=reader: reader.expect(False, f"script: {error}"))
                page.goto(args.page.resolve().as_uri())
                check_page(page, width, dark, reader, args.shots)
                outside = [url for url in asked[1:] if not re.match(r"(data|blob):", url)]
                reader.expect(not outside, f"nothing is asked for: {outside}")
                wrong += [f"{width} pixels, {scheme}: {promise}" for promise in reader.wrong]
                context.close()
        # Without a script, and on paper.
        context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 900})
        page = context.new_page()
        page.goto(args.page.resolve().as_uri())
        if page.locator("main table, main svg").count() == 0 or page.locator("#theme").is_visible():
            wrong.append("without a script: tables and figures are there, and no button that does nothing")
        if args.shots:
            page.pdf(path=args.shots / "print.pdf", format="A4")
        browser.close()
    for promise in wrong:
        print(promise)
    print(f"{args.page}: " + (f"{len(wrong)} wrong" if wrong else "opens, sorts, leads, changes, saves, and asks for nothing"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
