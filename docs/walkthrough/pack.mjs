// How the module is packed: arithmetic coding by the model of page/model.js, which the worker has too. gzip looks back 32 kB, and the
// copies of a generic function, one for every type, lie further apart.

import { readFileSync } from "node:fs";

const model = new Function(`${readFileSync(new URL("page/model.js", import.meta.url), "utf8")}; return model();`);

// Four bytes of length, and the code.
export function pack(bytes) {
  const { predict, update } = model();
  const coded = [];
  let [low, high] = [0, 0xffffffff];
  for (const byte of bytes) {
    for (let place = 7; place >= 0; place -= 1) {
      const bit = (byte >> place) & 1;
      const middle = low + Math.floor(((high - low) * predict()) / 4096);
      if (bit) high = middle;
      else low = middle + 1;
      update(bit);
      for (; (low ^ high) >>> 24 === 0; [low, high] = [(low << 8) >>> 0, ((high << 8) | 255) >>> 0]) coded.push(high >>> 24);
    }
  }
  coded.push(high >>> 24, 255, 255, 255);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, Buffer.from(coded)]);
}
