// The page's half that shows: it asks the crate, in its worker, and puts what it answers into the text. It computes nothing.
"use strict";

(() => {
  const at = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const LAYER = { units: 300, side: 8, across: 20 };
  const FATES = ["spared", "selected", "eliminated", "gone"];
  const NAMES = {
    alpha_0: ["α<sub>0</sub>", "the share that is selected at the start"],
    alpha_K: ["α<sub>K</sub>", "the share at the end"],
    lambda: ["λ", "what is left of a selected weight, an epoch since k*"],
    eps: ["ε", "below it a selected weight is eliminated"],
    chunks: ["C", "chunks, each with a quantile of its own; τ is their mean"],
    quantile: ["The quantile", "between two values of G (open point 3)"],
    chunking: ["Chunks", "where C does not divide N (4)"],
    masked_gradient: ["G of an eliminated weight", "computed all the same, 0, or left out of the quantile (7)"],
    decay_step: ["The step t", "what λ is raised to (10)"],
    threshold: ["ε eliminates", "selected weights alone, or all below it (11)"],
    rewind_update: ["W<sub>k*</sub> is captured", "before or after the epoch's own pruning (8); train again to see"],
    rewind_copy: ["W<sub>k*</sub> is", "a copy, or the weights themselves, so that the decay compounds (9); train again to see"],
    momentum_on_prune: ["Momentum of a pruned weight", "(13); train again to see"],
    gradient: ["The gradient in G", "of the loss, or with weight decay (14); train again to see"],
  };
  // A slider's ends; eps and C go by powers.
  const SLIDERS = {
    alpha_0: { min: 0.05, max: 0.99, step: 0.01 },
    alpha_K: { min: 0.05, max: 0.99, step: 0.01 },
    lambda: { min: 0.05, max: 1, step: 0.01 },
    eps: { min: -7, max: -1, step: 0.01, power: 10 },
    chunks: { min: 0, max: 10, step: 1, power: 2 },
  };

  let worker = null;
  const waiting = new Map();
  let asked = 0;
  const state = { k: 23, j: 0, trained: 0, epochs: 60, follows: true, run: 0, facts: new Map(), settings: [], paper: [] };

  // ---- asking ----
  function call(message) {
    return new Promise((resolve, reject) => {
      const id = (asked += 1);
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, ...message });
    });
  }
  const ask = (name, numbers = [], kind = "text") => call({ name, numbers, kind });

  // Lines of name, exact number and what is shown.
  function parse(lines) {
    return Object.fromEntries(lines.split("\n").map((line) => {
      const [name, exact, shown] = line.split("\t");
      return [name, { exact, shown }];
    }));
  }

  async function factsOf(k) {
    if (!state.facts.has(k)) state.facts.set(k, parse(await ask("facts", [k])));
    return state.facts.get(k);
  }

  // ---- showing ----
  function put(element, fact) {
    element.value = fact?.exact ?? "";
    element.textContent = fact?.shown ?? "";
  }

  function conditions(facts, weight) {
    const holds = (name) => name.startsWith("w.") ? weight[name.slice(2)]?.exact
      : name === "stopped" ? String(Number(Number(facts.tau.exact) === 0))
      : name === "many" ? String(Number(Number(facts.C.exact) > 1)) : facts[name]?.exact;
    for (const element of all("[data-if]")) {
      const [name, value] = element.dataset.if.split("=");
      element.hidden = holds(name) !== value;
    }
    for (const element of all("[data-has]")) element.hidden = !weight[element.dataset.has];
  }

  let showing = 0;
  // Everything of the epoch and the weight that are looked at; a later call overtakes an earlier one.
  async function show() {
    const mine = ++showing;
    const { k, j } = state;
    if (k >= state.trained) return;
    at("epoch").value = k;
    at("which").textContent = k;
    at("before").disabled = k === 0;
    at("after").disabled = k + 1 >= state.trained;
    const [facts, weight, fates, life] = await Promise.all([
      factsOf(k), ask("weight", [k, j]).then(parse), ask("fates", [k], "bytes"), ask("life", [j]),
    ]);
    const figures = await Promise.all(all("[data-figure]").map((div) => ask("figure", [Number(div.dataset.figure), k, j])));
    if (mine !== showing) return;
    for (const element of all("data[data-of]")) put(element, facts[element.dataset.of]);
    for (const element of all("data[data-weight]")) put(element, weight[element.dataset.weight]);
    all("[data-figure]").forEach((div, i) => { div.innerHTML = figures[i]; });
    conditions(facts, weight);
    at("life").textContent = life;
    if (document.activeElement !== at("place")) at("place").value = weight.name.shown;
    state.fates = fates;
    state.squares = at("shown").value === "squares" ? new Float32Array((await ask("squares", [k], "bytes")).buffer) : null;
    drawMap();
    await around(k);
    await compare();
    document.documentElement.dataset.shown = `${k} ${j}`;
  }

  async function around(k) {
    const first = Math.max(0, Math.min(k - 4, state.trained - 9));
    const rows = [];
    for (let e = first; e < Math.min(first + 9, state.trained); e += 1) {
      const f = await factsOf(e);
      const cell = (name, kind = "") => `<td${kind}><data value="${f[name].exact}">${f[name].shown}</data></td>`;
      rows.push(`<tr${e === k ? ' class="now" aria-current="true"' : ""}><th scope="row">${e}</th>${cell("S_F")}${cell("k_star", f.moved.exact === "1" ? ' class="moved"' : "")}${cell("t")}${cell("lambda_t")}${cell("tau")}${cell("eliminated")}${cell("sparsity")}</tr>`);
    }
    at("around").tBodies[0].innerHTML = rows.join("");
  }

  // ---- maps ----
  // Of a colour as the page has it now, in light or dark: red, green, blue.
  function rgb(name) {
    const probe = document.createElement("span");
    probe.style.color = `var(${name})`;
    document.body.append(probe);
    const found = getComputedStyle(probe).color.match(/[\d.]+/g).map(Number);
    probe.remove();
    return found;
  }

  // Where weight j of the first layer lies on a map: squares of 8 by 8 with a pixel between them.
  function spot(j) {
    const [unit, pixel] = [Math.floor(j / 64), j % 64];
    return [(unit % LAYER.across) * 9 + (pixel % 8), Math.floor(unit / LAYER.across) * 9 + Math.floor(pixel / 8)];
  }

  function paint(canvas, shade) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    for (let j = 0; j < LAYER.units * 64; j += 1) {
      const [x, y] = spot(j);
      const [r, g, b] = shade(j);
      image.data.set([r, g, b, 255], 4 * (y * canvas.width + x));
    }
    context.putImageData(image, 0, 0);
  }

  function drawMap() {
    const canvas = at("map");
    const fates = state.fates;
    at("legend").hidden = Boolean(state.squares);
    if (state.squares) {
      const shades = [rgb("--ground"), ...[1, 2, 3, 4, 5, 6, 7].map((i) => rgb(`--shade${i}`))];
      const largest = Math.log10(Math.max(...state.squares.subarray(0, 19200)));
      paint(canvas, (j) => {
        const g = state.squares[j];
        return shades[g === 0 ? 0 : Math.max(1, Math.min(7, Math.ceil(7 + (Math.log10(g) - largest) * 0.75)))];
      });
    } else {
      const shades = FATES.map((fate) => rgb(`--${fate}`));
      paint(canvas, (j) => shades[fates[j]]);
    }
    if (state.j < 19200) {
      const [x, y] = spot(state.j);
      const context = canvas.getContext("2d");
      context.strokeStyle = `rgb(${rgb("--ink").slice(0, 3)})`;
      context.strokeRect(x - 1.5, y - 1.5, 4, 4);
    }
    const count = (fate) => fates.subarray(0, 19200).filter((f) => f === fate).length;
    canvas.setAttribute("aria-label", `Map of the 19,200 weights of the first layer after epoch ${state.k}: ${count(0)} left alone, ${count(1)} selected and rewound, ${count(2)} eliminated now, ${count(3)} eliminated before. Arrow keys move to another weight.`);
  }

  // ---- the reader's settings ----
  function field(name, control, value) {
    const [symbol, words] = NAMES[name];
    const div = document.createElement("div");
    div.className = "field";
    div.innerHTML = `<label for="set-${name}">${symbol}</label><output for="set-${name}" id="value-${name}">${value}</output>`;
    control.id = `set-${name}`;
    control.setAttribute("aria-describedby", `words-${name}`);
    div.append(control);
    div.insertAdjacentHTML("beforeend", `<small id="words-${name}">${words}</small>`);
    return div;
  }

  async function listSettings() {
    state.settings = (await ask("settings")).split("\n").map((line) => line.split(" "));
    if (!state.paper.length) state.paper = state.settings;
    if (at("numbers").querySelector(".field")) return;
    state.settings.forEach(([name, value, ...names], place) => {
      if (!NAMES[name]) return;
      if (names.length) {
        const select = document.createElement("select");
        select.innerHTML = names.map((n) => `<option>${n}</option>`).join("");
        select.addEventListener("change", () => change(place, select.selectedIndex));
        const div = field(name, select, "");
        div.querySelector("output").remove();
        at("readings").append(div);
      } else {
        const { min, max, step, power } = SLIDERS[name];
        const input = Object.assign(document.createElement("input"), { type: "range", min, max, step });
        input.value = power ? Math.log(value) / Math.log(power) : value;
        input.addEventListener("input", () => {
          const x = Number(input.value);
          change(place, power === 10 ? Number((10 ** x).toPrecision(2)) : power ? power ** x : x);
        });
        at("numbers").append(field(name, input, value));
      }
    });
  }

  async function change(place, value) {
    at("refused").textContent = "";
    try {
      await ask("set", [place, value], "number");
      state.settings = (await ask("settings")).split("\n").map((line) => line.split(" "));
      for (const [name, now] of state.settings) if (at(`value-${name}`)) {
        at(`value-${name}`).textContent = now;
        at(`set-${name}`).setAttribute("aria-valuetext", now);
      }
      await compare();
    } catch (error) {
      at("refused").textContent = error.message;
    }
  }

  const ROWS = [["alpha", "α of the epoch"], ["tau", "τ"], ["t", "t"], ["selected", "selected"], ["spared", "left alone"], ["rewound", "rewound"], ["eliminated", "eliminated now"], ["gone", "gone before"], ["sparsity", "sparsity"]];

  async function compare() {
    const k = state.k;
    if (k >= state.trained) return;
    try {
      const [run, yours, fates] = [await factsOf(k), parse(await ask("facts_again", [k])), await ask("fates_again", [k], "bytes")];
      at("compared").tBodies[0].innerHTML = ROWS.map(([name, words]) => {
        const differs = run[name].exact !== yours[name].exact;
        return `<tr><th scope="row">${words}</th><td><data value="${run[name].exact}">${run[name].shown}</data></td><td${differs ? ' class="other"' : ""}><data data-again="${name}" value="${yours[name].exact}">${yours[name].shown}</data></td></tr>`;
      }).join("");
      at("changed").textContent = yours.changed.exact === "0" ? "No weight meets another fate." : `${yours.changed.shown} weights meet another fate in this epoch.`;
      const shades = FATES.map((fate) => rgb(`--${fate}`));
      const same = rgb("--gone");
      paint(at("difference"), (j) => (fates[j] === state.fates[j] ? same : shades[fates[j]]));
      at("difference").setAttribute("aria-label", `Map of the first layer: ${yours.changed.shown} weights of all layers meet another fate with your settings.`);
    } catch (error) {
      at("refused").textContent = error.message;
    }
  }

  // ---- doing ----
  function go(k) {
    state.k = Math.max(0, Math.min(state.trained - 1, k));
    at("epoch").value = state.k;
    // Another epoch is another question.
    for (const predict of all(".predict[data-answers]")) {
      predict.querySelector("details").open = false;
      predict.querySelector(".verdict").textContent = "";
      for (const input of all("input", predict)) input.checked = false;
    }
    return show();
  }

  function follow(j) {
    state.j = j;
    at("placed").textContent = "";
    return show();
  }

  // fc1[3,17] as a place of the flattened W: the layers' shapes are the network's.
  function placeOf(text) {
    const found = /^\s*fc([123])\[(\d+),\s*(\d+)\]\s*$/.exec(text);
    const shapes = [[300, 64], [100, 300], [10, 100]];
    if (!found) return null;
    const [layer, row, column] = found.slice(1).map(Number);
    const [rows, columns] = shapes[layer - 1];
    if (row >= rows || column >= columns) return null;
    return shapes.slice(0, layer - 1).reduce((sum, [a, b]) => sum + a * b, 0) + row * columns + column;
  }

  async function begin() {
    state.facts.clear();
    state.trained = 0;
    state.run = await call({ name: "begin" });
    state.epochs = Number(state.settings.find(([name]) => name === "epochs")[1]);
    at("epoch").max = state.epochs - 1;
    at("progress").max = state.epochs;
    at("progress").value = 0;
    at("said").textContent = "Training begins.";
  }

  async function trained({ trained: run, more }) {
    if (run !== state.run) return;
    state.trained += 1;
    at("progress").value = state.trained;
    if (!more) {
      at("said").textContent = `All ${state.trained} epochs are trained.`;
      document.documentElement.dataset.trained = String(state.trained);
    }
    if (state.trained === state.k + 1 || (!more && state.trained > state.k)) await go(state.k);
    else if (state.trained > state.k + 1 && state.trained % 10 === 0) await show();
    else at("after").disabled = state.k + 1 >= state.trained;
  }

  let playing = 0;
  function play(on) {
    clearInterval(playing);
    at("play").setAttribute("aria-pressed", String(on));
    at("play").textContent = on ? "Stop" : "Play";
    if (on) playing = setInterval(() => (state.k + 1 < state.trained ? go(state.k + 1) : play(false)), 900);
  }

  function listen() {
    at("epoch").addEventListener("input", () => go(Number(at("epoch").value)));
    at("before").addEventListener("click", () => go(state.k - 1));
    at("after").addEventListener("click", () => go(state.k + 1));
    at("play").addEventListener("click", () => play(at("play").getAttribute("aria-pressed") !== "true"));
    at("shown").addEventListener("change", show);
    at("settings").addEventListener("submit", (event) => event.preventDefault());
    const named = () => {
      const j = placeOf(at("place").value);
      if (j === null) at("placed").textContent = "No such weight: fc1[0..299,0..63], fc2[0..99,0..299] or fc3[0..9,0..99].";
      else follow(j);
    };
    at("follow").addEventListener("click", named);
    at("place").addEventListener("keydown", (event) => { if (event.key === "Enter") named(); });
    at("telling").addEventListener("click", async () => follow(await ask("telling", [state.k], "number")));
    const map = at("map");
    map.addEventListener("click", (event) => {
      const box = map.getBoundingClientRect();
      const [x, y] = [(event.clientX - box.left) / box.width * map.width, (event.clientY - box.top) / box.height * map.height].map(Math.floor);
      if (x % 9 === 8 || y % 9 === 8) return;
      follow((Math.floor(y / 9) * LAYER.across + Math.floor(x / 9)) * 64 + (y % 9) * 8 + (x % 9));
    });
    map.addEventListener("keydown", async (event) => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!step) return;
      event.preventDefault();
      const j = state.j < 19200 ? state.j : 0;
      const [unit, pixel] = [Math.floor(j / 64), j % 64];
      const x = (unit % 20) * 8 + (pixel % 8) + step[0];
      const y = Math.floor(unit / 20) * 8 + Math.floor(pixel / 8) + step[1];
      if (x < 0 || y < 0 || x >= 160 || y >= 120) return;
      await follow((Math.floor(y / 8) * 20 + Math.floor(x / 8)) * 64 + (y % 8) * 8 + (x % 8));
      at("pointed").textContent = ` ${all('data[data-weight="name"]')[0].textContent}: ${(await ask("weight", [state.k, state.j]).then(parse)).fate.shown}.`;
    });
    for (const predict of all(".predict")) {
      const details = predict.querySelector("details");
      details.addEventListener("toggle", async () => {
        const chosen = predict.querySelector("input:checked");
        if (!details.open || !chosen) { predict.querySelector(".verdict").textContent = ""; return; }
        let answer = predict.dataset.answer;
        if (!answer) {
          const name = predict.dataset.answers;
          const weight = parse(await ask("weight", [state.k, state.j]));
          answer = name === "moved" ? (await factsOf(state.k)).moved.exact : name === "fate" ? weight.fate.shown : weight[name].exact;
        }
        predict.querySelector(".verdict").textContent = chosen.value === answer ? "As you said." : "Not as you said.";
      });
    }
    at("again").addEventListener("click", async () => { await begin(); at("training").scrollIntoView(); });
    at("reset").addEventListener("click", async () => {
      for (const [place, [name, value, ...names]] of state.paper.entries()) {
        await change(place, names.length ? names.indexOf(value) : Number(value));
        const control = at(`set-${name}`);
        if (!control) continue;
        if (names.length) control.selectedIndex = names.indexOf(value);
        else control.value = SLIDERS[name].power ? Math.log(value) / Math.log(SLIDERS[name].power) : value;
      }
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  }

  async function main() {
    if (typeof WebAssembly !== "object") return;
    worker = new Worker(URL.createObjectURL(new Blob([at("worker").textContent], { type: "text/javascript" })));
    worker.onmessage = ({ data }) => {
      if (data.trained) { trained(data); return; }
      if (data.failed) { at("said").textContent = `Training stopped: ${data.failed}`; return; }
      const { resolve, reject } = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.error === undefined) resolve(data.answer);
      else reject(new Error(data.error));
    };
    await call({ wasm: at("wasm").textContent.trim() });
    state.j = placeOf(all('data[data-weight="name"]')[0].textContent) ?? 0;
    for (const details of all("details")) details.open = false;
    document.documentElement.classList.add("is-live");
    listen();
    await listSettings();
    await begin();
  }
  main();
})();
