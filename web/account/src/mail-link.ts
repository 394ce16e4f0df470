import { pageAt, takesToken, type Path } from "./routes";

/** Where the link in a mail leads. */
export interface MailLink {
  readonly path: Path;
  readonly token: string;
}

/** The first link to one of our pages in the text of a mail. */
export function linkIn(text: string): MailLink | undefined {
  for (const [, path = "", token = ""] of text.matchAll(/https?:\/\/[^\s/]+(\/[a-z-]+)#token=(\S+)/g)) {
    if (takesToken(pageAt(path))) return { path: path as Path, token };
  }
  return undefined;
}
