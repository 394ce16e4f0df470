import { pageAt, takesToken, type Path } from "./routes";

/** The page and token of a mailed link. */
export interface MailLink {
  readonly path: Path;
  readonly token: string;
}

/** Matches a named token; the `=` may be encoded for a URL or by a mail program. */
const NAMED = /token(?:=3D|%3D|=)([\w.-]+)/i;
/** Matches a token by its beginning. */
const BARE = /v4\.local\.[\w.-]+/;

/**
 * The token in what is left of a mailed link: after `#`, `%23` or `?`, followed by `&utm_source=mail`, `>` or a full
 * stop. The service reads a token in the same way (`link_token` in `crates/domain/src/action.rs`).
 */
export function tokenIn(text: string): string | undefined {
  const token = NAMED.exec(text)?.[1] ?? BARE.exec(text)?.[0];
  return token?.replace(/\.+$/, "") || undefined;
}

/** The path of a page without what gateways add to it: `/verify/`, or `/verify%23token=…` where the `#` was encoded. */
export function straightened(path: string): string {
  const [first = ""] = path.split(/%23|%3E/i);
  return first.replace(/[/.]+$/, "");
}

/** The first link to one of our pages in a text: in a mail, or pasted instead of a code. */
export function linkIn(text: string): MailLink | undefined {
  for (const [link, path = ""] of text.matchAll(/https?:\/\/[^\s/]+(\/[a-z-]+)(?=[/#?%])\S*/g)) {
    const token = tokenIn(link);
    if (token !== undefined && takesToken(pageAt(path))) return { path: path as Path, token };
  }
  return undefined;
}
