// Asking the crate, in its worker.

const at = (id) => document.getElementById(id);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

let worker = null;
const waiting = new Map();
let asked = 0;
const state = { k: 23, j: 0, trained: 0, epochs: 60, follows: true, run: 0, facts: new Map(), settings: [], paper: [] };

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
