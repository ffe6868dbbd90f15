// Every control, by pointer and by keyboard.

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
