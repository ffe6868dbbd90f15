// The page's half that shows: it asks the crate, in its worker, and puts what it answers into the text. It computes nothing.

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
