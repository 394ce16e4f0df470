import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of these tests, and the root of the repository. */
export const HERE = dirname(dirname(fileURLToPath(import.meta.url)));
export const REPOSITORY = resolve(HERE, "../..");

/** Where `.ci/run` installs the packages of `package.json`. */
export const PACKAGES = process.env.COUNTERSIGN_BROWSER_PACKAGES ?? join(REPOSITORY, "target/ci/browser");

/** Loads packages from where they are installed, which is not beside these scripts. */
export const require = createRequire(join(PACKAGES, "package.json"));
