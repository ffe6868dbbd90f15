// What the crate answers, put in its place.

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
