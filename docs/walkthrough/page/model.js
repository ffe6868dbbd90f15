// What the next bit of a module is likely to be: the model by which pack.mjs codes it and the worker decodes it. Several contexts
// (the bytes before, from one to six of them, and what followed the last time that the same stood here) each have an opinion; a
// logistic mixture that learns weighs them (the context mixing of Mahoney's PAQ). In whole numbers, so that both sides agree.
"use strict";

function model() {
  const ORDERS = [1, 2, 3, 4, 6];
  const BITS = 21;
  const MASK = (1 << BITS) - 1;
  const INPUTS = ORDERS.length + 2;
  // 4096 / (1 + e^(-x / 256)), and its inverse.
  const squash = (x) => (x > 2047 ? 4095 : x < -2047 ? 1 : SQUASHED[x + 2048]);
  const SQUASHED = Int32Array.from({ length: 4096 }, (_, i) => Math.max(1, Math.min(4095, Math.round(4096 / (1 + 1.00391389 ** (2048 - i))))));
  const stretched = new Int32Array(4096);
  for (let p = 0, x = -2047; x <= 2047; x += 1) for (const end = squash(x); p <= end; p += 1) stretched[p] = x;
  for (let p = squash(2047) + 1; p < 4096; p += 1) stretched[p] = 2047;

  // A probability in 22 bits, and in 10 how often it was seen.
  const tables = Array.from({ length: ORDERS.length + 1 }, () => new Uint32Array(1 << BITS).fill(2 ** 31));
  const matched = new Uint32Array(1 << 12).fill(2 ** 31);
  const weights = new Int32Array(256 * INPUTS).fill(1 << 14);
  const inputs = new Int32Array(INPUTS);
  const slots = new Int32Array(ORDERS.length + 1);
  const hashes = new Int32Array(ORDERS.length + 1);
  const last = new Int32Array(1 << 18).fill(-1);
  const bytes = [];
  let [partial, match, length, slot, p] = [1, -1, 0, -1, 2048];

  function predict() {
    for (let i = 0; i < hashes.length; i += 1) {
      slots[i] = (hashes[i] + Math.imul(partial, 0x2f0b4c47) + (hashes[i] >>> 13)) & MASK;
      inputs[i] = stretched[tables[i][slots[i]] >>> 20];
    }
    slot = -1;
    inputs[INPUTS - 1] = 0;
    if (length > 0) {
      const expected = bytes[match] | 256;
      const shift = 8 - (31 - Math.clz32(partial));
      if (expected >>> shift === partial) {
        const bit = (expected >>> (shift - 1)) & 1;
        slot = (Math.min(length, 63) << 1) | bit;
        inputs[INPUTS - 1] = stretched[matched[slot] >>> 20];
      }
    }
    let sum = 0;
    for (let i = 0, w = partial * INPUTS; i < INPUTS; i += 1, w += 1) sum += inputs[i] * weights[w];
    p = squash(Math.round(sum / 65536));
    return p;
  }

  function learn(table, at, bit) {
    const [seen, count] = [table[at] >>> 10, table[at] & 1023];
    const moved = seen + Math.trunc(((bit << 22) - seen) / (count + 1.5));
    table[at] = ((moved << 10) | Math.min(count + 1, 127)) >>> 0;
  }

  function update(bit) {
    const error = ((bit << 12) - p) * 6;
    for (let i = 0, w = partial * INPUTS; i < INPUTS; i += 1, w += 1) weights[w] += (inputs[i] * error + 0x8000) >> 16;
    for (let i = 0; i < slots.length; i += 1) learn(tables[i], slots[i], bit);
    if (slot >= 0) learn(matched, slot, bit);
    partial = (partial << 1) | bit;
    if (partial > 255) byte(partial & 255);
  }

  // A whole byte is known: the contexts of the next.
  function byte(value) {
    bytes.push(value);
    partial = 1;
    const n = bytes.length;
    length = length > 0 && bytes[match] === value ? length + 1 : 0;
    match += 1;
    ORDERS.forEach((order, i) => {
      let hash = Math.imul(order + 1, 0x9e3779b1);
      for (let back = 1; back <= order; back += 1) hash = Math.imul(hash ^ (bytes[n - back] ?? 0), 0x2c9277b5) + back;
      hashes[i + 1] = hash;
    });
    const key = (hashes[ORDERS.length] >>> 14) & 0x3ffff;
    if (length === 0) {
      match = last[key];
      if (match >= 0) while (length < 63 && match > length && bytes[match - 1 - length] === bytes[n - 1 - length]) length += 1;
    }
    last[key] = n;
  }

  return { predict, update, bytes };
}
