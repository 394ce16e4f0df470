// Reads a QR code with jsQR. The SVG comes on standard input; the text goes to standard output.

import { readFileSync } from "node:fs";
import jsqr from "jsqr";

/** Pixels of a module. */
const SCALE = 4;

const svg = readFileSync(0, "utf8");
const [, side] = /viewBox="0 0 (\d+) \1"/.exec(svg);
const width = Number(side) * SCALE;
const pixels = new Uint8ClampedArray(width * width * 4).fill(255);
const modules = [...svg.matchAll(/M(\d+),(\d+)h1v1h-1/g)];
for (const [, x, y] of modules) {
  for (let at = 0; at < SCALE * SCALE; at += 1) {
    const column = Number(x) * SCALE + (at % SCALE);
    const row = Number(y) * SCALE + Math.floor(at / SCALE);
    pixels.set([0, 0, 0], (row * width + column) * 4);
  }
}
const decode = jsqr.default ?? jsqr;
process.stdout.write(decode(pixels, width, width)?.data ?? "");
