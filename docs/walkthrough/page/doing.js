// What a reader does: to another epoch, to another weight, a run.

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
