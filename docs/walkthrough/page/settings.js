// The reader's settings, and what they change.

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
