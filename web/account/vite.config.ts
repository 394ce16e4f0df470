import { defineConfig } from "vite";
import { resolve } from "./resolve.ts";

export default defineConfig({
  resolve,
  build: {
    target: "es2022",
    // The pages allow no `data:` address and no inline script, so every asset is a file.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
  },
});
