// The files that a browser loads for each page, gzipped, from the output of `npm run build`.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MOST_SCRIPT = 100 * 1000;
const folder = new URL("../dist/", import.meta.url);

const sizeOf = (name) => gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length;
const shell = readFileSync(new URL("index.html", folder), "utf8");
const assets = readdirSync(new URL("assets", folder)).map((name) => `assets/${name}`);
const first = assets.filter((name) => shell.includes(name));
const later = assets.filter((name) => !first.includes(name) && name.endsWith(".js"));
const sum = (names) => names.reduce((total, name) => total + sizeOf(name), 0);
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(9);

function line(page, names) {
  const scripts = sum(names.filter((name) => name.endsWith(".js")));
  const styles = sum(names.filter((name) => name.endsWith(".css")));
  const all = sizeOf("index.html") + sum(names);
  console.log(`${page.padEnd(14)} JavaScript ${kilobytes(scripts)}   CSS ${kilobytes(styles)}   all, with HTML and mark ${kilobytes(all)}`);
  return scripts;
}

const largest = Math.max(line("every page", first), line("/dev/mailbox", [...first, ...later]));
if (largest >= MOST_SCRIPT) {
  console.error(`a page has ${largest} bytes of JavaScript; there may be ${MOST_SCRIPT - 1}`);
  process.exitCode = 1;
}
