// Where the crate runs: it trains an epoch, and between two epochs answers what the page asks.
"use strict";

let crate = null;
let training = 0;

const given = (length) => new Uint8Array(crate.memory.buffer, crate.given(), length);

// What a function of the crate gives: text or bytes; its error is thrown.
function ask(name, numbers, kind) {
  const length = crate[name](...numbers);
  if (kind === "number" && length >= 0) return length;
  if (length < 0) throw new Error(new TextDecoder().decode(given(-1 - length).slice()) || "there is no run");
  const bytes = given(length).slice();
  return kind === "text" ? new TextDecoder().decode(bytes) : bytes;
}

// The reverse of pack.mjs.
function unpack(packed) {
  const { predict, update, bytes } = model();
  const size = new DataView(packed.buffer).getUint32(0, true);
  let next = 4;
  let [low, high, code] = [0, 0xffffffff, 0];
  for (; next < 8; next += 1) code = ((code << 8) | packed[next]) >>> 0;
  while (bytes.length < size) {
    const middle = low + Math.floor(((high - low) * predict()) / 4096);
    const bit = code <= middle ? 1 : 0;
    if (bit) high = middle;
    else low = middle + 1;
    update(bit);
    while ((low ^ high) >>> 24 === 0) {
      low = (low << 8) >>> 0;
      high = ((high << 8) | 255) >>> 0;
      code = ((code << 8) | (packed[next] ?? 0)) >>> 0;
      next += 1;
    }
  }
  return Uint8Array.from(bytes);
}

// One epoch of the run that was begun last; the next one when messages have had their turn.
function train(run) {
  if (run !== training) return;
  try {
    const more = ask("train", [], "number");
    postMessage({ trained: run, more: more === 1 });
    if (more === 1) setTimeout(train, 0, run);
  } catch (error) {
    postMessage({ failed: String(error.message ?? error) });
  }
}

onmessage = async ({ data: { id, wasm, name, numbers = [], kind = "text" } }) => {
  try {
    if (wasm) {
      const packed = Uint8Array.from(atob(wasm), (c) => c.charCodeAt(0));
      crate = (await WebAssembly.instantiate(unpack(packed), {})).instance.exports;
      postMessage({ id, answer: null });
    } else if (name === "begin") {
      ask("begin", [], "number");
      training += 1;
      postMessage({ id, answer: training });
      setTimeout(train, 0, training);
    } else {
      postMessage({ id, answer: ask(name, numbers, kind) });
    }
  } catch (error) {
    postMessage({ id, error: String(error.message ?? error) });
  }
};
