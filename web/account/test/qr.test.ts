import assert from "node:assert/strict";
import { test } from "node:test";
import { grouped, qrOf } from "../src/qr";

/** A document as the service sends it. */
function svg(path: string, box = "0 0 45 45"): string {
  const parts = `<rect width="45px" height="45px" fill="#ffffff"/><path d="${path}" fill="#000000"/>`;
  return `<svg viewBox="${box}" xmlns="http://www.w3.org/2000/svg">${parts}</svg>`;
}

test("the size and the outline of a QR code are taken from the document of the service", () => {
  assert.deepEqual(qrOf(svg("M4,4h1v1h-1M5,4h1v1h-1")), { size: 45, path: "M4,4h1v1h-1M5,4h1v1h-1" });
});

test("what is no outline of modules is not drawn", () => {
  for (const path of ["", "M4,4 url(x)", "&quot;", "javascript:1"]) assert.equal(qrOf(svg(path)), undefined, path);
  assert.equal(qrOf(svg("M4,4h1", "0 0 45 46")), undefined, "it is a square");
  assert.equal(qrOf(svg("M4,4h1", "0 0 0 0")), undefined);
  assert.equal(qrOf("<svg></svg>"), undefined);
  assert.equal(qrOf(""), undefined);
});

test("a key is written in groups of four", () => {
  assert.equal(grouped("JBSWY3DPEHPK3PXP"), "JBSW Y3DP EHPK 3PXP");
  assert.equal(grouped("JBSWY"), "JBSW Y");
  assert.equal(grouped(""), "");
});
