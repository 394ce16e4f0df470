import { fileURLToPath } from "node:url";
import type { UserConfig } from "vite";

const client = (file: string) => fileURLToPath(new URL(`../client/src/${file}`, import.meta.url));

/** The client is read as source, so its folder needs no build and no packages; its dependencies are found here. */
export const resolve: NonNullable<UserConfig["resolve"]> = {
  alias: [
    { find: /^@countersign\/client$/, replacement: client("index.ts") },
    { find: /^@countersign\/client\/dev$/, replacement: client("dev.ts") },
  ],
  dedupe: ["@bufbuild/protobuf", "@connectrpc/connect", "@connectrpc/connect-web"],
};
