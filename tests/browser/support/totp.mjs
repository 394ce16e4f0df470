// An authenticator app, as far as its codes go.
import { createHmac } from "node:crypto";

/** How long an app shows a code, in seconds. */
const PERIOD = 30;
/** The digits of base32. */
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** The number of the present half minute. */
export function step() {
  return Math.floor(Date.now() / 1000 / PERIOD);
}

/** The code of an authenticator app in a half minute (RFC 6238, RFC 4226). */
export function code(secret, step) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const tag = createHmac("sha1", base32(secret)).update(counter).digest();
  const number = tag.readUInt32BE(tag.at(-1) & 15) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}

/** A code that the app shows at no time near. */
export function unrelated(secret) {
  const near = Array.from({ length: 61 }, (_, at) => code(secret, step() - 30 + at));
  return ["000000", "111111", ...near.map((each) => String((Number(each) + 1) % 1_000_000).padStart(6, "0"))].find(
    (each) => !near.includes(each),
  );
}

/** As apps show a code, and people type it. */
export function spaced(code) {
  return `${code.slice(0, 3)} ${code.slice(3)}`;
}

/** The bytes of a text in base32 (RFC 4648 section 6). */
function base32(text) {
  const bits = [...text].map((each) => ALPHABET.indexOf(each).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}
