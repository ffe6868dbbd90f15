// Runs a program compiled for wasm32-unknown-unknown: `node run.mjs PROGRAM.wasm`; its exit status is this one's.
import { readFile } from "node:fs/promises";

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {});
process.exit(instance.exports.main(0, 0));
