import { readdirSync } from "node:fs";
import { defineConfig } from "vite";
import { resolve } from "./resolve.ts";

const tests = readdirSync(new URL("test", import.meta.url)).filter((name) => name.endsWith(".test.ts"));

/** Bundles the tests for Node, which reads no TypeScript. */
export default defineConfig({
  resolve,
  ssr: { noExternal: true },
  build: {
    ssr: true,
    target: "node20",
    outDir: "build/test",
    minify: false,
    rollupOptions: {
      input: Object.fromEntries(tests.map((name) => [name.replace(/\.ts$/, ""), `test/${name}`])),
    },
  },
});
