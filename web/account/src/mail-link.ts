import { pageAt, takesToken, type Path } from "./routes";

/** Where the link in a mail leads. */
export interface MailLink {
  readonly path: Path;
  readonly token: string;
}

/** What an encoded `=` and a mail program's own encoding make of the sign before the token. */
const NAMED = /token(?:=3D|%3D|=)([\w.-]+)/i;
/** How every token begins. */
const BARE = /v4\.local\.[\w.-]+/;

/**
 * The token in what is left of a mailed link: behind `#`, `%23` or `?`, with `&utm_source=mail`, `>` or a full stop behind it. The
 * service reads a token in the same way (`link_token` in `crates/domain/src/action.rs`).
 */
export function tokenIn(text: string): string | undefined {
  const token = NAMED.exec(text)?.[1] ?? BARE.exec(text)?.[0];
  return token?.replace(/\.+$/, "") || undefined;
}

/** The path of a page without what gateways add to it: `/verify/`, and `/verify%23token=…` where the `#` was encoded. */
export function straightened(path: string): string {
  const [first = ""] = path.split(/%23|%3E/i);
  return first.replace(/[/.]+$/, "");
}

/** The first link to one of our pages in a text: that of a mail, or what was pasted in place of a code. */
export function linkIn(text: string): MailLink | undefined {
  for (const [link, path = ""] of text.matchAll(/https?:\/\/[^\s/]+(\/[a-z-]+)(?=[/#?%])\S*/g)) {
    const token = tokenIn(link);
    if (token !== undefined && takesToken(pageAt(path))) return { path: path as Path, token };
  }
  return undefined;
}
