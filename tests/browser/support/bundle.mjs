import { join } from "node:path";
import { HERE, PACKAGES, REPOSITORY, require } from "./packages.mjs";

const { build } = require("esbuild");

/** The client as an application has it, from its sources, with one copy of each package. */
const client = {
  name: "client",
  setup(build) {
    const source = { "@countersign/client": "index.ts", "@countersign/client/dev": "dev.ts" };
    build.onResolve({ filter: /^@countersign\/client/ }, ({ path }) => ({
      path: join(REPOSITORY, "web/client/src", source[path] ?? path.replace("@countersign/client/", "").replace(/\.js$/, ".ts")),
    }));
    build.onResolve({ filter: /^@(bufbuild|connectrpc)\// }, ({ path, kind, resolveDir }) =>
      resolveDir.startsWith(PACKAGES) ? undefined : build.resolve(path, { kind, resolveDir: PACKAGES }),
    );
  },
};

/** Bundles a script of `pages`, for a browser; or for Node.js, as a module. */
export async function bundle(name, platform = "browser") {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "pages", name)],
    bundle: true,
    write: false,
    platform,
    format: platform === "browser" ? "esm" : "cjs",
    target: "es2022",
    logLevel: "warning",
    plugins: [client],
  });
  return outputFiles[0].text;
}

/** The exports of a script of `pages`, in this process. */
export async function load(name) {
  const module = { exports: {} };
  new Function("module", "exports", "require", await bundle(name, "node"))(module, module.exports, require);
  return module.exports;
}
