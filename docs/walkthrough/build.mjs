// Makes the page: one HTML file that asks for nothing.
//
//     node docs/walkthrough/build.mjs [--out FILE] [--wasm FILE]
//
// Compiles the crate beside it to WebAssembly (unless a module is given), has it train the run once, here, and puts its numbers and figures into the
// text, so that the page can be read without a script; packs the module into the page, so that with one it trains again.

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pack } from "./pack.mjs";

const MOST_PACKED = 400_000;
// The epoch that is seen without a script: the last before k* moves, in which the followed weight is eliminated.
const SHOWN = 23;
const FOLLOWED = 253 * 64 + 52;

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const target = join(root, "target");
const option = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at > 0 ? process.argv[at + 1] : otherwise;
};
const out = option("--out", join(target, "walkthrough.html"));

function compiled() {
  const wasm = "wasm32-unknown-unknown";
  const crate = ["--manifest-path", join(here, "Cargo.toml"), "--target", wasm, "--target-dir", target];
  execFileSync("cargo", ["build", "--locked", "--release", ...crate], { stdio: "inherit" });
  return join(target, wasm, "release", "gdstar_walkthrough.wasm");
}

const bytes = readFileSync(option("--wasm") ?? compiled());
const packed = pack(bytes);
console.log(`${bytes.length} bytes of WebAssembly, ${packed.length} packed`);
if (packed.length > MOST_PACKED) throw new Error(`the module takes more than ${MOST_PACKED} bytes`);

const module = new WebAssembly.Module(bytes);
const asked = WebAssembly.Module.imports(module);
if (asked.length > 0) throw new Error(`the module asks its host for ${JSON.stringify(asked[0])}`);
const crate = new WebAssembly.Instance(module).exports;
const given = (length) => new TextDecoder().decode(new Uint8Array(crate.memory.buffer, crate.given(), length));
function ask(name, ...numbers) {
  const length = crate[name](...numbers);
  if (length < 0) throw new Error(given(-1 - length) || "there is no run");
  return given(length);
}

ask("begin");
for (let more = 1; more === 1; ) {
  more = crate.train();
  if (more < 0) throw new Error(given(-1 - more));
}

const parse = (lines) =>
  Object.fromEntries(lines.split("\n").map((line) => line.split("\t")).map(([name, exact, shown]) => [name, { exact, shown }]));
const facts = parse(ask("facts", SHOWN));
const weight = parse(ask("weight", SHOWN, FOLLOWED));
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const put = (fact) => ` value="${fact.exact}">${escaped(fact.shown)}</data>`;
const conditions = { ...facts, many: { exact: String(Number(Number(facts.C.exact) > 1)) }, stopped: { exact: String(Number(Number(facts.tau.exact) === 0)) } };

function around() {
  const rows = [];
  for (let k = SHOWN - 4; k <= SHOWN + 4; k += 1) {
    const f = parse(ask("facts", k));
    const cell = (name, kind = "") => `<td${kind}><data value="${f[name].exact}">${f[name].shown}</data></td>`;
    const moved = f.moved.exact === "1" ? ' class="moved"' : "";
    rows.push(`<tr${k === SHOWN ? ' class="now" aria-current="true"' : ""}><th scope="row">${k}</th>${cell("S_F")}${cell("k_star", moved)}${cell("t")}${cell("lambda_t")}${cell("tau")}${cell("eliminated")}${cell("sparsity")}</tr>`);
  }
  return rows.join("\n");
}

const part = (name) => readFileSync(join(here, "page", name), "utf8");
const attribution = /ATTRIBUTION: &str = "([^;]*)";/.exec(readFileSync(join(root, "src/data/digits.rs"), "utf8"))[1];
const parts = {
  life: () => escaped(ask("life", FOLLOWED)),
  around,
  attribution: () => escaped(attribution.replace(/\\\s+/g, "")),
  wasm: () => packed.toString("base64"),
};
const page = part("index.html")
  .replace(/\{\{figure (\d+)\}\}/g, (_, which) => ask("figure", Number(which), SHOWN, FOLLOWED))
  .replace(/\{\{([\w.]+)\}\}/g, (_, name) => (parts[name] ?? (() => part(name).trimEnd()))())
  .replace(/ data-of="(\w+)"([^>]*)><\/data>/g, (all, name, more) => ` data-of="${name}"${more}${put(facts[name])}`)
  .replace(/ data-weight="(\w+)"([^>]*)><\/data>/g, (all, name, more) => ` data-weight="${name}"${more}${put(weight[name])}`)
  .replace(/ data-if="([\w.]+)=(\d)"/g, (all, name, value) => {
    const found = name.startsWith("w.") ? weight[name.slice(2)] : conditions[name];
    return all + (found.exact === value ? "" : " hidden");
  });
mkdirSync(dirname(out), { recursive: true });
writeFileSync(out, page);
console.log(`${out}: ${page.length} bytes`);
